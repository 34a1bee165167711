"""Titles and covers in lists that name products, and in messages to devices that have not read anything yet."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.gateway.wiring import ROUTES
from websockets.asyncio.client import connect

TITLES = {"ru": "Маяк", "en": "Beacon"}
COVER = "https://cdn.example/beacon.svg"
OF_ONE_PRODUCT = {
    "/achievements/rarity/<uuid:product_id>",
    "/achievements/status/<uuid:product_id>",
    "/savegames/<uuid:savegame_id>/versions",
    "/settings/<uuid:product_id>/layers",
}
"""Lists about one product, which the request names."""


def elements(schema):
    """Everything in the lists of a schema, the lists within them too."""
    schema = getattr(schema, "definition", schema)
    if isinstance(schema, dict):
        if schema.get("type") == "array":
            yield getattr(schema["items"], "definition", schema["items"])
        for part in schema.values():
            yield from elements(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from elements(part)


def test_lists_that_name_products_have_their_titles_and_covers():
    named = 0
    for route in ROUTES:
        if route.kind != "read" or route.path in OF_ONE_PRODUCT:
            continue
        for element in elements(route.answers):
            for one in element.get("oneOf", [element]):
                properties = getattr(one, "definition", one).get("properties", {})
                shown = properties["attributes"].definition["properties"] if "attributes" in properties else properties
                if "product_id" in shown:
                    named += 1
                    assert {"title", "cover_image_url"} <= shown.keys(), route.path
    assert named >= 10


@pytest.fixture
async def game(player, wait_until):
    """A game that the Catalog has published, and that was bought, played and refunded."""
    product, achievement, order = uuid4(), uuid4(), f"order-{uuid4()}"
    data = {
        "productId": str(product),
        "newTitle": TITLES,
        "newCoverImageUrl": COVER,
        "achievements": [{"id": str(achievement), "apiName": "FIRST", "name": TITLES}],
    }
    await player.publish(CloudEvent("com.platform.catalog.product.updated.v1", data))

    async def known():
        return (await player.get(f"/achievements/status/{product}"))["data"]

    await wait_until(known)
    bought = await player.buys(product, order=order)
    await wait_until(player.products)
    for end in (True, False):
        started = await player.post("/playtime/sessions/start", {"product_id": str(product)})
        assert started.status_code == 201
        if end:
            await player.post(f"/playtime/sessions/{started.json()['data']['id']}/end")
    now = datetime.now(UTC)
    times = {"start_time": (now - timedelta(minutes=2)).isoformat(), "end_time": now.isoformat()}
    offline = {"client_session_id": "1", "product_id": str(product), **times}
    [imported] = (await player.post("/playtime/sessions/import", {"sessions": [offline]})).json()["data"]
    assert imported["attributes"]["result"] == "accepted"
    assert (await player.post(f"/achievements/{achievement}/unlock")).status_code == 200
    assert (await player.http.put(f"/settings/{product}", json=settings())).status_code == 201
    await player.publish(CloudEvent("com.platform.payment.purchase.refunded.v1", bought.data))

    async def gone():
        return not await player.products()

    await wait_until(gone)
    return str(product)


def settings():
    return {"data": {"attributes": {"settings_payload": {"volume": 3}}}}


async def test_lists_have_titles_and_covers_of_games_no_longer_owned(player, game):
    for path in ("/playtime", "/playtime/sessions", "/playtime/daily", "/achievements/summary", "/settings"):
        for language in ("ru", "en"):
            answer = await player.http.get(path, headers={"Accept-Language": language})
            shown = [one["attributes"] for one in answer.json()["data"]]
            assert shown, path
            for one in shown:
                assert (one["product_id"], one["title"], one["cover_image_url"]) == (game, TITLES[language], COVER)


async def test_seats_have_titles_and_covers(player, new_player, wait_until):
    member, product = new_player(), uuid4()
    data = {"productId": str(product), "newTitle": TITLES, "newCoverImageUrl": COVER}
    await player.publish(CloudEvent("com.platform.catalog.product.updated.v1", data))
    await player.buys(product)

    async def titled():
        return [one["attributes"]["title"] for one in (await player.get("/items"))["data"]] == [TITLES["ru"]]

    await wait_until(titled)
    link = (await player.post("/family/links", {"shared_with_user_id": str(member.id)})).json()["data"]["id"]
    assert (await member.post(f"/family/links/{link}/accept")).status_code == 200
    await member.keeps_shares()
    assert (await member.post("/playtime/sessions/start", {"product_id": str(product)})).status_code == 201
    for one in (player, member):
        [seat] = (await one.get("/family/seats"))["data"]
        assert (seat["attributes"]["title"], seat["attributes"]["cover_image_url"]) == (TITLES["ru"], COVER)


async def test_an_unknown_product_has_neither(player, wait_until):
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    await player.post("/playtime/sessions/start", {"product_id": str(product)})
    [session] = (await player.get("/playtime/sessions"))["data"]
    assert (session["attributes"]["title"], session["attributes"]["cover_image_url"]) == (None, None)


async def test_a_summary_is_of_the_products_that_are_asked_for(player, game):
    listed = await player.get("/achievements/summary", product_ids=f"{uuid4()},{game}")
    assert [one["id"] for one in listed["data"]] == [game]
    assert game in listed["links"]["self"]
    assert (await player.get("/achievements/summary", product_ids=str(uuid4())))["data"] == []
    refused = await player.http.get("/achievements/summary", params={"product_ids": "x"})
    assert refused.json()["errors"][0]["source"] == {"parameter": "product_ids"}


async def test_items_are_listed_by_whether_they_were_played(player, wait_until):
    played, unplayed = uuid4(), uuid4()
    await player.buys(played, unplayed)

    async def arrived():
        return len(await player.products()) == 2

    await wait_until(arrived)
    await player.post("/playtime/sessions/start", {"product_id": str(played)})
    for given, expected in (("true", played), ("false", unplayed)):
        [item] = (await player.get("/items", played=given))["data"]
        assert item["attributes"]["product_id"] == str(expected)


async def test_sessions_are_listed_by_whether_they_run(player, wait_until):
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    first = (await player.post("/playtime/sessions/start", {"product_id": str(product)})).json()["data"]["id"]
    await player.post(f"/playtime/sessions/{first}/end")
    second = (await player.post("/playtime/sessions/start", {"product_id": str(product)})).json()["data"]["id"]
    for status, expected in (("active", [second]), ("completed", [first])):
        listed = await player.get("/playtime/sessions", status=status)
        assert [one["id"] for one in listed["data"]] == expected
        assert listed["meta"]["total_items"] == 1
        assert f"status={status}" in listed["links"]["self"]
    refused = await player.http.get("/playtime/sessions", params={"status": "paused"})
    assert refused.json()["errors"][0]["source"] == {"parameter": "status"}


async def test_devices_receive_a_new_game_with_its_title_and_cover(service, player, wait_until, next_message):
    product = uuid4()
    data = {"productId": str(product), "newTitle": TITLES, "newCoverImageUrl": COVER}
    await player.publish(CloudEvent("com.platform.catalog.product.updated.v1", data))
    wished = (await player.post("/wishlist/items", {"product_id": str(product)})).json()["data"]["id"]

    async def known():
        return (await player.get("/wishlist/items"))["data"][0]["attributes"]["title"]

    await wait_until(known)
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
        await next_message(socket, greeting=True)
        await player.patch(f"/wishlist/items/{wished}", {"notes": "скоро"})
        await player.http.put("/wishlist/order", json={"data": {"attributes": {"item_ids": [wished]}}})
        await player.buys(product, unknown := uuid4())
        messages = [await next_message(socket) for _ in range(5)]
        lists = [one["payload"]["product_id"] for one in messages if one["event_type"] == "wishlist.updated"]
        assert lists == [str(product), None, str(product)]  # changed, put in order, bought
        added = {
            one["payload"]["product_id"]: one["payload"]
            for one in messages
            if one["event_type"] == "library.item.added"
        }
        shown = added[str(product)]
        assert (shown["title"], shown["titles"], shown["cover_image_url"]) == (TITLES["ru"], TITLES, COVER)
        assert (added[str(unknown)]["title"], added[str(unknown)]["cover_image_url"]) == (None, None)


async def test_devices_receive_that_somebody_plays(service, player, wait_until, next_message):
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
        await next_message(socket, greeting=True)
        body = {"product_id": str(product), "device_id": "deck"}
        session = (await player.post("/playtime/sessions/start", body)).json()["data"]
        message = await next_message(socket)
    assert message["event_type"] == "playtime.session.started"
    start_time = session["attributes"]["start_time"]
    expected = {"session_id": session["id"], "product_id": str(product), "device_id": "deck", "start_time": start_time}
    assert message["payload"] == expected
