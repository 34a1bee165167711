"""Refused reports are kept for support: within their limits, from whatever they came, and later if not now."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import grpc.aio
import pytest
from gameshelf.achievements import (
    MAX_REFUSED,
    AchievementAlreadyUnlocked,
    AchievementNotFound,
    ImportedAchievement,
    NamedAchievement,
    OfflineAchievement,
    attempt_subject,
    refused_attempts,
)
from gameshelf.gateway.domains.achievements import refused
from gameshelf.gateway.domains.achievements.metrics import AchievementMetrics
from gameshelf.gateway.domains.achievements.refused import RefusedReports
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import AchievementServiceStub

DENIED = PermissionDenied(reason="not_owned")


@pytest.fixture
def gateway(measured):
    return measured.gateway


@pytest.fixture
def reports(gateway):
    return RefusedReports(gateway.transactions, gateway.metrics)


@pytest.fixture
def kept(gateway):
    async def kept(user_id, *of):
        async with gateway.acquire() as connection:
            return await refused_attempts(connection, user_id, [attempt_subject(one) for one in of])

    return kept


def dropped(gateway):
    return gateway.metrics.of(AchievementMetrics).refusals_dropped._value.get()


async def test_alike_ones_are_one_row(reports, kept):
    user, achievement = uuid4(), uuid4()
    for _ in range(5):
        with pytest.raises(PermissionDenied), reports.noting(user, achievement):
            raise DENIED
    reports.note(user, achievement, AchievementAlreadyUnlocked())  # no riddle
    await reports.store()
    await reports.store()  # nothing is left
    [one] = await kept(user, achievement)
    assert (one.rule, one.source, one.attempts) == ("PERMISSION_DENIED not_owned", "player", 5)


async def test_the_memory_is_limited(gateway, reports, kept, monkeypatch):
    monkeypatch.setattr(refused, "MAX_WAITING", 3)
    user, ids, before = uuid4(), [uuid4() for _ in range(5)], dropped(gateway)
    for one in ids:
        reports.note(user, one, DENIED)
    reports.note(user, ids[0], DENIED)
    assert dropped(gateway) - before == 2
    await reports.store()
    assert {one.subject: one.attempts for one in await kept(user, *ids)} == {
        str(ids[0]): 2,
        str(ids[1]): 1,
        str(ids[2]): 1,
    }
    reports.note(user, ids[4], DENIED)  # there is room again
    await reports.store()
    assert len(await kept(user, *ids)) == 4


async def test_one_player_takes_no_room_of_others(gateway, reports, kept, monkeypatch):
    monkeypatch.setattr(refused, "MAX_WAITING", MAX_REFUSED + 1)
    busy, other, ids, before = uuid4(), uuid4(), [uuid4() for _ in range(MAX_REFUSED + 20)], dropped(gateway)
    for one in ids[:MAX_REFUSED]:
        reports.note(busy, one, DENIED)
    reports.note(busy, ids[0], DENIED)  # the oldest one no longer
    for one in ids[MAX_REFUSED:]:
        reports.note(busy, one, DENIED)
    reports.note(other, ids[0], DENIED)
    assert dropped(gateway) - before == 20
    await reports.store()
    found = {one.subject: one.attempts for one in await kept(busy, *ids)}
    assert found == {str(one): 2 if one == ids[0] else 1 for one in (ids[0], *ids[21:])}
    assert len(await kept(other, ids[0])) == 1


async def test_an_orderly_stop_loses_nothing(reports, kept, monkeypatch):
    users, achievement, began, store = [uuid4() for _ in range(4)], uuid4(), asyncio.Event(), refused._adding

    def slowly(user_id, of):
        add = store(user_id, of)

        async def adding(transaction):
            if not began.is_set():
                began.set()
                await asyncio.sleep(60)
            await add(transaction)

        return adding

    monkeypatch.setattr(refused, "_adding", slowly)
    monkeypatch.setattr(refused, "EVERY_SECONDS", 0)
    for one in users:
        reports.note(one, achievement, DENIED)
    running = asyncio.create_task(reports.run())
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [[one.attempts for one in await kept(user, achievement)] for user in users] == [[1]] * 4


async def test_what_cannot_be_stored_now_is_stored_later(reports, kept, monkeypatch):
    user, achievement = uuid4(), uuid4()

    async def away(*_):
        raise ConnectionError

    reports.note(user, achievement, DENIED)
    with monkeypatch.context() as broken:
        broken.setattr(refused.RefusedAttemptStore, "add", away)
        await reports.store()
    reports.note(user, achievement, DENIED)
    assert await kept(user, achievement) == []
    await reports.store()
    [one] = await kept(user, achievement)
    assert one.attempts == 2


async def test_the_longest_names_are_stored(reports, kept):
    user, longest = uuid4(), "я" * 100
    element = OfflineAchievement(
        client_id="a",
        product_id=uuid4(),
        api_name=longest,
        unlocked=True,
        happened_at=datetime.now(UTC),
        device_id=longest,
    )
    reports.note_import(user, [element], [ImportedAchievement("a", "rejected", AchievementNotFound.code)])
    await reports.store()
    [one] = await kept(user, element.named)
    assert (one.rule, one.source) == ("ACHIEVEMENT_NOT_FOUND imported", f"player {longest}")


async def test_nothing_is_stored_of_an_erased_user(gateway, reports, kept):
    user, achievement = uuid4(), uuid4()
    async with gateway.acquire() as connection:
        await connection.execute(
            "INSERT INTO gateway.user_streams (user_id, version, last_sequence, erased_at) VALUES ($1, 1, 0, now())",
            user,
        )
    reports.note(user, achievement, DENIED)
    await reports.store()
    assert await kept(user, achievement) == []


async def test_reports_of_servers_name_them(platform, service, caller, kept, wait_until):
    user, server, achievement = uuid4(), uuid4(), uuid4()
    name = NamedAchievement(uuid4(), "TYPO")
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = AchievementServiceStub(channel)
        by_id = messages.UpdateAchievementProgressRequest(
            user_id=str(user), achievement_id=str(achievement), unlock=True
        )
        by_name = messages.UpdateAchievementProgressRequest(
            user_id=str(user), product_id=str(name.product_id), api_name=name.api_name, unlock=True
        )
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.UpdateAchievementProgress(by_id, metadata=caller(server, "service"))
        batch = messages.BatchUpdateAchievementProgressRequest(updates=[by_id, by_name])
        await stub.BatchUpdateAchievementProgress(batch, metadata=caller(server, "service"))

    async def all_are_kept():
        return sum(one.attempts for one in await kept(user, achievement, name)) == 3

    await wait_until(all_are_kept)
    found = await kept(user, achievement, name)
    assert {(one.subject, one.attempts) for one in found} == {(str(achievement), 2), (attempt_subject(name), 1)}
    assert {(one.rule, one.source) for one in found} == {(AchievementNotFound.code, f"service {server}")}
