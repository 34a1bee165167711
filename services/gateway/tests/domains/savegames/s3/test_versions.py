"""A bucket that keeps versions: deleting means all of them. And how a bucket is made."""

import asyncio
import os
from uuid import uuid4

import pytest
from gameshelf.devstack.forked import ForkedService
from gameshelf.gateway.domains.savegames.s3.bucket import BucketUnusable, Outcome, prepare_bucket
from gameshelf.savegames import StoreUnavailable


@pytest.fixture
async def versioned(new_bucket, moto):
    bucket = await new_bucket(moto)
    await prepare_bucket(bucket.settings, bucket.name)
    return bucket


async def test_deleting_removes_every_version_and_marker_and_no_neighbour(versioned):
    for content in (b"1", b"22", b"333"):
        for key in ("a", "a/b", "a0", "b"):
            await versioned.put(key, content)
    await versioned.client.delete_object(Bucket=versioned.name, Key="a")
    await versioned.put("a", b"again")
    await versioned.client.delete_object(Bucket=versioned.name, Key="b")
    await versioned.objects.delete(["a", "b", "absent"])
    assert await versioned.versions() == sorted(["a/b", "a0"] * 3)


async def test_versions_from_before_they_were_suspended_go_too(versioned):
    await versioned.put("a", b"1")
    await versioned.client.put_bucket_versioning(Bucket=versioned.name, VersioningConfiguration={"Status": "Suspended"})
    await versioned.put("a", b"2")
    await versioned.objects.delete(["a"])
    assert await versioned.versions() == []


async def test_more_versions_than_a_page_has_go_too(versioned):
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


async def test_a_bucket_is_made_with_versions_and_expiry_and_a_second_time_nothing_changes(
    settings_of, new_bucket, moto
):
    settings = settings_of(moto)
    first, *others = await asyncio.gather(*(prepare_bucket(settings, settings.s3_bucket) for _ in range(3)))
    assert first.lacking == []
    assert first.features.keys() == others[0].features.keys()
    again = await prepare_bucket(settings, settings.s3_bucket)
    assert set(again.features.values()) == {Outcome.UNCHANGED}
    client = (await new_bucket(moto)).client
    assert (await client.get_bucket_versioning(Bucket=settings.s3_bucket))["Status"] == "Enabled"
    rules = (await client.get_bucket_lifecycle_configuration(Bucket=settings.s3_bucket))["Rules"]
    everything, staging = sorted(rules, key=lambda rule: rule["Filter"]["Prefix"])
    assert everything["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert everything["Expiration"] == {"ExpiredObjectDeleteMarker": True}
    assert everything["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert staging["Filter"] == {"Prefix": "staging/"}
    assert staging["Expiration"] == {"Days": 1}
    assert {rule["Status"] for rule in rules} == {"Enabled"}


async def test_rules_of_others_stay_and_what_was_changed_of_ours_is_mended(versioned):
    name = versioned.name
    found = (await versioned.client.get_bucket_lifecycle_configuration(Bucket=name))["Rules"]
    other = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}
    await versioned.client.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": [other, {**found[0], "Status": "Disabled"}]}
    )
    report = await prepare_bucket(versioned.settings, name)
    assert set(report.features.values()) == {Outcome.DONE, Outcome.UNCHANGED}
    rules = (await versioned.client.get_bucket_lifecycle_configuration(Bucket=name))["Rules"]
    assert sorted(rules, key=lambda rule: rule["ID"]) == sorted([*found, other], key=lambda rule: rule["ID"])


async def test_pages_of_the_allowed_origins_may_use_signed_urls_and_rules_of_others_stay(settings_of, new_bucket, moto):
    settings = settings_of(moto, CORS_ALLOWED_ORIGINS="https://Shop.example,tauri://localhost")
    name, client = settings.s3_bucket, (await new_bucket(moto)).client
    pages = "pages of CORS_ALLOWED_ORIGINS may send and fetch bytes"
    assert (await prepare_bucket(settings, name)).features[pages] is Outcome.DONE
    assert (await prepare_bucket(settings, name)).features[pages] is Outcome.UNCHANGED
    [rule] = (await client.get_bucket_cors(Bucket=name))["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://shop.example", "tauri://localhost"]
    assert rule["AllowedMethods"] == ["GET", "HEAD", "PUT"]
    other = {"ID": "site", "AllowedOrigins": ["https://site.example"], "AllowedMethods": ["GET"]}
    await client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule, other]})
    more = settings_of(moto, CORS_ALLOWED_ORIGINS="https://other.example")
    assert (await prepare_bucket(more, name)).features[pages] is Outcome.DONE
    kept = {one["ID"]: one["AllowedOrigins"] for one in (await client.get_bucket_cors(Bucket=name))["CORSRules"]}
    assert kept == {"site": ["https://site.example"], rule["ID"]: ["https://other.example"]}
    for expected in ({"no page may send or fetch bytes": Outcome.DONE}, {}):
        told = (await prepare_bucket(settings_of(moto), name)).features
        assert {text: outcome for text, outcome in told.items() if "page" in text} == expected
    assert [one["ID"] for one in (await client.get_bucket_cors(Bucket=name))["CORSRules"]] == ["site"]


async def test_a_store_that_has_no_rules_for_pages_says_so(settings_of, s3):
    settings = settings_of(s3, CORS_ALLOWED_ORIGINS="https://shop.example")
    report = await prepare_bucket(settings, settings.s3_bucket)
    assert "pages of CORS_ALLOWED_ORIGINS may send and fetch bytes" in report.lacking


async def test_a_store_without_versions_says_so_and_has_a_bucket(settings_of, s3):
    settings = settings_of(s3)
    for made in (Outcome.DONE, Outcome.UNCHANGED):
        report = await prepare_bucket(settings, settings.s3_bucket)
        bucket, *rest = report.features.items()
        assert bucket[1] is made
        assert report.lacking == [feature for feature, _ in rest]
        assert len(rest) == 5


async def test_a_bucket_that_is_refused_is_told_from_a_store_that_is_away(settings_of, s3):
    settings = settings_of(s3, S3_SECRET_ACCESS_KEY="wrong")
    with pytest.raises(BucketUnusable, match=settings.s3_bucket):
        await prepare_bucket(settings, settings.s3_bucket)
    settings = settings_of(s3, S3_ENDPOINT="http://127.0.0.1:1")
    with pytest.raises(StoreUnavailable):
        await prepare_bucket(settings, settings.s3_bucket)


@pytest.fixture
def prepare(tmp_path):
    """Runs the command: its exit code, what it says, and its complaints."""

    def of(environment):
        log = tmp_path / f"{uuid4()}.log"
        command = ForkedService("prepare-bucket", log, {**os.environ, **environment})
        assert command.wait(60)
        lines = log.read_text().splitlines()
        wrong = [line for line in lines if line.startswith("gameshelf-gateway: ")]
        return command.returncode, [line for line in lines if line not in wrong], wrong

    return of


def test_the_command_says_a_line_a_feature_or_one_what_is_wrong(environment_of, prepare, s3):
    code, said, wrong = prepare(environment_of(s3, "prepared"))
    assert (code, len(said), wrong) == (0, 6, [])
    assert said[0] == "prepared: the bucket is there: done"
    assert all(line.startswith("prepared: ") and line.endswith(": the store does not have it") for line in said[1:])
    for changed in ({"S3_SECRET_ACCESS_KEY": "wrong"}, dict.fromkeys(s3.settings(), "")):
        code, said, wrong = prepare(environment_of(s3, "prepared", **changed))
        assert (code, said, len(wrong)) == (1, [], 1)
        assert ("prepared" if len(changed) == 1 else "S3_BUCKET_SAVEGAMES") in wrong[0]
