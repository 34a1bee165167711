"""The service runs with an object store, without one, and with one that is away."""

import httpx
import pytest


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
    """What readiness says: its status, and how each part is."""
    service.start()
    answer = httpx.get(service.url + "/health/ready")
    assert service.stop() == 0
    return answer.status_code, answer.json()["dependencies"]


def test_a_store_is_a_part_of_the_service_that_may_be_away_and_may_be_left_out(platform_of, own_s3):
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


def test_each_platform_has_a_bucket_of_its_own(platform_of, s3):
    buckets = [platform_of(s3=s3).service().environment["S3_BUCKET_SAVEGAMES"] for _ in range(2)]
    assert buckets[0] != buckets[1]
