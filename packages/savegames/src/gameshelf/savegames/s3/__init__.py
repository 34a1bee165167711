"""An S3 bucket as the object store of cloud saves. Needs the extra: ``pip install gameshelf-savegames[s3]``.

Importing this takes half a second and 45 MB, so import it only where there is a bucket.
"""

from gameshelf.savegames.s3._bucket import BucketReport, BucketUnusable, FeatureState, cors_rule, prepare_bucket
from gameshelf.savegames.s3._client import new_client
from gameshelf.savegames.s3._config import S3Config, SignedHash
from gameshelf.savegames.s3._store import S3ObjectStore

__all__ = [
    "BucketReport",
    "BucketUnusable",
    "FeatureState",
    "S3Config",
    "S3ObjectStore",
    "SignedHash",
    "cors_rule",
    "new_client",
    "prepare_bucket",
]
