"""Names of slots, keys of objects and their metadata (contract, section 3.6). Pure."""

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
"""The prefix of the keys that clients may write: one key per upload. No version uses such a key."""

INCOMING = "incoming/"
"""The prefix of the keys that clients may write for uploads of sets: ``<upload id>/<SHA-256 in hex>`` below it."""
PARTS = "~parts"
"""The folder of a slot with the contents of its sets. No key has it in place of a slot's name: see ``_in_key``."""

MAX_NUMBER = 2**53
"""The highest version number that is accepted from the metadata of an object."""

MAX_IDENTITY = 64
"""The largest size of a content's identity, in bytes."""

_MAX_QUOTED = 1400
_MAX_METADATA = 2048
_MAX_ENCODING = 50
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_VERSION_KEY = re.compile(r"[0-9a-f]{4}/[0-9a-f-]{36}/")
_SAFE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def staging_key(upload_id: UUID) -> str:
    """The only key that the upload URL of this upload can write."""
    return f"{STAGING}{upload_id}"


def incoming_prefix(upload_id: UUID) -> str:
    """The prefix of the keys that the URLs of this upload of a set can write."""
    return f"{INCOMING}{upload_id}/"


def incoming_key(upload_id: UUID, content: bytes) -> str:
    """The key for the bytes with this SHA-256."""
    return f"{incoming_prefix(upload_id)}{content.hex()}"


def upload_of(key: str) -> UUID | None:
    """Returns the upload that may write a key under ``staging/`` or ``incoming/``; None if no upload may."""
    if key.startswith(INCOMING):
        upload_id, slash, content = key.removeprefix(INCOMING).partition("/")
        name = upload_id if slash and re.fullmatch("[0-9a-f]{64}", content) else ""
    else:
        name = key.removeprefix(STAGING)
    try:
        return UUID(name)
    except ValueError:
        return None


# Invisible characters that are not in the category "format": Unicode's Default_Ignorable_Code_Point.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def slot_key(slot_name: str) -> str:
    """Folds a name, so that names which a file system may treat as equal have the same key (contract, section 3.6).

    The name is normalised to NFC, case-folded, and loses invisible characters and trailing dots and spaces. The key is
    empty for a name that has nothing else.
    """
    key = slot_name
    while (folded := _folded(key)) != key:  # without an invisible character its neighbours may compose
        key = folded
    return key


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFC", name).casefold()
    shown = "".join(sign for sign in _IGNORABLE.sub("", folded) if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFC", shown).rstrip(". ")


def user_prefix(user_id: UUID) -> str:
    """The prefix of the keys of all objects of a user."""
    return f"{sha256(str(user_id).encode()).hexdigest()[:4]}/{user_id}/"


def is_version_key(key: str) -> bool:
    """Returns whether a key begins as those of versions and of contents do. Other objects in the bucket are ignored."""
    return _VERSION_KEY.match(key) is not None


def object_key(user_id: UUID, product_id: UUID, slot_name: str, version: int, unique: UUID, now: datetime) -> str:
    """Returns a new key for the bytes of a version. ``unique`` differs between attempts, so their keys do too."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{user_prefix(user_id)}{product_id}/{_in_key(slot_name)}/{stamp}_v{version}_{unique.hex[:12]}.sav"


def part_prefix(user_id: UUID, product_id: UUID, slot_name: str) -> str:
    """The prefix of the keys of contents that were uploaded for sets of this slot."""
    return f"{user_prefix(user_id)}{product_id}/{_in_key(slot_name)}/{PARTS}/"


def is_part_key(key: str) -> bool:
    """Returns whether a key is that of a content of a set."""
    return f"/{PARTS}/" in key


def part_key(user_id: UUID, product_id: UUID, slot_name: str, content_id: UUID) -> str:
    """Returns the key for a content of a set. Contents belong to no version, since later sets hold them too."""
    return f"{part_prefix(user_id, product_id, slot_name)}{content_id.hex[:16]}.bin"


def part_metadata(user_id: UUID, product_id: UUID, content: bytes, size: int) -> dict[str, str]:
    """Returns the metadata of a content of a set."""
    return {
        "user-id": str(user_id),
        "product-id": str(product_id),
        "part": "1",
        "sha256": content.hex(),
        "size": str(size),
    }


def _in_key(slot_name: str) -> str:
    if _SAFE.fullmatch(slot_name):
        return slot_name
    return "~" + sha256(slot_name.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Marks:
    """The encoding and the encryption of the bytes, which a client needs to read them. ``encryption`` is JSON."""

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
    """Returns the metadata of an object, from which ``metadata_of`` restores the version if the database is lost.

    It is ASCII, and smaller than the 2 KB that S3 accepts: marks that do not fit beside a long name are left out.
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
    """The size of metadata as S3 counts it, in bytes."""
    return sum(len("x-amz-meta-") + len(name) + len(value) for name, value in metadata.items())


def _in_metadata(slot_name: str) -> str:
    quoted = quote(slot_name, safe=" ()")
    if len(quoted) <= _MAX_QUOTED:
        return quoted
    return (
        "base64:" + urlsafe_b64encode(slot_name.encode()).decode()
    )  # a third longer, where percent-encoding is three times as long


@dataclass(frozen=True, slots=True)
class ObjectMetadata:
    """The metadata of an object: its user, its save, its version and the hash of its bytes."""

    user_id: UUID
    product_id: UUID
    slot_name: str
    version: int
    base_version: int
    content: bytes
    """The expected SHA-256 of its bytes."""
    marks: Marks = NO_MARKS
    identity: bytes | None = None
    """The identity that lineage compares; None: it is ``content``."""


def metadata_of(key: str, metadata: Mapping[str, str]) -> ObjectMetadata | None:
    """Parses what ``object_metadata`` wrote; None where it is invalid or does not match the object's ``key``."""
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
    """Parses the marks. Raises ValueError for a text that ``object_metadata`` does not write."""
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
    """Returns ``wanted``, or the first free name of ``wanted (2)``, ``wanted (3)``, …, cut to the longest name."""
    name, number, keys = wanted[:MAX_NAME], 1, set(map(slot_key, taken))
    while slot_key(name) in keys or name in taken:
        number += 1
        suffix = f" ({number})"
        name = wanted[: MAX_NAME - len(suffix)] + suffix
    return name


def conflict_name(slot_name: str, version: int) -> str:
    """Returns the name of the slot that a branch becomes."""
    suffix = f" (conflict v{version})"
    return slot_name[: MAX_NAME - len(suffix)] + suffix
