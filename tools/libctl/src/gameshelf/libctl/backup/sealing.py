"""Encryption of one object of a backup as a stream, with AES-256-GCM in frames.

``MAGIC``, the length of the key's id, the id, 16 random bytes, then frames of 1 MiB and 16 bytes of authentication
each; only the last one may be shorter. The key of the object is derived (HKDF-SHA256) from the named key and the random
bytes, so that frame numbers can be nonces. A nonce also says whether the frame is the last: an object that was cut,
continued or put into another order does not decrypt. The place of the object is authenticated too, so that one object
cannot stand for another. This is the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, as age uses it.
"""

import os
from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from gameshelf.libctl.backup.keys import KEY_BYTES, Keys
from gameshelf.libctl.errors import Refused

MAGIC = b"GSBACKUP1"
FRAME = 1 << 20
TAG = 16
_SALT = 16
_LONGEST_ID = 64


def sealed(
    content: Iterable[bytes], keys: Keys, place: str, random: Callable[[int], bytes] = os.urandom
) -> Iterator[bytes]:
    """Yields the encrypted object. ``place`` is where it belongs, such as ``ID/dump/toc.dat``."""
    key_id, salt = keys.current.encode(), random(_SALT)
    yield MAGIC + bytes([len(key_id)]) + key_id + salt
    cipher, context = AESGCM(_derived(keys.by_id[keys.current], salt, key_id)), place.encode()
    for number, (frame, last) in enumerate(_frames(content, FRAME)):
        yield cipher.encrypt(_nonce(number, last), frame, context)


def opened(content: Iterable[bytes], keys: Keys, place: str) -> Iterator[bytes]:
    """Yields the decrypted content frame by frame, each authenticated.

    Only the end of the iteration shows that nothing is missing. Raises Refused.
    """
    opener = Opener(keys, place)
    for chunk in content:
        yield from opener.feed(chunk)
    yield opener.end()


class Opener:
    """The same for content that arrives in pieces: ``feed`` them, then ``end``. Holds one frame and one piece."""

    def __init__(self, keys: Keys, place: str) -> None:
        self._keys, self._place = keys, place
        self._cipher: AESGCM | None = None
        self._waiting = bytearray()
        self._number = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._waiting += chunk
        if self._cipher is None and not self._read_header():
            return
        while len(self._waiting) > FRAME + TAG:  # a whole frame, and something behind it: so it isn't the last
            frame = bytes(self._waiting[: FRAME + TAG])
            del self._waiting[: FRAME + TAG]
            yield self._open(frame, last=False)

    def end(self) -> bytes:
        if self._cipher is None:
            raise self._damaged("is too short")
        return self._open(bytes(self._waiting), last=True)

    def _read_header(self) -> bool:
        start = len(MAGIC)
        if bytes(self._waiting[:start]) != MAGIC[: len(self._waiting)]:
            raise self._damaged("isn't an encrypted object of a backup")
        if len(self._waiting) <= start:
            return False
        end = start + 1 + self._waiting[start] + _SALT
        if len(self._waiting) < end:
            return False
        key_id, salt = bytes(self._waiting[start + 1 : end - _SALT]), bytes(self._waiting[end - _SALT : end])
        del self._waiting[:end]
        key = self._keys.named(key_id.decode(errors="replace"))
        self._cipher = AESGCM(_derived(key, salt, key_id))
        return True

    def _open(self, frame: bytes, *, last: bool) -> bytes:
        assert self._cipher is not None
        try:
            content = self._cipher.decrypt(_nonce(self._number, last), frame, self._place.encode())
        except (InvalidTag, ValueError):
            raise self._damaged(f"was changed or cut at frame {self._number}") from None
        self._number += 1
        return content

    def _damaged(self, why: str) -> Refused:
        return Refused(f"{self._place} {why}", "use another backup; this one can't be trusted", code="BACKUP_DAMAGED")


def sealed_size(size: int, keys: Keys) -> int:
    """Returns the length of the encrypted object for so many bytes."""
    frames = max(1, -(-size // FRAME))
    return len(MAGIC) + 1 + len(keys.current.encode()) + _SALT + size + frames * TAG


def may_hold(length: int, size: int) -> bool:
    """Whether an object of this length can hold so many bytes, whatever key it was encrypted with."""
    header = length - size - max(1, -(-size // FRAME)) * TAG
    return len(MAGIC) + 1 + 1 + _SALT <= header <= len(MAGIC) + 1 + _LONGEST_ID + _SALT


def _derived(key: bytes, salt: bytes, key_id: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=MAGIC + key_id).derive(key)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _frames(content: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cuts content into frames; there is always one, and the last of them is marked."""
    waiting = bytearray()
    for chunk in content:
        waiting += chunk
        while len(waiting) > size:
            yield bytes(waiting[:size]), False
            del waiting[:size]
    yield bytes(waiting), True
