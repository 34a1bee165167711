"""One library on several devices: installations of each, concurrent changes, filters, bulk changes."""

import asyncio
from uuid import uuid4

import grpc.aio
import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from websockets.asyncio.client import connect


@pytest.fixture
async def owner(player, wait_until):
    """A player with a game and its DLC."""
    player.game, player.dlc = uuid4(), uuid4()
    for product, kind, title in ((player.game, "game", "Pokémon: Half-Life"), (player.dlc, "dlc", "Дополнение")):
        said = {"productId": str(product), "productType": kind, "newTitle": {"en": title}}
        await player.publish(CloudEvent("com.platform.catalog.product.updated.v1", said))
    await player.buys(player.game, player.dlc)

    async def arrived():
        items = (await player.get("/items"))["data"]
        return {one["attributes"]["product_type"] for one in items} == {"game", "dlc"} and items

    player.items = {one["attributes"]["product_id"]: one["id"] for one in await wait_until(arrived)}
    player.item = f"/items/{player.items[str(player.game)]}"
    return player


async def found(player, **query):
    return {one["attributes"]["product_id"] for one in (await player.get("/items", **query))["data"]}


async def test_a_shelf_can_be_asked_for_just_what_is_to_be_shown(owner):
    game, dlc = str(owner.game), str(owner.dlc)
    assert await found(owner, product_type="game") == {game}
    assert await found(owner, product_type="dlc,soundtrack") == {dlc}
    assert await found(owner, product_ids=f"{dlc},{uuid4()}") == {dlc}
    assert await found(owner, search="pokemon half life") == {game}
    await owner.patch(owner.item, {"is_hidden": True})
    assert await found(owner, include_hidden="only") == {game}
    assert await found(owner) == {dlc}
    category = (await owner.post("/categories", {"name": " Любимые "})).json()["data"]
    assert category["attributes"]["name"] == "Любимые"
    await owner.patch(owner.item, {"add_category_ids": [category["id"]]})
    assert await found(owner, uncategorized="true", include_hidden="true") == {dlc}
    links = (await owner.get("/items", product_ids=f"{dlc},{game}", product_type="dlc", include_hidden="only"))["links"]
    assert f"product_ids={dlc},{game}&product_type=dlc" in links["self"].replace("include_hidden=only&", "")
    for wrong in ("include_hidden=both", "product_ids=x", "uncategorized=some", "product_ids=" + f"{game}," * 101):
        answer = await owner.http.get(f"/items?{wrong}")
        assert (answer.status_code, answer.json()["errors"][0]["source"]["parameter"]) == (400, wrong.partition("=")[0])


async def test_uninstalling_on_the_laptop_leaves_the_desktop_s_copy(owner, service, caller, wait_until, next_message):
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {owner.token}"}) as socket:
        await next_message(socket, greeting=True)
        for device, kind in (("desktop", "installed"), ("laptop", "installed"), ("laptop", "uninstalled")):
            said = {"userId": str(owner.id), "productId": str(owner.game), "versionId": "1", "deviceId": device}
            await owner.publish(CloudEvent(f"com.platform.download.game.{kind}.v1", said))
            message = await next_message(socket)
        entries = message["payload"]["changes"]["installations"]
        assert {one["device_id"]: one["installation_status"] for one in entries} == {
            "desktop": "installed",
            "laptop": "not_installed",
        }
    shown = (await owner.get(owner.item))["data"]["attributes"]
    assert (shown["installation_status"], shown["installed_version_id"]) == ("installed", "1")
    assert shown["installations"] == entries
    assert (await owner.get(owner.item, device_id="laptop"))["data"]["attributes"]["installation_status"] != "installed"
    assert await found(owner, status="installed", device_id="laptop") == set()
    assert await found(owner, status="installed", device_id="desktop") == {str(owner.game)}
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        request = messages.GetLibraryItemsRequest(
            user_id=str(owner.id), product_ids_filter=[str(owner.game)], device_id="laptop"
        )
        answer = await LibraryQueryServiceStub(channel).GetLibraryItems(request, metadata=caller(owner.id))
    [item] = answer.items
    assert (item.installation_status, [one.device_id for one in item.installations]) == (
        "not_installed",
        ["desktop", "laptop"],
    )


async def test_the_second_of_two_devices_that_changed_an_item_gets_a_conflict(owner):
    read = await owner.http.get(owner.item)
    tag = read.headers["ETag"]
    assert (await owner.http.get(owner.item, headers={"If-None-Match": tag})).status_code == 304
    english = await owner.http.get(owner.item, headers={"Accept-Language": "en"})
    assert english.headers["ETag"].split(".")[0] == tag.split(".")[0]

    async def hide(is_hidden, if_match):
        body = {"data": {"attributes": {"is_hidden": is_hidden}}}
        return await owner.http.patch(owner.item, json=body, headers={"If-Match": if_match})

    changed = await hide(True, tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] == (await owner.http.get(owner.item)).headers["ETag"]
    for stale in (tag, tag.split(".")[0] + '"', f"W/{changed.headers['ETag']}", '"x.y"', '""', "nonsense"):
        refused = await hide(False, stale)
        assert refused.status_code == 412, stale
        [error] = refused.json()["errors"]
        assert error["code"] == "PRECONDITION_FAILED"
        assert error["meta"]["current"]["attributes"]["is_hidden"] is True
    assert (await hide(False, f'"x.y", {changed.headers["ETag"]}')).status_code == 200
    assert (await hide(True, "*")).status_code == 200


async def test_devices_that_add_a_category_each_at_once_lose_none(owner):
    ids = [(await owner.post("/categories", {"name": str(n)})).json()["data"]["id"] for n in range(8)]
    answers = await asyncio.gather(*(owner.patch(owner.item, {"add_category_ids": [one]}) for one in ids))
    assert [answer.status_code for answer in answers] == [200] * 8
    item = (await owner.get(owner.item))["data"]
    assert {one["id"] for one in item["relationships"]["categories"]["data"]} == set(ids)
    both = await owner.patch(owner.item, {"add_category_ids": ids[:1], "category_ids": []})
    assert both.json()["errors"][0]["source"]["pointer"] == "/data/attributes/category_ids"


async def test_names_that_fold_alike_are_one_category(owner, service, next_message):
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {owner.token}"}) as socket:
        await next_message(socket, greeting=True)
        made = (await owner.post("/categories", {"name": "RPG"})).json()["data"]["id"]
        for same in ("rpg", " RPG ", "ＲＰＧ"):
            answer = await owner.post("/categories", {"name": same})
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "CATEGORY_ALREADY_EXISTS")
        assert (await owner.patch(f"/categories/{made}", {"name": "rpg"})).json()["data"]["attributes"]["name"] == "rpg"
        assert (await owner.http.delete(f"/categories/{made}")).status_code == 204
        received = [await next_message(socket) for _ in range(3)]
    assert {message["event_type"] for message in received} == {"library.category.updated"}
    assert [message["payload"]["is_deleted"] for message in received] == [False, False, True]


async def test_many_items_are_changed_in_one_request(owner, service, next_message, wait_until):
    await owner.buys(*(uuid4() for _ in range(30)))

    async def arrived():
        items = (await owner.get("/items", limit=100))["data"]
        return len(items) == 32 and items

    ids = [one["id"] for one in await wait_until(arrived)]
    stranger = str(uuid4())
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {owner.token}"}) as socket:
        await next_message(socket, greeting=True)
        items = [{"id": one, "is_hidden": True} for one in (*ids, stranger)]
        answer = await owner.post("/items/bulk", {"items": items}, **{"Idempotency-Key": "one"})
        message = await next_message(socket)
    assert (message["event_type"], message["payload"]) == ("library.updated", {"count": 32})
    results = [(one["id"], one["attributes"]["result"], one["attributes"]["code"]) for one in answer.json()["data"]]
    assert results == [*((one, "updated", None) for one in ids), (stranger, "rejected", "LIBRARY_ITEM_NOT_FOUND")]
    again = await owner.post("/items/bulk", {"items": items}, **{"Idempotency-Key": "one"})
    assert (again.content, again.headers["Idempotency-Replayed"]) == (answer.content, "true")
    assert await found(owner) == set()

    async def refused(items):
        answer = await owner.post("/items/bulk", {"items": items})
        assert answer.status_code == 400, answer.text
        return answer.json()["errors"][0]["source"]["pointer"]

    assert await refused([]) == "/data/attributes/items"
    assert await refused([{"id": stranger}] * 2) == "/data/attributes/items/1/id"
    assert await refused([{"id": stranger, "colour": 1}]) == "/data/attributes/items/0/colour"
    assert await refused([{"id": str(uuid4())} for _ in range(501)]) == "/data/attributes/items"
    many = [{"id": str(uuid4()), "category_ids": [str(uuid4()) for _ in range(35)]} for _ in range(500)]
    large = await owner.post("/items/bulk", {"items": many})  # more than other bodies may have
    assert large.status_code == 200, large.text
    assert {one["attributes"]["result"] for one in large.json()["data"]} == {"rejected"}
    too_large = await owner.post("/items/bulk", {"items": [{"id": "x" * 2_100_000}]})
    assert too_large.json()["errors"][0]["code"] == "PAYLOAD_TOO_LARGE"
