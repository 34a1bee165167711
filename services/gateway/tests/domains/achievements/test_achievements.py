"""Achievements from the Catalog's event to every device: over Kafka, REST, gRPC and WebSocket."""

import asyncio
import json
from uuid import uuid4

import asyncpg
import grpc.aio
import httpx
import pytest
from gameshelf.devstack.answers import code_of
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1 import admin_achievements_pb2 as admin
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import AchievementServiceStub
from gameshelf.protos.library.v1.admin_audit_pb2 import UndoChangeRequest
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import LibraryAdminServiceStub
from websockets.asyncio.client import connect

UPDATED = "com.platform.catalog.product.updated.v1"


@pytest.fixture(scope="module")
def game():
    """A game with achievements of every kind, by their names."""
    return {"product": uuid4(), **{name: uuid4() for name in ("first", "hundred", "secret", "server")}}


@pytest.fixture(scope="module")
async def service(platform, service, game, wait_until):
    """The service, which knows the game's achievements."""
    achievements = [
        {"id": game["first"], "apiName": "FIRST", "name": {"ru": "Первый шаг", "en": "First step"}},
        {"id": game["hundred"], "apiName": "HUNDRED", "name": "Сотня", "targetProgress": 100},
        {"id": game["secret"], "apiName": "SECRET", "name": {"en": "Secret"}, "isHidden": True},
        {
            "id": game["server"],
            "apiName": "SERVER",
            "serverAuthoritative": True,
            "icon_url_locked": "https://x.example/l",
        },
    ]
    data = {
        "productId": str(game["product"]),
        "newTitle": "Игра",
        "achievements": [{**one, "id": str(one["id"])} for one in achievements],
    }
    await publish_as_catalog(platform, data)
    token = platform.token(uuid4())
    async with httpx.AsyncClient(base_url=service.api, headers={"Authorization": f"Bearer {token}"}) as http:

        async def is_known():
            return (await http.get(f"/achievements/status/{game['product']}")).json()["data"]

        await wait_until(is_known)
    return service


async def publish_as_catalog(platform, data):
    await publish(platform.kafka.address, [CloudEvent(UPDATED, data)])


@pytest.fixture
async def owner(player, game, wait_until):
    """Somebody who owns the game."""
    await player.buys(game["product"])
    await wait_until(player.products)
    return player


async def test_a_list_of_achievements_that_is_null_was_not_said(platform, player, wait_until):
    product = uuid4()
    await player.buys(product)
    await publish_as_catalog(platform, {"productId": str(product), "newTitle": "Игра", "achievements": None})

    async def titled():
        return [one["attributes"]["title"] for one in (await player.get("/items"))["data"]] == ["Игра"]

    await wait_until(titled)


async def states(player, game, **headers):
    found = await player.http.get(f"/achievements/status/{game['product']}", headers=headers)
    assert found.status_code == 200, found.text
    return {one["attributes"]["api_name"]: one["attributes"] for one in found.json()["data"]}


async def test_status_shows_every_achievement_and_keeps_secrets(owner, game):
    shown = await states(owner, game)
    assert list(shown) == ["FIRST", "HUNDRED", "SECRET", "SERVER"]
    assert (shown["FIRST"]["name"], shown["FIRST"]["current_progress"]) == ("Первый шаг", None)
    assert shown["HUNDRED"]["current_progress"] == {"current": 0, "total": 100}
    assert (shown["SECRET"]["name"], shown["SECRET"]["is_hidden"]) == (None, True)
    assert shown["SERVER"]["icon_url_locked"] == "https://x.example/l"
    await owner.post(f"/achievements/{game['secret']}/unlock")
    shown = await states(owner, game, **{"Accept-Language": "en"})
    assert (shown["FIRST"]["name"], shown["SECRET"]["name"]) == ("First step", "Secret")


async def test_progress_unlocks_at_the_total_and_the_second_unlock_is_refused(owner, game):
    path = f"/achievements/{game['hundred']}"
    for current, expected, newly in ((40, 40, False), (10, 40, False), (1000, 100, True), (100, 100, False)):
        response = await owner.post(f"{path}/progress", {"current_progress": current})
        assert response.status_code == 200, response.text
        assert response.json()["data"]["attributes"]["current_progress"] == {"current": expected, "total": 100}
        assert response.json()["meta"] == {"newly_unlocked": newly}
    refused = await owner.post(f"{path}/unlock")
    assert code_of(refused) == (409, "ACHIEVEMENT_ALREADY_UNLOCKED")
    assert refused.json()["errors"][0]["meta"]["unlocked_at"]
    [summary] = (await owner.get("/achievements/summary"))["data"]
    assert summary["attributes"]["unlocked"] == 1
    assert (summary["attributes"]["total"], summary["attributes"]["percentage"]) == (4, 25.0)


async def test_what_may_not_be_unlocked_is_refused_by_its_reason(owner, new_player, game):
    assert code_of(await owner.post(f"/achievements/{game['server']}/unlock")) == (403, "PERMISSION_DENIED")
    assert code_of(await owner.post(f"/achievements/{uuid4()}/unlock")) == (404, "ACHIEVEMENT_NOT_FOUND")
    stranger = new_player()
    assert code_of(await stranger.post(f"/achievements/{game['first']}/unlock")) == (403, "PERMISSION_DENIED")
    for progress in (-1, 1.5, "3", None):
        refused = await owner.post(f"/achievements/{game['first']}/progress", {"current_progress": progress})
        assert code_of(refused) == (400, "VALIDATION_ERROR")
        assert refused.json()["errors"][0]["source"] == {"pointer": "/data/attributes/current_progress"}


async def test_concurrent_unlocks_count_once_and_reach_every_device(
    platform, service, owner, game, next_message, read_records
):
    headers = {"Authorization": f"Bearer {owner.token}"}
    async with (
        connect(service.ws, additional_headers=headers) as one,
        connect(service.ws, additional_headers=headers) as two,
    ):
        for socket in (one, two):
            await next_message(socket, greeting=True)
        path = f"/achievements/{game['first']}"
        responses = await asyncio.gather(
            *(owner.post(f"{path}/progress", {"current_progress": 1}) for _ in range(5)),
            *(owner.post(f"{path}/unlock") for _ in range(5)),
        )
        assert not any(one.json()["meta"]["newly_unlocked"] for one in responses[:5])  # its target is not known
        assert sum(one.status_code == 200 for one in responses[5:]) == 1
        for socket in (one, two):
            message = await next_message(socket)
            assert message["event_type"] == "achievement.unlocked"
            assert message["payload"]["achievement_id"] == str(game["first"])
            assert message["payload"]["achievement_name"] == "Первый шаг"
            assert message["payload"]["achievement_names"] == {"ru": "Первый шаг", "en": "First step"}

    def mine(records):
        documents = [json.loads(record.value) for record in records]
        own = [one for one in documents if one["subject"] == str(owner.id)]
        return [one for one in own if one["type"].endswith("achievement.unlocked.v1")]

    [event] = mine(await read_records(platform, "com.platform.library.events.v1", mine))
    assert event["data"]["achievementMetaId"] == str(game["first"])


async def test_rarity_follows_purchases_unlocks_and_refunds(platform, service, new_player, wait_until):
    product, achievement = uuid4(), uuid4()
    data = {"productId": str(product), "achievements": [{"id": str(achievement), "apiName": "A"}]}
    await publish_as_catalog(platform, data)
    players = [new_player() for _ in range(4)]
    bought = [await player.buys(product) for player in players]
    for player in players:
        await wait_until(player.products)

    async def rarity_is(percent):
        [one] = (await players[0].get(f"/achievements/status/{product}"))["data"]
        return one["attributes"]["rarity_percentage"] == percent

    await wait_until(lambda: rarity_is(0.0))
    assert (await players[0].post(f"/achievements/{achievement}/unlock")).status_code == 200
    await wait_until(lambda: rarity_is(25.0))  # from here on, all four are counted
    unlocked = await players[2].post(f"/achievements/{achievement}/unlock")
    assert unlocked.json()["data"]["attributes"]["rarity_at_unlock"] == 50.0
    await players[1].publish(CloudEvent("com.platform.payment.purchase.refunded.v1", bought[1].data))
    await wait_until(lambda: rarity_is(66.7))
    # Any user may ask; the rarity belongs to no user.
    [seen] = (await new_player().get(f"/achievements/rarity/{product}"))["data"]
    assert (seen["id"], seen["type"]) == (str(achievement), "achievementRarity")
    assert (seen["attributes"]["api_name"], seen["attributes"]["rarity_percentage"]) == ("A", 66.7)
    assert (await new_player().get(f"/achievements/rarity/{uuid4()}"))["data"] == []
    await players[0].publish(CloudEvent("com.platform.payment.purchase.refunded.v1", bought[0].data))
    await wait_until(lambda: rarity_is(50.0))
    await players[0].buys(product)
    await wait_until(lambda: rarity_is(66.7))


@pytest.fixture
async def stub(service):
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        yield AchievementServiceStub(channel)


def report(player, achievement, current=1, **more):
    return messages.UpdateAchievementProgressRequest(
        user_id=str(player.id), achievement_id=str(achievement or ""), current_progress=current, **more
    )


async def test_a_game_server_reports_and_only_it_unlocks_what_servers_unlock(stub, owner, game, caller, refusal):
    update = report(owner, game["server"])
    update.unlock = True
    assert await refusal(stub.UpdateAchievementProgress(update, metadata=caller(owner.id))) == (
        "PERMISSION_DENIED",
        "PERMISSION_DENIED",
    )
    for roles in (("support",), ("admin",), ("user",)):
        assert (await refusal(stub.UpdateAchievementProgress(update, metadata=caller(uuid4(), *roles))))[0] == (
            "PERMISSION_DENIED"
        )
    server = caller(uuid4(), "service")
    first = await stub.UpdateAchievementProgress(update, metadata=server)
    again = await stub.UpdateAchievementProgress(update, metadata=server)
    assert (first.newly_unlocked, again.newly_unlocked) == (True, False)
    assert first.status.is_unlocked
    assert again.status.unlocked_at == first.status.unlocked_at


async def test_rarity_is_shown_to_any_caller(stub, platform, service, game):
    asked = messages.GetAchievementRarityRequest(product_id=str(game["product"]))
    for roles in (("user",), ("service",)):
        metadata = (("authorization", f"Bearer {platform.token(uuid4(), *roles)}"),)
        found = (await stub.GetAchievementRarity(asked, metadata=metadata)).achievements
        assert [one.api_name for one in found] == ["FIRST", "HUNDRED", "SECRET", "SERVER"]
        assert [one.is_hidden for one in found] == [False, False, True, False]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.GetAchievementRarity(asked)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    headers = {"Authorization": f"Bearer {platform.token(uuid4())}"}
    async with httpx.AsyncClient(base_url=service.api, headers=headers) as http:
        shown = (await http.get(f"/achievements/rarity/{game['product']}", headers={"Accept-Language": "en"})).json()
    names = [(one["attributes"]["api_name"], one["attributes"]["name"]) for one in shown["data"]]
    assert names == [("FIRST", "First step"), ("HUNDRED", "Сотня"), ("SECRET", None), ("SERVER", None)]


async def test_a_batch_returns_the_result_of_each_report(stub, owner, new_player, game, caller, wait_until, refusal):
    other, stranger = new_player(), new_player()
    await other.buys(game["product"])
    await wait_until(other.products)
    updates = [
        report(owner, game["hundred"], 50),
        report(other, game["hundred"], 100),
        report(stranger, game["first"]),
        report(owner, uuid4()),
        report(owner, game["first"], unlock=True),
        report(owner, None, product_id=str(game["product"]), api_name="FIRST", unlock=True),
    ]
    request = messages.BatchUpdateAchievementProgressRequest(updates=updates)
    answer = await stub.BatchUpdateAchievementProgress(request, metadata=caller(uuid4(), "service"))
    assert [(one.newly_unlocked, one.reason) for one in answer.results] == [
        (False, ""),
        (True, ""),
        (False, "PERMISSION_DENIED"),
        (False, "ACHIEVEMENT_NOT_FOUND"),
        (True, ""),
        (False, ""),
    ]
    assert answer.results[0].status.current_progress == 50
    too_many = messages.BatchUpdateAchievementProgressRequest(updates=updates[:1] * 1001)
    call = stub.BatchUpdateAchievementProgress(too_many, metadata=caller(uuid4(), "service"))
    assert await refusal(call) == ("INVALID_ARGUMENT", "VALIDATION_ERROR")
    assert await refusal(stub.BatchUpdateAchievementProgress(request, metadata=caller(owner.id))) == (
        "PERMISSION_DENIED",
        "PERMISSION_DENIED",
    )


async def test_a_batch_with_a_blocked_player_has_to_be_sent_again(stub, platform, owner, game, caller, refusal):
    request = messages.BatchUpdateAchievementProgressRequest(updates=[report(owner, game["first"], unlock=True)])
    connection = await asyncpg.connect(platform.dsn)
    async with connection.transaction():
        await connection.execute("SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", owner.id)
        call = stub.BatchUpdateAchievementProgress(request, metadata=caller(uuid4(), "service"))
        assert await refusal(call) == ("UNAVAILABLE", "SERVICE_UNAVAILABLE")
    await connection.close()
    again = await stub.BatchUpdateAchievementProgress(request, metadata=caller(uuid4(), "service"))
    assert [one.newly_unlocked for one in again.results] == [True]


async def test_status_is_asked_by_product_or_by_id(stub, owner, game, caller, refusal):
    await owner.post(f"/achievements/{game['first']}/unlock")
    own, user = caller(owner.id), str(owner.id)
    of_product = messages.GetAchievementStatusRequest(user_id=user, product_id=str(game["product"]))
    listed = (await stub.GetAchievementStatus(of_product, metadata=own)).achievements
    assert [one.api_name for one in listed] == ["FIRST", "HUNDRED", "SECRET", "SERVER"]
    assert [one.is_unlocked for one in listed] == [True, False, False, False]
    by_id = messages.GetAchievementStatusRequest(user_id=user, achievement_ids=[str(game["hundred"]), str(uuid4())])
    [found] = (await stub.GetAchievementStatus(by_id, metadata=caller(uuid4(), "support"))).achievements
    assert (found.api_name, found.target_progress, found.HasField("rarity_at_unlock")) == ("HUNDRED", 100, False)
    assert (await refusal(stub.GetAchievementStatus(of_product, metadata=caller(uuid4()))))[0] == "PERMISSION_DENIED"
    neither = messages.GetAchievementStatusRequest(user_id=user)
    assert await refusal(stub.GetAchievementStatus(neither, metadata=own)) == ("INVALID_ARGUMENT", "VALIDATION_ERROR")


async def test_grants_and_revocations_by_support_reach_the_players_devices(service, owner, game, caller):
    request = admin.GrantAchievementRequest(user_id=str(owner.id), achievement_id=str(game["server"]))
    by = caller(uuid4(), "admin")

    async def apply(call, request):
        request.change.revision = (await call(request, metadata=by)).result.revision
        request.change.apply, request.change.reason = True, "ticket 4711"
        return (await call(request, metadata=by)).result

    async with grpc.aio.insecure_channel(service.grpc) as channel:
        admins = LibraryAdminServiceStub(channel)
        granted = await apply(admins.GrantAchievement, request)
        revoked = await apply(
            admins.RevokeAchievement,
            admin.RevokeAchievementRequest(user_id=request.user_id, achievement_id=request.achievement_id),
        )
        await apply(admins.UndoChange, UndoChangeRequest(audit_id=revoked.audit_id))
    feed = [one["attributes"] for one in (await owner.get("/events", cursor=0))["data"]]
    added, unlocked, locked, again = feed
    assert unlocked["event_type"] == again["event_type"] == "achievement.unlocked"
    assert unlocked["payload"] == again["payload"]
    assert unlocked["payload"]["unlocked_at"] == json.loads(granted.after)["unlocked_at"]
    assert locked["event_type"] == "library.item.updated"
    assert locked["payload"] == {
        "library_item_id": added["payload"]["library_item_id"],
        "product_id": str(game["product"]),
        "changes": {"locked_achievement_ids": [str(game["server"])]},
    }
    assert (await states(owner, game))["SERVER"]["is_unlocked"]


async def test_unlocks_are_counted(service, owner, game):
    def count(text):
        [line] = [one for one in text.splitlines() if one.startswith("achievements_unlocked_total ")]
        return float(line.split()[1])

    async with httpx.AsyncClient() as http:
        before = count((await http.get(service.metrics)).text)
        await owner.post(f"/achievements/{game['first']}/unlock")
        assert count((await http.get(service.metrics)).text) == before + 1


async def test_who_has_reached_a_target_that_the_catalog_lowers_is_unlocked(
    platform, service, new_player, wait_until, next_message
):
    product, achievement, name = uuid4(), uuid4(), "GRIND/2%3"
    data = {"productId": str(product), "achievements": [{"id": str(achievement), "apiName": name}]}
    await publish_as_catalog(platform, data)
    player, stopped = new_player(), new_player()
    for one in (player, stopped):
        await one.buys(product)
        await wait_until(one.products)

    async def known():
        return (await player.get(f"/achievements/status/{product}"))["data"]

    await wait_until(known)
    path = f"/achievements/by-name/{product}/GRIND%2F2%253"
    for one, progress in ((player, 150), (stopped, 90)):
        response = await one.post(f"{path}/progress", {"current_progress": progress})
        assert response.status_code == 200, response.text
        assert response.json()["meta"] == {"newly_unlocked": False}
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
        await next_message(socket, greeting=True)
        for target in (200, 100):
            await publish_as_catalog(
                platform,
                {"productId": str(product), "achievements": [{"id": str(achievement), "targetProgress": target}]},
            )
        message = await next_message(socket)
    assert message["event_type"] == "achievement.unlocked"
    assert message["payload"]["achievement_id"] == str(achievement)
    [shown] = await known()
    assert (shown["attributes"]["is_unlocked"], shown["attributes"]["current_progress"]["total"]) == (True, 100)
    [behind] = (await stopped.get(f"/achievements/status/{product}"))["data"]
    assert behind["attributes"]["current_progress"] == {"current": 90, "total": 100}


async def test_what_happened_offline_is_imported_over_rest_and_grpc(platform, owner, game, stub, caller, refusal):
    happened_at = "2020-01-02T03:04:05Z"  # before the game was bought
    first = {"client_id": "a", "achievement_id": str(game["first"]), "unlocked": True, "happened_at": happened_at}
    named = {"client_id": "b", "product_id": str(game["product"]), "api_name": "HUNDRED", "happened_at": happened_at}
    elements = [
        first,
        {**named, "current_progress": 40},
        {**first, "client_id": "c", "unlocked": 1},
        {"client_id": "d"},
    ]
    sent = await owner.post("/achievements/import", {"achievements": elements})
    assert sent.status_code == 200, sent.text
    assert [
        (one["type"], one["id"], one["attributes"]["result"], one["attributes"]["code"]) for one in sent.json()["data"]
    ] == [
        ("importedAchievement", "a", "accepted", None),
        ("importedAchievement", "b", "accepted", None),
        ("importedAchievement", "c", "rejected", "VALIDATION_ERROR"),
        ("importedAchievement", "d", "rejected", "VALIDATION_ERROR"),
    ]
    shown = await states(owner, game)
    [item] = (await owner.get("/items"))["data"]
    assert shown["FIRST"]["unlocked_at"] == item["attributes"]["added_at"]
    assert shown["HUNDRED"]["current_progress"] == {"current": 40, "total": 100}
    for bad in ([], [first] * 101, "x"):
        assert code_of(await owner.post("/achievements/import", {"achievements": bad})) == (400, "VALIDATION_ERROR")

    def offline(metadata, *achievements):
        request = messages.ImportAchievementsRequest(user_id=str(owner.id), achievements=achievements)
        return stub.ImportAchievements(request, metadata=metadata)

    by_name = messages.OfflineAchievement(client_id="a", product_id=str(game["product"]), api_name="SERVER")
    by_name.unlocked = True
    by_name.happened_at.FromJsonString(happened_at)
    unreadable = messages.OfflineAchievement(client_id="b", current_progress=-1)
    answered = await offline(caller(owner.id), by_name, unreadable)
    assert [(one.client_id, one.result, one.code) for one in answered.results] == [
        ("a", "rejected", "PERMISSION_DENIED"),
        ("b", "rejected", "VALIDATION_ERROR"),
    ]
    [served] = (await offline(caller(uuid4(), "service"), by_name)).results
    assert served.result == "accepted"
    assert await refusal(offline(caller(uuid4()), by_name)) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    assert await refusal(offline(caller(owner.id))) == ("INVALID_ARGUMENT", "VALIDATION_ERROR")


async def test_achievements_have_the_names_that_developers_gave_them(owner, game):
    path = f"/achievements/by-name/{game['product']}"
    assert (await owner.post(f"{path}/SECRET/unlock")).status_code == 200
    assert code_of(await owner.post(f"{path}/SECRET/unlock")) == (409, "ACHIEVEMENT_ALREADY_UNLOCKED")
    for unknown in ("secret", "a/b/unlock", "x" * 900, "%00", "%FF", "unlock"):
        assert code_of(await owner.post(f"{path}/{unknown}/unlock")) == (404, "ACHIEVEMENT_NOT_FOUND"), unknown
