"""What an answer of the object store means. Plain values; docs/clients.md has the same table."""

import re
from enum import Enum, auto


class StoreMeaning(Enum):
    """What follows an answer."""

    DONE = auto()
    AGAIN = auto()
    """The same request, after a pause."""
    SIGN = auto()
    """A request with a fresh signature."""
    OTHER_BYTES = auto()
    """The bytes were not those that were announced."""
    REFUSED = auto()


_BAD_REQUESTS = {
    "RequestTimeout": StoreMeaning.AGAIN,
    "ExpiredToken": StoreMeaning.SIGN,
    "InvalidToken": StoreMeaning.SIGN,
    "BadDigest": StoreMeaning.OTHER_BYTES,
    "IncompleteBody": StoreMeaning.OTHER_BYTES,
    "InvalidDigest": StoreMeaning.OTHER_BYTES,
    "XAmzContentSHA256Mismatch": StoreMeaning.OTHER_BYTES,
}
"""Codes of S3 for which its 400 is not the end: the request was fine, and its signature, its bytes or the network was
not."""


def is_busy(status: int) -> bool:
    """Whether the status alone says that the same request may succeed later."""
    return status in (408, 429) or status >= 500


def meaning_of(status: int, code: str) -> StoreMeaning:
    """What follows an answer with a code of S3; the page of a proxy has none."""
    if 200 <= status < 300:
        return StoreMeaning.DONE
    if is_busy(status):
        return StoreMeaning.AGAIN
    if code == "QuotaExceeded":
        return StoreMeaning.REFUSED
    if status == 400:
        return _BAD_REQUESTS.get(code, StoreMeaning.REFUSED)
    # 404 is also the answer to parts of an upload that was aborted: the service begins another one.
    return StoreMeaning.SIGN if status in (401, 403, 404) else StoreMeaning.REFUSED


def code_of(body: bytes) -> str:
    """The code in the XML of a refusal; an empty text if there is none."""
    found = re.search(rb"<Code>(\w+)</Code>", body)
    return found[1].decode() if found else ""
