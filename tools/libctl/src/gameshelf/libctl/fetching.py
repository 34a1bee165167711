"""Files from the object store, by signed URLs: in bounded memory, and only whole."""

import http.client
import os
import urllib.error
import urllib.request
from hashlib import sha256
from pathlib import Path

from gameshelf.libctl.errors import Refused, Unavailable

_BLOCK = 1024**2
_SECONDS = 30.0
"""For how long nothing may come."""
_AGAIN = "run the same command again to resume"


class Absent(Exception):
    """The store has no such object."""


def fetch(url: str, target: Path, size: int, digest: str) -> None:
    """Downloads into ``target``, which is there only once it is whole: of that size, and with that SHA-256.

    Does nothing where it is. Raises Absent, Unavailable, Refused.
    """
    if target.exists():
        return
    partial = target.with_name(target.name + ".part")
    try:
        found, hashed = _download(url, partial)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            raise Absent from None
        if error.code == 403:
            raise Unavailable("the object store refused the URL: it may have expired", _AGAIN) from None
        raise Unavailable(f"the object store answers {error.code}", _AGAIN) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Unavailable(f"the object store can't be reached: {reason or type(error).__name__}", _AGAIN) from None
    if (found, hashed) != (size, digest):
        partial.unlink()
        raise Refused(f"{target.name}: the download differs from what was saved ({found} of {size} bytes)", _AGAIN)
    partial.replace(target)


def _download(url: str, target: Path) -> tuple[int, str]:
    """The size and SHA-256 of what came."""
    hashed, size = sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    # The URL is the service's, which is asked over a connection that is trusted with a token.
    with os.fdopen(descriptor, "wb") as file, urllib.request.urlopen(url, timeout=_SECONDS) as response:  # noqa: S310
        while block := response.read(_BLOCK):
            file.write(block)
            hashed.update(block)
            size += len(block)
    return size, hashed.hexdigest()
