"""The settings of cloud saves and of their object store."""

from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from gameshelf.gateway.runtime.setting_fields import SettingsSection, is_web, var
from gameshelf.savegames import Limits
from pydantic import AfterValidator, Field, SecretStr, model_validator

_ROLE_URL_SECONDS = 600
"""botocore renews the keys of a role ten minutes before they expire."""


def _store(value: str) -> str:
    address, bare = value.removesuffix("/"), value if "://" in value else f"http://{value}"
    # A signature covers the path, so a path that a proxy adds or removes would break every signed URL.
    if not is_web(bare) or "@" in bare or urlsplit(bare).netloc != address.rpartition("://")[2]:
        raise ValueError("host:port is expected, or an address with http:// or https:// and without a path")
    return address


Store = Annotated[str, AfterValidator(_store)]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class SavegameSection(SettingsSection):
    """The settings of cloud saves and of their object store."""

    s3_endpoint: Store | None = var(
        "S3_ENDPOINT", "Address of the object store; none, with a bucket: Amazon's own of S3_REGION", None
    )
    s3_public_endpoint: Store | None = var(
        "S3_PUBLIC_ENDPOINT", "Its address for clients, in presigned URLs; none: S3_ENDPOINT", None
    )
    s3_access_key_id: str | None = var(
        "S3_ACCESS_KEY_ID", "Access key of the service for the object store; none: the instance's role", None
    )
    s3_secret_access_key: SecretStr | None = var("S3_SECRET_ACCESS_KEY", "Its secret key", None)
    s3_bucket: BucketName | None = var(
        "S3_BUCKET_SAVEGAMES", "Bucket of cloud saves; none: there are no cloud saves", None
    )
    s3_region: Annotated[str, Field(pattern=r"^[\w-]+$")] = var("S3_REGION", "Region in signatures", "us-east-1")
    s3_use_ssl: bool = var(
        "S3_USE_SSL", "Whether TLS is used where an address of the object store has no http:// or https://", True
    )
    s3_url_ttl_seconds: Annotated[int, Field(ge=1, le=43_200)] = var(
        "S3_PRESIGNED_URL_TTL_SECONDS", "How long a client may begin an upload or a download", 300
    )
    s3_server_side_encryption: Literal["none", "AES256", "aws:kms"] = var(
        "S3_SERVER_SIDE_ENCRYPTION", "Encryption that the store is asked for: none, AES256 or aws:kms", "none"
    )
    s3_signed_hash: Literal["checksum", "payload", "none"] = var(
        "S3_SIGNED_HASH",
        "Header of a signed hash: checksum (x-amz-checksum-sha256), payload (x-amz-content-sha256) or none",
        "checksum",
    )
    s3_delete_grace_days: Annotated[int, Field(ge=0, le=3650)] = var(
        "S3_DELETE_GRACE_DAYS", "How long bytes are kept after the last save that uses them", 30
    )

    savegame_max_bytes: Annotated[int, Field(ge=1, le=5 * 1024**3)] = var(
        "MAX_SAVEGAME_SIZE_BYTES", "Size limit of a file of a save", 52_428_800
    )
    savegame_max_set_bytes: Annotated[int, Field(ge=1, le=1024**5)] = var(
        "MAX_SAVEGAME_SET_BYTES", "Size limit of a set of files", 1_073_741_824
    )
    savegame_quota_bytes: Annotated[int, Field(ge=1)] = var(
        "USER_SAVEGAME_QUOTA_BYTES", "Quota of a user", 1_073_741_824
    )
    savegame_product_quota_bytes: Annotated[int, Field(ge=0)] = var(
        "PRODUCT_SAVEGAME_QUOTA_BYTES", "Quota of a user for one product; 0: no limit", 0
    )
    savegame_daily_bytes: Annotated[int, Field(ge=1)] = var(
        "USER_SAVEGAME_DAILY_BYTES", "How many bytes upload URLs are signed for, per user and day (UTC)", 10_737_418_240
    )
    savegame_max_versions: Annotated[int, Field(ge=2, le=1000)] = var(
        "SAVEGAME_MAX_VERSIONS", "How many versions a slot keeps, besides one per day for the last 3 days", 10
    )
    savegame_trash_days: Annotated[int, Field(ge=0, le=3650)] = var(
        "SAVEGAME_TRASH_DAYS", "How long a deleted save can be restored", 30
    )

    @property
    def limits(self) -> Limits:
        """Limits of space and of retention."""
        return Limits(
            max_bytes=self.savegame_max_bytes,
            max_set_bytes=self.savegame_max_set_bytes,
            quota_bytes=self.savegame_quota_bytes,
            product_quota_bytes=self.savegame_product_quota_bytes,
            daily_bytes=self.savegame_daily_bytes,
            max_versions=self.savegame_max_versions,
            url_lives=timedelta(seconds=self.s3_url_ttl_seconds),
            trash_for=timedelta(days=self.savegame_trash_days),
            delete_grace=timedelta(days=self.s3_delete_grace_days),
        )

    @property
    def s3_url(self) -> str | None:
        """The object store's address with its scheme; None for Amazon's, or without a store."""
        return self._with_scheme(self.s3_endpoint)

    @property
    def s3_public_url(self) -> str | None:
        """The object store's address for clients."""
        return self._with_scheme(self.s3_public_endpoint) or self.s3_url

    def _with_scheme(self, address: str | None) -> str | None:
        if address is None or "://" in address:
            return address
        return f"{'https' if self.s3_use_ssl else 'http'}://{address}"

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.savegame_max_set_bytes < self.savegame_max_bytes:
            raise ValueError(
                f"MAX_SAVEGAME_SET_BYTES: at least MAX_SAVEGAME_SIZE_BYTES, which is {self.savegame_max_bytes}"
            )
        return self

    @model_validator(mode="after")
    def _check_store(self) -> Self:
        keys = {"S3_ACCESS_KEY_ID": self.s3_access_key_id, "S3_SECRET_ACCESS_KEY": self.s3_secret_access_key}
        if not self.s3_bucket and (self.s3_endpoint or self.s3_public_endpoint or any(keys.values())):
            raise ValueError("S3_BUCKET_SAVEGAMES: needed by cloud saves, with the other S3_ variables that are set")
        for name, value in keys.items():
            if not value and any(keys.values()):
                raise ValueError(
                    f"{name}: needed together with the other key; without both the instance's role is used"
                )
        if self.s3_bucket and not any(keys.values()) and self.s3_url_ttl_seconds > _ROLE_URL_SECONDS:
            raise ValueError(
                f"S3_PRESIGNED_URL_TTL_SECONDS: at most {_ROLE_URL_SECONDS} without S3_ACCESS_KEY_ID, since a URL ends"
                " with the keys that signed it, and those of an instance's role change"
            )
        return self
