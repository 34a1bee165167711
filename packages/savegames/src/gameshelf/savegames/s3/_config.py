"""The configuration of a bucket."""

from dataclasses import dataclass, field
from enum import StrEnum


class SignedHash(StrEnum):
    """The header in which an upload has the hash of its bytes; there is none that every store verifies."""

    CHECKSUM = "checksum"
    """``x-amz-checksum-sha256``: Amazon, MinIO since 2022, versitygw."""
    PAYLOAD = "payload"
    """``x-amz-content-sha256``: MinIO, also before 2022, and JuiceFS. Other stores answer 403."""
    NONE = "none"
    """Stores that refuse both, as Backblaze B2 does, or refuse one for parts, as Cloudflare R2 does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Config:
    """A bucket of an S3 object store."""

    bucket: str
    endpoint: str | None = None
    """URL of the store, with its scheme and without a path; None: Amazon's own store of the region."""
    public_endpoint: str | None = None
    """URL by which clients reach the store, which signed URLs begin with; None: ``endpoint``."""
    region: str = "us-east-1"
    access_key_id: str | None = None
    """None: the keys of the instance's role, which are renewed before they expire."""
    secret_access_key: str | None = field(default=None, repr=False)
    server_side_encryption: str | None = None
    """``AES256`` or ``aws:kms``, required of every upload and copy; None: the bucket decides."""
    max_object_bytes: int = 52_428_800
    """Size of the largest object, for which a copy may take 1 second per 4 MiB longer than any other call."""
    max_copy_bytes: int = 5 * 1024**3
    """Size of the largest object that the store copies in one request; larger ones are copied in parts."""
    copy_part_bytes: int = 512 * 1024**2
    """Size of such a part, 5 MiB at least."""
    signed_hash: SignedHash = SignedHash.CHECKSUM
    """How a store verifies that uploaded bytes have the signed hash."""
