"""Rules for bytes that were packed before they were uploaded (contract, section 3.6). Pure."""

from typing import Protocol

from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.savegames._commands import Encryption, NewUpload
from gameshelf.savegames._errors import SavegameFileTooLarge
from gameshelf.savegames._limits import MAX_RATIO

ENCODINGS = ("identity", "gzip", "zstd")
"""The encodings that the service can unpack."""


class _Packed(Protocol):
    """What a request says of the packing of bytes."""

    @property
    def raw_sha256(self) -> str | None: ...

    @property
    def raw_size_bytes(self) -> int | None: ...

    @property
    def content_encoding(self) -> str | None: ...

    @property
    def encryption(self) -> Encryption | None: ...


def require_packing(new: NewUpload) -> None:
    """Requires that the announced hash and size of the unpacked bytes are possible and can be verified.

    Raises InvalidInput.
    """
    if problems := packing_problems(new, new.file_size_bytes):
        raise InvalidInput(*problems)


def require_sizes(new: NewUpload, max_bytes: int) -> None:
    """Requires that neither the bytes nor the unpacked ones are too many. Raises SavegameFileTooLarge."""
    for name in ("file_size_bytes", "raw_size_bytes"):
        size = getattr(new, name)
        if size is not None and size > max_bytes:
            raise SavegameFileTooLarge(pointer=name, size_bytes=size, max_bytes=max_bytes)


def packing_problems(new: _Packed, size: int) -> list[Problem]:
    """Returns what is impossible, or cannot be verified, of the unpacked bytes of ``size`` bytes."""
    problems = []
    if new.raw_sha256 is not None:
        if new.content_encoding not in ENCODINGS:
            problems.append(Problem("raw_needs_encoding", pointer="content_encoding"))
        if new.encryption is not None:
            problems.append(Problem("raw_of_encrypted", pointer="raw_sha256"))
    if new.raw_size_bytes is not None:
        if new.raw_sha256 is None:
            problems.append(Problem("missing", pointer="raw_sha256"))
        elif new.content_encoding == "identity" and new.raw_size_bytes != size:
            problems.append(Problem("raw_size_of_identity", pointer="raw_size_bytes"))
        elif new.raw_size_bytes > MAX_RATIO * size:
            params = {"max": MAX_RATIO * size}
            problems.append(Problem("raw_too_large", pointer="raw_size_bytes", params=params))
    return problems
