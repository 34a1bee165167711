"""Finds the user that a dead letter is about: the letter is deleted when that user is erased.

Such a record may be malformed in any way, so an id is found in every form in which producers write one: upper case,
without hyphens, in braces, as a URN, percent-encoded, within quotation marks, as UTF-16, or as its 16 bytes.
"""

import re
from collections.abc import Collection
from urllib.parse import unquote_to_bytes
from uuid import UUID

from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.kafka.received import KafkaRecord

_ID = rb"(?<![0-9a-fA-F])([0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12})(?![0-9a-fA-F])"
_ANY_ID = re.compile(_ID)
_BETWEEN = rb"""[\s"'\\:=({\[]{1,16}(?:urn:uuid:)?"""
_EXACTLY = re.compile(rb'"user_?[iI]d\\?"' + _BETWEEN + _ID)
_LOOSELY = re.compile(rb"(?i:user_?id)" + _BETWEEN + _ID)
_MOST_OF_KEY = 1024
_BYTES_OF_ID = 16


def named_user(record: KafkaRecord, product_topics: Collection[str]) -> UUID | None:
    """Returns the user in the data, else in a text that looks like that field, else in the key (a user's id on all
    topics but ``product_topics``), else in any text that looks like the id of a user.
    """
    value = record.value or b""
    key = None if record.topic in product_topics else record.key
    return _in_data(value) or _found(_EXACTLY, value) or _in_key(key) or _found(_LOOSELY, value)


def _in_data(value: bytes) -> UUID | None:
    try:
        data = decode(value)["data"]
        return UUID(data.get("userId") or data.get("user_id"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _in_key(key: bytes | None) -> UUID | None:
    if not key:
        return None
    if len(key) == _BYTES_OF_ID and not (key.isascii() and key.decode("ascii").isprintable()):
        return UUID(bytes=key)
    return _found(_ANY_ID, key[:_MOST_OF_KEY])


def _found(pattern: re.Pattern[bytes], text: bytes) -> UUID | None:
    found = pattern.search(text)
    if found is None and b"%" in text:
        found = pattern.search(unquote_to_bytes(text))
    if found is None and b"\0" in text:
        found = pattern.search(text.replace(b"\0", b""))
    return UUID(found[1].decode("ascii")) if found else None
