"""The configuration of a bucket."""

from dataclasses import dataclass, field


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
