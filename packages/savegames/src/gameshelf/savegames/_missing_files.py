"""What an open upload has yet to send."""

from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

from gameshelf.savegames._naming import incoming_key
from gameshelf.savegames._set_signing import MissingFile
from gameshelf.savegames._store.upload_files import UnverifiedFile

_HASH_BYTES = sha256().digest_size


def missing_files(upload_id: UUID, files: Iterable[UnverifiedFile], key: str | None = None) -> tuple[MissingFile, ...]:
    """Returns those of some contents whose bytes have to be sent. ``key`` is that of a single file that has to be
    sent, whether its bytes are there or not: its unpacked ones may not be verified.
    """
    return tuple(
        MissingFile(
            file.sha256,
            file.size,
            key or incoming_key(upload_id, file.sha256),
            _parts(file.part_sha256 or b""),
            file.multipart_id,
            file.problem not in (None, "missing"),
        )
        for file in files
        if key or not file.is_there
    )


def _parts(hashes: bytes) -> tuple[bytes, ...]:
    return tuple(hashes[start : start + _HASH_BYTES] for start in range(0, len(hashes), _HASH_BYTES))
