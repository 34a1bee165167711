"""Rules for bytes that were packed before they were uploaded (contract, section 3.6). Pure."""

from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.savegames._commands import NewUpload
from gameshelf.savegames._errors import SavegameFileTooLarge
from gameshelf.savegames._limits import MAX_RATIO

ENCODINGS = ("identity", "gzip", "zstd")
"""The encodings that the service can unpack."""


def require_packing(new: NewUpload, max_bytes: int) -> None:
    """Requires that the announced hash and size of the unpacked bytes are possible and can be verified.

    Raises InvalidInput, SavegameFileTooLarge.
    """
    problems = []
    if new.raw_sha256 is not None:
        if new.content_encoding not in ENCODINGS:
            problems.append(Problem("raw_needs_encoding", pointer="content_encoding"))
        if new.encryption is not None:
            problems.append(Problem("raw_of_encrypted", pointer="raw_sha256"))
    if new.raw_size_bytes is not None:
        if new.raw_sha256 is None:
            problems.append(Problem("missing", pointer="raw_sha256"))
        elif new.raw_size_bytes > MAX_RATIO * new.file_size_bytes:
            params = {"max": MAX_RATIO * new.file_size_bytes}
            problems.append(Problem("raw_too_large", pointer="raw_size_bytes", params=params))
    if problems:
        raise InvalidInput(*problems)
    if new.raw_size_bytes is not None and new.raw_size_bytes > max_bytes:
        raise SavegameFileTooLarge(pointer="raw_size_bytes", size_bytes=new.raw_size_bytes, max_bytes=max_bytes)
