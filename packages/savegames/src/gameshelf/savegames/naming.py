"""Names of slots, and keys of objects (contract, section 3.6). Pure."""

import json
import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, unquote
from uuid import UUID

MAX_NAME = 255
STAGING = "staging/"
"""Where clients may write: one key an upload, and none that a version ever uses."""

MAX_NUMBER = 2**53
"""Beyond which nobody numbers anything."""

MAX_IDENTITY = 64
"""How many bytes a content's identity may have."""

_MAX_QUOTED = 1400
_MAX_METADATA = 2048
_MAX_ENCODING = 50
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SAFE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def staging_key(upload_id: UUID) -> str:
    """The one key that the holder of an upload's URL can write."""
    return f"{STAGING}{upload_id}"


# Characters that nothing shows, beside those of the category "format": Unicode's Default_Ignorable_Code_Point.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def slot_key(slot_name: str) -> str:
    """What two names share that some file system takes for the same: NFC, case-folded, without characters that nothing
    shows, then without dots and spaces at the end (contract, section 3.6). Empty for a name that has nothing else.
    """
    key = slot_name
    while (folded := _folded(key)) != key:  # what is left out can let others compose
        key = folded
    return key


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFC", name).casefold()
    shown = "".join(sign for sign in _IGNORABLE.sub("", folded) if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFC", shown).rstrip(". ")


def user_prefix(user_id: UUID) -> str:
    """What the keys of all of a user's saves begin with."""
    return f"{sha256(str(user_id).encode()).hexdigest()[:4]}/{user_id}/"


def object_key(user_id: UUID, product_id: UUID, slot_name: str, version: int, unique: UUID, now: datetime) -> str:
    """A fresh key for the bytes of a version; ``unique`` makes each attempt's another one."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{user_prefix(user_id)}{product_id}/{_in_key(slot_name)}/{stamp}_v{version}_{unique.hex[:12]}.sav"


def _in_key(slot_name: str) -> str:
    if _SAFE.fullmatch(slot_name):
        return slot_name
    return "~" + sha256(slot_name.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Marks:
    """What a client needs to read its bytes again. ``encryption`` is JSON."""

    content_encoding: str | None = None
    encryption: str | None = None


NO_MARKS = Marks()


def object_metadata(
    user_id: UUID,
    product_id: UUID,
    slot_name: str,
    version: int,
    base_version: int,
    content: bytes,
    marks: Marks = NO_MARKS,
    identity: bytes | None = None,
) -> dict[str, str]:
    """What an object says of itself, so that a store without its database can still be understood. ASCII, and less than
    the 2 KB that S3 takes: beside the longest names there is no room for the longest marks, which are left out then.
    """
    written = {
        "user-id": str(user_id),
        "product-id": str(product_id),
        "slot-name": _in_metadata(slot_name),
        "version": str(version),
        "parent-version": str(base_version),
        "sha256": content.hex(),
    }
    if identity not in (None, content):
        written["identity"] = identity.hex()
    if marks == NO_MARKS:
        return written
    encoded = json.dumps([marks.content_encoding, marks.encryption], ensure_ascii=False).encode()
    marked = written | {"marks": urlsafe_b64encode(encoded).decode()}
    return marked if _size(marked) <= _MAX_METADATA else written


def _size(metadata: Mapping[str, str]) -> int:
    """As S3 counts it."""
    return sum(len("x-amz-meta-") + len(name) + len(value) for name, value in metadata.items())


def _in_metadata(slot_name: str) -> str:
    quoted = quote(slot_name, safe=" ()")
    if len(quoted) <= _MAX_QUOTED:
        return quoted
    return "base64:" + urlsafe_b64encode(slot_name.encode()).decode()  # a third more, and not three times as much


@dataclass(frozen=True, slots=True)
class ObjectMetadata:
    """What an object says of itself."""

    user_id: UUID
    product_id: UUID
    slot_name: str
    version: int
    base_version: int
    content: bytes
    """The SHA-256 that its bytes have to have."""
    marks: Marks = NO_MARKS
    identity: bytes | None = None
    """What lineage compares; None: ``content``."""


def metadata_of(key: str, metadata: Mapping[str, str]) -> ObjectMetadata | None:
    """What ``object_metadata`` wrote of the object under ``key``; None where anything of it does not fit together."""
    try:
        found = ObjectMetadata(
            UUID(metadata["user-id"]),
            UUID(metadata["product-id"]),
            _from_metadata(metadata["slot-name"]),
            int(metadata["version"]),
            int(metadata["parent-version"]),
            bytes.fromhex(metadata["sha256"]),
            _marks(metadata.get("marks")),
            bytes.fromhex(metadata["identity"]) if "identity" in metadata else None,
        )
    except (KeyError, ValueError):
        return None
    folder = f"{user_prefix(found.user_id)}{found.product_id}/{_in_key(found.slot_name)}/"
    name = key.removeprefix(folder)
    fits = (
        key.startswith(folder)
        and re.fullmatch(rf"\d{{8}}T\d{{6}}Z_v{found.version}_[0-9a-f]{{12}}\.sav", name)
        and 0 <= found.base_version < found.version <= MAX_NUMBER
        and len(found.content) == sha256().digest_size
        and (found.identity is None or len(found.identity) <= MAX_IDENTITY)
        and 1 <= len(found.slot_name) <= MAX_NAME
        and not _CONTROL.search(found.slot_name)
    )
    return found if fits else None


def _marks(text: str | None) -> Marks:
    """Raises ValueError for what ``object_metadata`` does not write."""
    if text is None:
        return NO_MARKS
    found = json.loads(urlsafe_b64decode(text))
    if not (isinstance(found, list) and len(found) == 2 and all(one is None or isinstance(one, str) for one in found)):
        raise ValueError("no marks")
    marks = Marks(*found)
    if len(marks.content_encoding or "") > _MAX_ENCODING:
        raise ValueError("no content encoding")
    if marks.encryption is not None and not isinstance(json.loads(marks.encryption), dict):
        raise ValueError("no encryption")
    return marks


def _from_metadata(text: str) -> str:
    if text.startswith("base64:"):
        return urlsafe_b64decode(text.removeprefix("base64:")).decode()
    return unquote(text, errors="strict")


def free_name(wanted: str, taken: Collection[str]) -> str:
    """``wanted``, or the first of ``wanted (2)``, ``wanted (3)``, … that is none of the names ``taken``; cut to fit."""
    name, number, keys = wanted[:MAX_NAME], 1, set(map(slot_key, taken))
    while slot_key(name) in keys or name in taken:
        number += 1
        suffix = f" ({number})"
        name = wanted[: MAX_NAME - len(suffix)] + suffix
    return name


def conflict_name(slot_name: str, version: int) -> str:
    """What a branch is called that becomes a slot of its own."""
    suffix = f" (conflict v{version})"
    return slot_name[: MAX_NAME - len(suffix)] + suffix
