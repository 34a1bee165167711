"""Makes the bucket of cloud saves what the specification wants of it (14.3), as far as the store has it.

Copies in another region are the operator's: the store needs a second bucket and a role for them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError
from gameshelf.gateway.domains.savegames.s3.client import CALL_SECONDS, answered, error_code, lacks, new_client
from gameshelf.gateway.runtime.settings import Settings

_OLD_VERSION_DAYS = 30
_STAGING_DAYS = 1
_PREFLIGHT_SECONDS = 7200
_OURS = "library-saves-"

_BUCKET = "the bucket is there"
_VERSIONS = "versions of objects are kept"
_OLD_VERSIONS = f"versions that were replaced expire after {_OLD_VERSION_DAYS} days"
_MARKERS = "markers of deletions go with the last version"
_UPLOADS = f"uploads in parts that were not finished are dropped after {_STAGING_DAYS} day"
_PAGES = "pages of CORS_ALLOWED_ORIGINS may send and fetch bytes"
_NO_PAGES = "no page may send or fetch bytes"
_STAGING = f"staging/ expires after {_STAGING_DAYS} day"


class BucketUnusable(Exception):
    """The bucket can't be had; the message is one line."""


class Outcome(StrEnum):
    """What became of a feature."""

    DONE = "done"
    UNCHANGED = "was so already"
    LACKING = "the store does not have it"


@dataclass(frozen=True, slots=True)
class BucketReport:
    """What ``prepare_bucket`` did and found."""

    bucket: str
    features: Mapping[str, Outcome]
    """By what each one means, in words; the bucket itself first."""

    @property
    def lacking(self) -> Sequence[str]:
        """What the store does not have."""
        return [feature for feature, outcome in self.features.items() if outcome is Outcome.LACKING]


async def prepare_bucket(settings: Settings, bucket: str) -> BucketReport:
    """Makes the bucket if there is none, and gives it versions, rules of expiry and one for pages; what was so already
    stays.

    Rules of others are left alone. Raises StoreUnavailable, and BucketUnusable where the store refuses.
    """
    async with new_client(settings, settings.s3_url) as client, answered("prepare", 60.0):
        try:
            origins = settings.cors_allowed_origins
            return await _Preparation(client, bucket, settings.s3_region, origins).run()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise BucketUnusable(f"{bucket}: {error.operation_name} is refused: {error_code(error)}") from error
            raise


class _Preparation:
    def __init__(self, client: Any, bucket: str, region: str, origins: Sequence[str]) -> None:
        self._client = client
        self._origins = origins
        self._bucket = bucket
        self._region = region

    async def run(self) -> BucketReport:
        features = {_BUCKET: await self._make()}
        features[_VERSIONS] = await self._keep_versions()
        versioned = features[_VERSIONS] is not Outcome.LACKING
        expiry = await self._expire(_rules(versioned))
        features |= {_UPLOADS: expiry, _STAGING: expiry}
        features |= dict.fromkeys((_OLD_VERSIONS, _MARKERS), expiry if versioned else Outcome.LACKING)
        if self._origins:
            features[_PAGES] = await self._allow(cors_rule(self._origins))
        elif await self._allow_nobody():
            features[_NO_PAGES] = Outcome.DONE
        return BucketReport(self._bucket, features)

    async def _make(self) -> Outcome:
        try:
            await self._ask("head_bucket")
            return Outcome.UNCHANGED
        except ClientError as error:
            if error_code(error) not in ("404", "NoSuchBucket"):
                raise
        # Amazon wants every region named but its first.
        place = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        try:
            await self._ask("create_bucket", **(place if self._region != "us-east-1" else {}))
        except ClientError as error:
            if error_code(error) != "BucketAlreadyOwnedByYou":  # another one prepares it at this moment
                raise
        return Outcome.DONE

    async def _keep_versions(self) -> Outcome:
        try:
            if (await self._ask("get_bucket_versioning")).get("Status") == "Enabled":
                return Outcome.UNCHANGED
            await self._ask("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
        except ClientError as error:
            if lacks(error):
                return Outcome.LACKING
            raise
        return Outcome.DONE

    async def _expire(self, ours: Sequence[dict[str, Any]]) -> Outcome:
        try:
            found = await self._rules_found()
            wanted = [*_of_others(found), *ours]
            if _by_id(found) == _by_id(wanted):
                return Outcome.UNCHANGED
            # All rules are written at once.
            await self._ask("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": wanted})
        except ClientError as error:
            if lacks(error):
                return Outcome.LACKING
            raise
        return Outcome.DONE

    async def _rules_found(self) -> Sequence[dict[str, Any]]:
        try:
            rules: Sequence[dict[str, Any]] = (await self._ask("get_bucket_lifecycle_configuration"))["Rules"]
        except ClientError as error:
            if error_code(error) == "NoSuchLifecycleConfiguration":
                return []
            raise
        return rules

    async def _allow(self, ours: dict[str, Any]) -> Outcome:
        try:
            found = await self._pages_found()
            wanted = [*_of_others(found), ours]
            if found == wanted:
                return Outcome.UNCHANGED
            await self._ask("put_bucket_cors", CORSConfiguration={"CORSRules": wanted})
        except ClientError as error:
            if lacks(error):
                return Outcome.LACKING
            raise
        return Outcome.DONE

    async def _allow_nobody(self) -> bool:
        """Takes our rule back, if it is there. Who needs no rule needs no right to look for one either."""
        try:
            found = await self._pages_found()
        except ClientError:
            return False
        others = _of_others(found)
        if len(others) == len(found):
            return False
        if others:
            await self._ask("put_bucket_cors", CORSConfiguration={"CORSRules": others})
        else:
            await self._ask("delete_bucket_cors")
        return True

    async def _pages_found(self) -> Sequence[dict[str, Any]]:
        try:
            rules: Sequence[dict[str, Any]] = (await self._ask("get_bucket_cors"))["CORSRules"]
        except ClientError as error:
            if error_code(error) == "NoSuchCORSConfiguration":
                return []
            raise
        return rules

    async def _ask(self, method: str, **parameters: Any) -> Any:
        async with asyncio.timeout(CALL_SECONDS):
            return await getattr(self._client, method)(Bucket=self._bucket, **parameters)


def cors_rule(origins: Sequence[str]) -> dict[str, Any]:
    """The rule that lets pages of these origins use signed URLs; signatures decide what each of them may."""
    return {
        "ID": f"{_OURS}pages",
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256"],
        "MaxAgeSeconds": _PREFLIGHT_SECONDS,
    }


def _of_others(rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules if not rule.get("ID", "").startswith(_OURS)]


def _rules(versioned: bool) -> Sequence[dict[str, Any]]:
    everything: dict[str, Any] = {
        "ID": f"{_OURS}all",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _STAGING_DAYS},
    }
    staging: dict[str, Any] = {
        "ID": f"{_OURS}staging",
        "Status": "Enabled",
        "Filter": {"Prefix": "staging/"},
        "Expiration": {"Days": _STAGING_DAYS},
    }
    if versioned:
        everything["NoncurrentVersionExpiration"] = {"NoncurrentDays": _OLD_VERSION_DAYS}
        everything["Expiration"] = {"ExpiredObjectDeleteMarker": True}
        staging["NoncurrentVersionExpiration"] = {"NoncurrentDays": _STAGING_DAYS}
    return [everything, staging]


def _by_id(rules: Sequence[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    return {str(rule.get("ID")): rule for rule in rules}
