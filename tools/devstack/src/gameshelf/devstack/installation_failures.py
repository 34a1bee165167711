"""What the output of an installer means, and what to do about it."""

import re
from pathlib import Path

_NETWORK = (
    r"Temporary failure in name resolution|Name or service not known|nodename nor servname|NewConnectionError"
    r"|Network is unreachable|Connection refused|ConnectTimeoutError|ReadTimeoutError|dns error|tcp connect error"
    r"|error sending request|Could not connect|Cannot connect to proxy|ProxyError|operation timed out"
)
_KNOWN = (
    (r"No space left on device|os error 28|Disk quota exceeded", "the disk of {root} is full; make room"),
    (
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate|UnknownIssuer",
        "the package registry's certificate is not trusted; name the file with yours in PIP_CERT and SSL_CERT_FILE",
    ),
    (
        r"DO NOT MATCH THE HASHES|[Hh]ash mismatch",
        "the package registry has other files than the pinned ones; use another registry or mirror",
    ),
    (_NETWORK, "no package registry can be reached; check the network and the proxy (HTTPS_PROXY), or name a mirror"),
    (r"\b(401|403) (Client )?Error|40[13] (Unauthorized|Forbidden)", "the package registry wants other credentials"),
    (r"Permission denied|os error 13|Read-only file system", "{root} can't be written to; clone it to where you may"),
)
_MISSING = re.compile(r"No matching distribution found for (\S+)|Because (\S+) (?:has no|was not found)")


def what_to_do(output: str, root: Path) -> str | None:
    """Returns one line for the user; None if the output has nothing that is known."""
    for pattern, advice in _KNOWN:
        if re.search(pattern, output):
            return advice.format(root=root) + ", then run the command again"
    if missing := _MISSING.search(output):
        name = missing[1] or missing[2]
        return f"the package registry lacks {name}; use one that has all of 3rdparty/python, then run the command again"
    return None
