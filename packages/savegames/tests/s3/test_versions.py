"""Deletions in a bucket with versions, and the preparation of a bucket."""

import asyncio

import pytest
from gameshelf.savegames import StoreUnavailable
from gameshelf.savegames.s3 import BucketUnusable, FeatureState, SignedHash, prepare_bucket


@pytest.fixture
async def versioned(new_bucket, moto):
    bucket = await new_bucket(moto, signed_hash=SignedHash.NONE)
    await prepare_bucket(bucket.config)
    return bucket


async def test_a_deletion_removes_all_versions_of_just_its_keys(versioned):
    for content in (b"1", b"22", b"333"):
        for key in ("a", "a/b", "a0", "b"):
            await versioned.put(key, content)
    await versioned.client.delete_object(Bucket=versioned.name, Key="a")
    await versioned.put("a", b"again")
    await versioned.client.delete_object(Bucket=versioned.name, Key="b")
    await versioned.objects.delete(["a", "b", "absent"])
    assert await versioned.versions() == sorted(["a/b", "a0"] * 3)


async def test_a_deletion_removes_versions_from_before_a_suspension(versioned):
    await versioned.put("a", b"1")
    await versioned.client.put_bucket_versioning(Bucket=versioned.name, VersioningConfiguration={"Status": "Suspended"})
    await versioned.put("a", b"2")
    await versioned.objects.delete(["a"])
    assert await versioned.versions() == []


@pytest.mark.long
async def test_a_deletion_removes_more_versions_than_a_page_has(versioned):
    for _ in range(5):
        await asyncio.gather(*(versioned.put("a", b"1") for _ in range(50)))
    await versioned.put("a0", b"1")
    await versioned.objects.delete(["a"])
    assert await versioned.versions() == ["a0"]


async def test_a_deleted_object_is_absent_while_its_versions_are_there(versioned):
    await versioned.put("a", b"1")
    await versioned.client.delete_object(Bucket=versioned.name, Key="a")
    assert await versioned.objects.digest("a", 1) is None
    assert not await versioned.objects.copy("a", "b", {})
    assert await versioned.objects.list("") == []


PAGES = "pages of the allowed origins may send and fetch bytes"


async def test_a_bucket_is_prepared_once_with_versions_and_expiry(config_of, new_bucket, moto):
    config = config_of(moto, signed_hash=SignedHash.NONE)
    first, *others = await asyncio.gather(*(prepare_bucket(config) for _ in range(3)))
    assert first.lacking == []
    assert first.features.keys() == others[0].features.keys()
    again = await prepare_bucket(config)
    assert set(again.features.values()) == {FeatureState.UNCHANGED}
    client = (await new_bucket(moto)).client
    assert (await client.get_bucket_versioning(Bucket=config.bucket))["Status"] == "Enabled"
    rules = (await client.get_bucket_lifecycle_configuration(Bucket=config.bucket))["Rules"]
    everything, incoming, staging = sorted(rules, key=lambda rule: rule["Filter"]["Prefix"])
    assert everything["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert everything["Expiration"] == {"ExpiredObjectDeleteMarker": True}
    assert everything["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert staging["Filter"] == {"Prefix": "staging/"}
    assert staging["Expiration"] == {"Days": 1}
    assert incoming["Filter"] == {"Prefix": "incoming/"}
    assert incoming["Expiration"] == {"Days": 7}
    assert incoming["NoncurrentVersionExpiration"] == staging["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert {rule["Status"] for rule in rules} == {"Enabled"}


async def test_own_rules_are_restored_and_other_rules_are_kept(versioned):
    name = versioned.name
    found = (await versioned.client.get_bucket_lifecycle_configuration(Bucket=name))["Rules"]
    other = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}
    await versioned.client.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": [other, {**found[0], "Status": "Disabled"}]}
    )
    report = await prepare_bucket(versioned.config)
    assert set(report.features.values()) == {FeatureState.DONE, FeatureState.UNCHANGED}
    rules = (await versioned.client.get_bucket_lifecycle_configuration(Bucket=name))["Rules"]
    assert sorted(rules, key=lambda rule: rule["ID"]) == sorted([*found, other], key=lambda rule: rule["ID"])


async def test_pages_of_the_given_origins_may_use_signed_urls(config_of, new_bucket, moto):
    config, origins = config_of(moto), ("https://shop.example", "tauri://localhost")
    name, client = config.bucket, (await new_bucket(moto)).client
    assert (await prepare_bucket(config, origins)).features[PAGES] is FeatureState.DONE
    assert (await prepare_bucket(config, origins)).features[PAGES] is FeatureState.UNCHANGED
    [rule] = (await client.get_bucket_cors(Bucket=name))["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://shop.example", "tauri://localhost"]
    assert rule["AllowedMethods"] == ["GET", "HEAD", "PUT"]
    other = {"ID": "site", "AllowedOrigins": ["https://site.example"], "AllowedMethods": ["GET"]}
    await client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule, other]})
    assert (await prepare_bucket(config, ["https://other.example"])).features[PAGES] is FeatureState.DONE
    kept = {one["ID"]: one["AllowedOrigins"] for one in (await client.get_bucket_cors(Bucket=name))["CORSRules"]}
    assert kept == {"site": ["https://site.example"], rule["ID"]: ["https://other.example"]}
    for expected in ({"no page may send or fetch bytes": FeatureState.DONE}, {}):
        features = (await prepare_bucket(config)).features
        assert {text: state for text, state in features.items() if "page" in text} == expected
    assert [one["ID"] for one in (await client.get_bucket_cors(Bucket=name))["CORSRules"]] == ["site"]


async def test_a_store_without_cors_rules_is_reported(config_of, s3):
    report = await prepare_bucket(config_of(s3), ["https://shop.example"])
    assert PAGES in report.lacking


async def test_a_store_without_versions_is_reported_and_has_a_bucket(config_of, s3):
    config = config_of(s3)
    for made in (FeatureState.DONE, FeatureState.UNCHANGED):
        report = await prepare_bucket(config)
        bucket, *rest = report.features.items()
        assert bucket[1] is made
        assert report.lacking == [feature for feature, _ in rest]
        assert len(rest) == 7


async def test_a_refused_bucket_differs_from_an_unreachable_store(config_of, s3):
    config = config_of(s3, secret_access_key="wrong")
    with pytest.raises(BucketUnusable, match=config.bucket):
        await prepare_bucket(config)
    with pytest.raises(StoreUnavailable):
        await prepare_bucket(config_of(s3, endpoint="http://127.0.0.1:1"))


HASHES = "bytes with another hash than the signed one are refused"


async def test_a_store_that_verifies_the_signed_hash_is_recognised(new_bucket, s3, moto):
    for server, signed_hash, expected in (
        (s3, SignedHash.PAYLOAD, FeatureState.UNCHANGED),
        (s3, SignedHash.CHECKSUM, FeatureState.LACKING),
        (moto, SignedHash.CHECKSUM, FeatureState.LACKING),
        (moto, SignedHash.NONE, None),
    ):
        bucket = await new_bucket(server, signed_hash=signed_hash, public_endpoint="http://127.0.0.1:1")
        assert (await prepare_bucket(bucket.config)).features.get(HASHES) is expected
        assert await bucket.objects.list("") == []


@pytest.mark.long
async def test_a_header_that_the_store_refuses_is_named(new_bucket, versity):
    bucket = await new_bucket(versity, signed_hash=SignedHash.CHECKSUM)
    assert (await prepare_bucket(bucket.config)).features[HASHES] is FeatureState.UNCHANGED
    bucket = await new_bucket(versity, signed_hash=SignedHash.PAYLOAD)
    with pytest.raises(BucketUnusable, match="signed hash payload are refused: SignatureDoesNotMatch"):
        await prepare_bucket(bucket.config)
