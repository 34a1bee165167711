"""The S3 bucket of the service's settings. Import it only where there is one: the client takes 45 MB."""

from gameshelf.gateway.domains.savegames.settings import SavegameSection
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.savegames.s3 import S3Config, S3ObjectStore, SignedHash


def s3_config(settings: Settings) -> S3Config | None:
    """Returns the configuration of the bucket; None if the settings have none."""
    section = settings.of(SavegameSection)
    if section.s3_bucket is None:
        return None
    secret, encryption = section.s3_secret_access_key, section.s3_server_side_encryption
    return S3Config(
        bucket=section.s3_bucket,
        endpoint=section.s3_url,
        public_endpoint=section.s3_public_url,
        region=section.s3_region,
        access_key_id=section.s3_access_key_id,
        secret_access_key=secret.get_secret_value() if secret else None,
        server_side_encryption=None if encryption == "none" else encryption,
        max_object_bytes=section.savegame_max_bytes,
        signed_hash=SignedHash(section.s3_signed_hash),
    )


def object_store(
    settings: Settings, metrics: Metrics | None = None, tracing: Tracing | None = None
) -> S3ObjectStore | None:
    """Makes the object store of the settings, not yet opened, with traces and metrics; None without a bucket."""
    config = s3_config(settings)
    if config is None:
        return None
    metrics, tracing = metrics or Metrics(), tracing or Tracing()
    return S3ObjectStore(
        config,
        span=lambda operation: tracing.child(
            "s3", **{"rpc.system": "aws-api", "rpc.service": "S3", "rpc.method": operation}
        ),
        on_failure=lambda error: metrics.dependency_errors.labels("s3").inc(),
    )
