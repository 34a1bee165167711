"""The extra is optional: the package itself imports no client of S3."""

import subprocess
import sys

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

CODE = """
import sys
import gameshelf.savegames, gameshelf.savegames.testing

print(sorted({"aioboto3", "botocore", "gameshelf.savegames.s3"} & {*sys.modules}))
"""


@pytest.mark.long
def test_the_package_imports_without_a_client_of_s3():
    run = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    assert run.stdout == "[]\n"
