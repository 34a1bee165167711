"""The keys that backups in a bucket are encrypted with.

``LIBCTL_BACKUP_KEYS`` names a file, or ``LIBCTL_BACKUP_KEY`` holds the text itself: one key per line, ``ID:BASE64``
with 32 bytes. The first encrypts; the others only decrypt older backups, so that a key can be rotated.
"""

import os
import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gameshelf.libctl.errors import Refused, Usage

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAKE_ONE = 'make one: echo "$(date +%Y-%m):$(openssl rand -base64 32)"'


@dataclass(frozen=True, slots=True)
class Keys:
    """``current`` is the id of the key for new backups."""

    current: str
    by_id: Mapping[str, bytes] = field(repr=False)

    def named(self, key_id: str) -> bytes:
        """Raises Refused for a key that isn't among them."""
        if found := self.by_id.get(key_id):
            return found
        raise Refused(
            f"the key {key_id} isn't among those of this process ({', '.join(self.by_id)})",
            "add its line to LIBCTL_BACKUP_KEYS; without it nobody can read what it encrypted",
            code="BACKUP_KEY_MISSING",
        )


def parse(text: str) -> Keys:
    """Raises Usage; the message never quotes a key."""
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not (line := line.strip()) or line.startswith("#"):
            continue
        key_id, _, encoded = line.partition(":")
        try:
            key = b64decode(encoded, validate=True)
        except (Error, ValueError):
            key = b""
        if not _ID.fullmatch(key_id) or len(key) != KEY_BYTES:
            raise Usage(f"line {number} of the backup keys isn't ID:BASE64 with {KEY_BYTES} bytes", _MAKE_ONE)
        if key_id in keys:
            raise Usage(f"the backup keys have {key_id} twice", "each key needs an id of its own")
        keys[key_id] = key
    if not keys:
        raise Usage("there is no backup key", _MAKE_ONE)
    return Keys(next(iter(keys)), keys)


def of_environment() -> Keys:
    """Raises Usage, or Refused for a file that cannot be read."""
    if path := os.environ.get("LIBCTL_BACKUP_KEYS"):
        try:
            return parse(Path(path).read_text())
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it isn't text"
            raise Refused(f"LIBCTL_BACKUP_KEYS: {path} can't be read: {reason}", "check its permissions") from None
    if text := os.environ.get("LIBCTL_BACKUP_KEY"):
        return parse(text)
    raise Usage("neither LIBCTL_BACKUP_KEYS nor LIBCTL_BACKUP_KEY is set", _MAKE_ONE)
