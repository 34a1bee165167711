"""Configures the bucket of cloud saves: versions, expiry and CORS, as far as the store supports them.

The operator configures replication to another region, which needs a second bucket and a role.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError
from gameshelf.savegames.s3._client import (
    CALL_SECONDS,
    error_code,
    failures_as_unavailable,
    is_unsupported,
    new_client,
)
from gameshelf.savegames.s3._config import S3Config, SignedHash
from gameshelf.savegames.s3._probe import SignedHashRefused, verifies_signed_hash

_OLD_VERSION_DAYS = 30
_STAGING_DAYS = 1
_INCOMING_DAYS = 7
"""The client sends the files of a set over several sittings."""
_PREFLIGHT_SECONDS = 7200
_OWN_RULES = "library-saves-"
"""The prefix of the ids of our rules. Rules with other ids are not changed."""

_BUCKET = "the bucket is there"
_VERSIONS = "versions of objects are kept"
_OLD_VERSIONS = f"versions that were replaced expire after {_OLD_VERSION_DAYS} days"
_MARKERS = "markers of deletions go with the last version"
_UPLOADS = f"uploads in parts that were not finished are dropped after {_INCOMING_DAYS} days"
_PAGES = "pages of the allowed origins may send and fetch bytes"
_NO_PAGES = "no page may send or fetch bytes"
_STAGING = f"staging/ expires after {_STAGING_DAYS} day"
_HASHES = "bytes with another hash than the signed one are refused"
_INCOMING = f"incoming/ expires after {_INCOMING_DAYS} days"


@dataclass(frozen=True, slots=True)
class _RuleKind:
    """How S3 returns rules of a kind: the request, the field of its response, and the error if there are none."""

    request: str
    field: str
    absent: str


_EXPIRY = _RuleKind("get_bucket_lifecycle_configuration", "Rules", "NoSuchLifecycleConfiguration")
_CORS = _RuleKind("get_bucket_cors", "CORSRules", "NoSuchCORSConfiguration")


class BucketUnusable(Exception):
    """The store refuses to create or to configure the bucket. The message is one line."""


class FeatureState(StrEnum):
    """The result of ``prepare_bucket`` for a feature."""

    DONE = "done"
    UNCHANGED = "was so already"
    LACKING = "the store does not have it"


@dataclass(frozen=True, slots=True)
class BucketReport:
    """The result of ``prepare_bucket``."""

    bucket: str
    features: Mapping[str, FeatureState]
    """The keys are descriptions; the first one is that of the bucket itself."""

    @property
    def lacking(self) -> Sequence[str]:
        """The features that the store does not have."""
        return [feature for feature, outcome in self.features.items() if outcome is FeatureState.LACKING]


async def prepare_bucket(config: S3Config, origins: Sequence[str] = ()) -> BucketReport:
    """Creates the bucket unless it exists, and configures versions, expiry, and CORS for pages of these origins.

    Two uploads of five bytes to ``staging/`` show whether the store verifies signed hashes, if the config has any.

    The call may be repeated: it changes only what differs, and no other rules of the bucket. Raises StoreUnavailable,
    and BucketUnusable where the store refuses.
    """
    async with new_client(config) as client, failures_as_unavailable("prepare", 60.0):
        try:
            report = await _Preparation(client, config, origins).run()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                reason = f"{error.operation_name} is refused: {error_code(error)}"
                raise BucketUnusable(f"{config.bucket}: {reason}") from error
            raise
    return report if config.signed_hash is SignedHash.NONE else await _with_hashes(config, report)


async def _with_hashes(config: S3Config, report: BucketReport) -> BucketReport:
    try:
        is_verified = await verifies_signed_hash(config)
    except SignedHashRefused as error:
        reason = f"uploads with the signed hash {config.signed_hash!s} are refused: {error}"
        raise BucketUnusable(f"{config.bucket}: {reason}") from error
    if is_verified is None:
        return report
    found = FeatureState.UNCHANGED if is_verified else FeatureState.LACKING
    return BucketReport(report.bucket, {**report.features, _HASHES: found})


class _Preparation:
    def __init__(self, client: Any, config: S3Config, origins: Sequence[str]) -> None:
        self._client = client
        self._origins = origins
        self._bucket = config.bucket
        self._region = config.region

    async def run(self) -> BucketReport:
        features = {_BUCKET: await self._create()}
        features[_VERSIONS] = await self._enable_versions()
        versioned = features[_VERSIONS] is not FeatureState.LACKING
        expiry = await self._set_expiry(_own_expiry_rules(versioned))
        features |= {_UPLOADS: expiry, _STAGING: expiry, _INCOMING: expiry}
        features |= dict.fromkeys((_OLD_VERSIONS, _MARKERS), expiry if versioned else FeatureState.LACKING)
        if self._origins:
            features[_PAGES] = await self._set_cors_rule(cors_rule(self._origins))
        elif await self._remove_cors_rule():
            features[_NO_PAGES] = FeatureState.DONE
        return BucketReport(self._bucket, features)

    async def _create(self) -> FeatureState:
        try:
            await self._request("head_bucket")
            return FeatureState.UNCHANGED
        except ClientError as error:
            if error_code(error) not in ("404", "NoSuchBucket"):
                raise
        # Amazon requires the region here, except for its first one.
        place = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        try:
            await self._request("create_bucket", **(place if self._region != "us-east-1" else {}))
        except ClientError as error:
            if error_code(error) != "BucketAlreadyOwnedByYou":  # another process has just created it
                raise
        return FeatureState.DONE

    async def _enable_versions(self) -> FeatureState:
        try:
            if (await self._request("get_bucket_versioning")).get("Status") == "Enabled":
                return FeatureState.UNCHANGED
            await self._request("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
        except ClientError as error:
            if is_unsupported(error):
                return FeatureState.LACKING
            raise
        return FeatureState.DONE

    async def _set_expiry(self, ours: Sequence[dict[str, Any]]) -> FeatureState:
        try:
            found = await self._rules(_EXPIRY)
            rules = [*_other_rules(found), *ours]
            if _by_id(found) == _by_id(rules):
                return FeatureState.UNCHANGED
            # One request replaces all rules of the bucket.
            await self._request("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": rules})
        except ClientError as error:
            if is_unsupported(error):
                return FeatureState.LACKING
            raise
        return FeatureState.DONE

    async def _set_cors_rule(self, ours: dict[str, Any]) -> FeatureState:
        try:
            found = await self._rules(_CORS)
            rules = [*_other_rules(found), ours]
            if found == rules:
                return FeatureState.UNCHANGED
            await self._request("put_bucket_cors", CORSConfiguration={"CORSRules": rules})
        except ClientError as error:
            if is_unsupported(error):
                return FeatureState.LACKING
            raise
        return FeatureState.DONE

    async def _remove_cors_rule(self) -> bool:
        """Removes our rule, if there is one. A service without origins may lack the permission to read the rules."""
        try:
            found = await self._rules(_CORS)
        except ClientError:
            return False
        others = _other_rules(found)
        if len(others) == len(found):
            return False
        if others:
            await self._request("put_bucket_cors", CORSConfiguration={"CORSRules": others})
        else:
            await self._request("delete_bucket_cors")
        return True

    async def _rules(self, kind: _RuleKind) -> Sequence[dict[str, Any]]:
        """Returns the bucket's rules of a kind; S3 reports an error where there are none."""
        try:
            rules: Sequence[dict[str, Any]] = (await self._request(kind.request))[kind.field]
        except ClientError as error:
            if error_code(error) == kind.absent:
                return []
            raise
        return rules

    async def _request(self, method: str, **parameters: Any) -> Any:
        async with asyncio.timeout(CALL_SECONDS):
            return await getattr(self._client, method)(Bucket=self._bucket, **parameters)


def cors_rule(origins: Sequence[str]) -> dict[str, Any]:
    """Returns the CORS rule that lets pages of these origins use signed URLs, whose signatures decide the rest."""
    return {
        "ID": f"{_OWN_RULES}pages",
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256"],
        "MaxAgeSeconds": _PREFLIGHT_SECONDS,
    }


def _other_rules(rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules if not rule.get("ID", "").startswith(_OWN_RULES)]


def _own_expiry_rules(versioned: bool) -> Sequence[dict[str, Any]]:
    everything: dict[str, Any] = {
        "ID": f"{_OWN_RULES}all",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _INCOMING_DAYS},
    }
    received = [_expiry_rule("staging", _STAGING_DAYS), _expiry_rule("incoming", _INCOMING_DAYS)]
    if versioned:
        everything["NoncurrentVersionExpiration"] = {"NoncurrentDays": _OLD_VERSION_DAYS}
        everything["Expiration"] = {"ExpiredObjectDeleteMarker": True}
        for rule in received:
            rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": _STAGING_DAYS}
    return [everything, *received]


def _expiry_rule(folder: str, days: int) -> dict[str, Any]:
    return {
        "ID": f"{_OWN_RULES}{folder}",
        "Status": "Enabled",
        "Filter": {"Prefix": f"{folder}/"},
        "Expiration": {"Days": days},
    }


def _by_id(rules: Sequence[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    return {str(rule.get("ID")): rule for rule in rules}
