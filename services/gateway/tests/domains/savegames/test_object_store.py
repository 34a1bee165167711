"""The service with an object store, without one, and with an unreachable one; and the command prepare-bucket."""

import os
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.forked import ForkedService
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames.object_store import object_store, s3_config
from gameshelf.gateway.runtime.errors import ServiceUnavailable
from gameshelf.gateway.runtime.failures import as_domain_error, is_passing
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.savegames import StoreUnavailable
from gameshelf.savegames.s3 import SignedHash

JOBS = {
    "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
    "ERASURE_HASH_KEY": "0" * 32,
    "LIBRARY_SERVICE_ROLES": "jobs",
}
AMAZON = {
    **JOBS,
    "S3_ACCESS_KEY_ID": "library",
    "S3_SECRET_ACCESS_KEY": "hunter2hunter2",
    "S3_BUCKET_SAVEGAMES": "saves",
    "S3_REGION": "eu-central-1",
}


def config_of(**changed):
    return s3_config(load_settings({**AMAZON, **changed}))


def test_without_a_bucket_there_is_no_store():
    assert s3_config(load_settings(JOBS)) is None
    assert object_store(load_settings(JOBS)) is None


def test_the_config_is_that_of_the_settings():
    config = config_of(MAX_SAVEGAME_SIZE_BYTES="5000")
    assert (config.bucket, config.region, config.max_object_bytes) == ("saves", "eu-central-1", 5000)
    assert (config.access_key_id, config.secret_access_key) == ("library", "hunter2hunter2")
    assert (config.endpoint, config.public_endpoint, config.server_side_encryption) == (None, None, None)
    changed = config_of(
        S3_ENDPOINT="10.0.0.1:9000", S3_PUBLIC_ENDPOINT="http://saves.example", S3_SERVER_SIDE_ENCRYPTION="aws:kms"
    )
    assert (changed.endpoint, changed.public_endpoint) == ("https://10.0.0.1:9000", "http://saves.example")
    assert changed.server_side_encryption == "aws:kms"
    assert config.signed_hash is SignedHash.CHECKSUM
    assert config_of(S3_SIGNED_HASH="payload").signed_hash is SignedHash.PAYLOAD


def test_without_keys_those_of_the_role_are_used():
    config = config_of(S3_ACCESS_KEY_ID="", S3_SECRET_ACCESS_KEY="")
    assert (config.access_key_id, config.secret_access_key) == (None, None)


async def test_a_failure_is_counted_and_answers_503_with_the_dependency(own_s3):
    metrics = Metrics()
    objects = object_store(load_settings({**JOBS, **own_s3.settings()}), metrics)
    await objects.open()
    own_s3.kill()
    with pytest.raises(StoreUnavailable) as failed:
        await objects.list("")
    await objects.close()
    assert metrics.registry.get_sample_value("dependency_errors_total", {"dependency": "s3"}) == 1
    assert is_passing(failed.value)
    error = as_domain_error(failed.value)
    assert isinstance(error, ServiceUnavailable)
    assert error.meta == {"dependency": "s3"}


@pytest.fixture
def platform_of(create_platform):
    """Makes platforms that end with the test."""
    made = []

    def of(**options):
        made.append(create_platform(**options))
        return made[-1]

    yield of
    for platform in made:
        platform.close()


def state_of(service):
    """The status of readiness, and the state of each dependency."""
    service.start()
    answer = httpx.get(service.url + "/health/ready")
    assert service.stop() == 0
    return answer.status_code, answer.json()["dependencies"]


@pytest.mark.long
def test_the_service_is_ready_without_its_store_and_with_none(platform_of, own_s3):
    with_store, without = platform_of(s3=own_s3), platform_of()
    status, there = state_of(with_store.service())
    assert status == 200
    assert there["s3"] == "ok"
    own_s3.kill()
    status, away = state_of(with_store.service())
    assert status == 200
    assert away == {**there, "s3": "degraded"}
    status, none = state_of(without.service())
    assert status == 200
    assert none == {name: state for name, state in there.items() if name != "s3"}


def test_each_platform_has_its_own_bucket(platform_of, s3):
    buckets = [platform_of(s3=s3).service().environment["S3_BUCKET_SAVEGAMES"] for _ in range(2)]
    assert buckets[0] != buckets[1]


@pytest.fixture
def prepare(tmp_path):
    """Runs the command; its exit code, its output, and its error messages."""

    def run(environment):
        log = tmp_path / f"{uuid4()}.log"
        command = ForkedService("prepare-bucket", log, {**os.environ, **JOBS, **environment})
        assert command.wait(PATIENCE_SECONDS)
        lines = log.read_text().splitlines()
        wrong = [line for line in lines if line.startswith("gameshelf-gateway: ")]
        return command.returncode, [line for line in lines if line not in wrong], wrong

    return run


def test_the_command_prints_a_line_per_feature_or_one_error(prepare, s3):
    code, lines, wrong = prepare(s3.settings("prepared"))
    assert (code, len(lines), wrong) == (0, 8, [])
    assert lines[0] == "prepared: the bucket is there: done"
    *lacking, hashes = lines[1:]
    assert all(line.startswith("prepared: ") and line.endswith(": the store does not have it") for line in lacking)
    assert hashes == "prepared: bytes with another hash than the signed one are refused: was so already"
    for changed in ({"S3_SECRET_ACCESS_KEY": "wrong"}, dict.fromkeys(s3.settings(), "")):
        code, lines, wrong = prepare({**s3.settings("prepared"), **changed})
        assert (code, lines, len(wrong)) == (1, [], 1)
        assert ("prepared" if len(changed) == 1 else "S3_BUCKET_SAVEGAMES") in wrong[0]
