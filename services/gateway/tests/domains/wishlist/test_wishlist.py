"""The wishlist over REST, gRPC, Kafka and WebSocket; each sale once, despite kills, replays and busy users."""

import asyncio
import json
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
import pytest
from gameshelf.devstack.answers import attributes_of, code_of
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.protos.library.v1 import wishlist_service_pb2 as messages
from gameshelf.protos.library.v1.wishlist_service_pb2_grpc import WishlistServiceStub
from gameshelf.wishlist import Price, notification_id
from websockets.asyncio.client import connect

NOTIFICATIONS = "com.platform.notification.send.requests.v1"
PRICE = "com.platform.catalog.price.updated.v1"


def priced(product, sale="sale", **more):
    data = {"productId": str(product), "priceMinor": 500, "oldPriceMinor": 1000, "currency": "RUB", "saleId": sale}
    return CloudEvent(PRICE, {**data, **more})


async def say(platform, *events):
    await publish(platform.kafka.address, events)


async def wish(player, product, **more):
    response = await player.post("/wishlist/items", {"product_id": str(product), **more})
    assert response.status_code == 201, response.text
    return response.json()["data"]["id"]


async def wished(player):
    return [item["attributes"]["product_id"] for item in (await player.get("/wishlist/items"))["data"]]


def notified(records, sale):
    """The users whom records notify of a sale, with the ids of the notifications."""
    documents = [json.loads(record.value) for record in records]
    return [
        (UUID(document["data"]["userId"]), UUID(document["id"]))
        for document in documents
        if document["data"]["payloadVariables"].get("saleId") == sale
    ]


def id_of(sale, product, user):
    """The id of the notification of a sale."""
    return notification_id(Price(product, 500, "RUB", 50, sale, None, None), user)


async def test_a_wishlist_from_its_first_wish_to_its_last(player, wait_until):
    one, two, three = (uuid4() for _ in range(3))
    ids = [await wish(player, product) for product in (one, two, three)]
    assert await wished(player) == [str(one), str(two), str(three)]
    again = await player.post("/wishlist/items", {"product_id": str(one)})
    assert code_of(again) == (409, "WISHLIST_ITEM_ALREADY_EXISTS")
    assert again.json()["errors"][0]["meta"] == {"wishlist_item_id": ids[0]}
    ordered = await player.http.put("/wishlist/order", json={"data": {"attributes": {"item_ids": ids[::-1]}}})
    assert [item["attributes"]["priority"] for item in ordered.json()["data"]] == [1, 2, 3]
    listed = await player.get("/wishlist/items", limit=100)
    assert (ordered.json()["meta"], ordered.json()["links"]) == (listed["meta"], listed["links"])
    assert await wished(player) == [str(three), str(two), str(one)]
    stale = await player.http.put("/wishlist/order", json={"data": {"attributes": {"item_ids": ids[:2]}}})
    assert code_of(stale) == (400, "VALIDATION_ERROR")
    changed = await player.patch(f"/wishlist/items/{ids[0]}", {"notes": "скоро", "priority": None})
    assert (attributes_of(changed)["notes"], attributes_of(changed)["priority"]) == ("скоро", None)
    half = await player.patch(f"/wishlist/items/{ids[0]}", {"target_price_minor": 5})
    assert half.json()["errors"][0]["source"]["pointer"] == "/data/attributes/target_currency"
    assert (await player.http.delete(f"/wishlist/items/{ids[0]}")).status_code == 204
    assert (await player.http.delete(f"/wishlist/items/by-product/{two}")).status_code == 204
    for gone in (f"/wishlist/items/{ids[0]}", f"/wishlist/items/by-product/{two}"):
        assert code_of(await player.http.delete(gone)) == (404, "GAME_NOT_FOUND_IN_WISHLIST")
    await player.buys(three)
    await wait_until(lambda: is_empty(player))
    owned = await player.post("/wishlist/items", {"product_id": str(three)})
    assert code_of(owned) == (409, "PRODUCT_ALREADY_OWNED")


async def is_empty(player):
    return not await wished(player)


async def test_the_list_is_bounded_and_nobody_sees_another_ones(player, new_player):
    item = await wish(player, uuid4())
    for _ in range(99):
        await wish(player, uuid4())
    full = await player.post("/wishlist/items", {"product_id": str(uuid4())})
    assert code_of(full) == (422, "WISHLIST_LIMIT_EXCEEDED")
    stranger = new_player()
    assert await wished(stranger) == []
    assert code_of(await stranger.http.delete(f"/wishlist/items/{item}")) == (404, "GAME_NOT_FOUND_IN_WISHLIST")
    assert code_of(await stranger.patch(f"/wishlist/items/{item}", {"notes": "x"})) == (
        404,
        "GAME_NOT_FOUND_IN_WISHLIST",
    )


async def test_wishes_are_published(player, platform, read_records):
    product = uuid4()
    await player.http.delete(f"/wishlist/items/{await wish(player, product)}")

    def both_published(records):
        types = [json.loads(one.value)["type"] for one in records if str(product).encode() in one.value]
        return types == [f"com.platform.library.wishlist.item.{what}.v1" for what in ("added", "removed")]

    await read_records(platform, "com.platform.library.events.v1", both_published)


async def test_a_sale_reaches_the_devices_and_the_notification_service(
    player, new_player, service, platform, next_message, read_records, conforms
):
    product, sale = uuid4(), f"sale-{uuid4()}"
    await say(
        platform,
        CloudEvent(
            "com.platform.catalog.product.updated.v1",
            {"productId": str(product), "newTitle": {"ru": "Маяк", "en": "Beacon"}},
        ),
    )
    item = await wish(player, product, target_price_minor=500, target_currency="RUB", min_discount_percent=50)
    await wish(new_player(), product, min_discount_percent=51)
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
        await next_message(socket, greeting=True)
        event = priced(product, sale, saleEndsAt="2199-01-01T00:00:00Z")
        await say(platform, event, event)
        message = await next_message(socket)
    assert message["event_type"] == "wishlist.item.on_sale"
    assert message["payload"] == {
        "wishlist_item_id": item,
        "product_id": str(product),
        "sale_id": sale,
        "price_minor": 500,
        "currency": "RUB",
        "discount_percent": 50,
        "sale_ends_at": "2199-01-01T00:00:00Z",
    }
    [shown] = (await player.get("/wishlist/items"))["data"]
    assert shown["attributes"]["title"] == "Маяк"
    assert shown["attributes"]["current_price"]["discount_percent"] == 50
    late = new_player()
    await wish(late, product)
    records = await read_records(platform, NOTIFICATIONS, lambda records: len(notified(records, sale)) >= 2)
    assert set(notified(records, sale)) == {(one.id, id_of(sale, product, one.id)) for one in (player, late)}
    for record in records:
        document = conforms("events/com.platform.notification.send.request.v1", json.loads(record.value))
        assert record.key.decode() == document["data"]["userId"]
        if sale.encode() in record.value:
            assert document["data"]["payloadVariables"]["gameName"] == "Маяк"


async def many_wishers(connection, product, count):
    """Users who wish for a product, as if they had done so one by one."""
    users = [uuid4() for _ in range(count)]
    await connection.copy_records_to_table(
        "user_streams", schema_name="gateway", columns=["user_id"], records=[(user,) for user in users]
    )
    now = await connection.fetchval("SELECT now()")
    await connection.copy_records_to_table(
        "wishlist_items",
        schema_name="wishlist",
        columns=["user_id", "id", "product_id", "added_at"],
        records=[(user, uuid4(), product, now) for user in users],
    )
    return users


async def test_users_who_are_busy_hold_up_nobody_and_are_notified_too(
    platform, service, connection, read_records, wait_until, new_player
):
    product, sale = uuid4(), f"sale-{uuid4()}"
    users = await many_wishers(connection, product, 300)
    busy, erased = users[:2], users[2]
    await connection.execute("UPDATE gateway.user_streams SET erased_at = now() WHERE user_id = $1", erased)

    async def notified_count():
        return await connection.fetchval("SELECT count(*) FROM wishlist.price_notifications WHERE sale_id = $1", sale)

    holder = await asyncpg.connect(platform.dsn)
    async with holder.transaction():
        for user in busy:
            await holder.fetch("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", user)
        await say(platform, priced(product, sale))
        first = sorted(users)[:200]
        free = len(set(first) - {*busy, erased})

        async def all_free_ones():
            return await notified_count() >= free

        await wait_until(all_free_ones)
        await asyncio.sleep(0.5)
    await holder.close()

    async def everybody():
        return await notified_count() == 299

    await wait_until(everybody)
    records = await read_records(platform, NOTIFICATIONS, lambda records: len(notified(records, sale)) >= 299)
    assert set(notified(records, sale)) == {(user, id_of(sale, product, user)) for user in set(users) - {erased}}


@pytest.mark.long
async def test_a_fan_out_killed_twice_notifies_everybody_exactly_once(create_platform_here, read_records, wait_until):
    platform = create_platform_here
    service = platform.service()
    service.start()
    connection = await asyncpg.connect(platform.dsn)
    product, sale = uuid4(), f"sale-{uuid4()}"
    users = await many_wishers(connection, product, 12_000)

    async def notified_count():
        return await connection.fetchval("SELECT count(*) FROM wishlist.price_notifications")

    async def is_notified(count):
        return await notified_count() >= count

    await say(platform, priced(product, sale))
    for part in (2_000, 7_000):
        await wait_until(lambda part=part: is_notified(part))
        service.kill()
        service = platform.service()
        service.start()
    await wait_until(lambda: is_notified(len(users)))
    expected = {(user, id_of(sale, product, user)) for user in users}
    records = await read_records(
        platform, NOTIFICATIONS, lambda records: len(set(notified(records, sale))) >= len(users)
    )
    assert set(notified(records, sale)) == expected
    per_user = await connection.fetch("SELECT user_id, count(*) AS n FROM gateway.feed GROUP BY user_id")
    assert {row["user_id"]: row["n"] for row in per_user} == dict.fromkeys(users, 1)
    for table in ("price_fanouts", "sale_fanouts"):
        assert await connection.fetchval(f"SELECT count(*) FROM wishlist.{table}") == 0
    await connection.close()


@pytest.fixture
def create_platform_here(create_platform):
    made = create_platform()
    yield made
    made.close()


async def test_wishes_over_grpc(player, service, caller, refusal):
    product = uuid4()
    own = caller(player.id)
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = WishlistServiceStub(channel)

        def add(metadata=own, **more):
            request = messages.AddToWishlistRequest(user_id=str(player.id), product_id=str(product), **more)
            return stub.AddToWishlist(request, metadata=metadata)

        def remove(metadata=own):
            request = messages.RemoveFromWishlistRequest(user_id=str(player.id), product_id=str(product))
            return stub.RemoveFromWishlist(request, metadata=metadata)

        added = await add(priority=2, target_price_minor=0, target_currency="RUB")
        assert (added.item.priority, added.item.HasField("target_price_minor")) == (2, True)
        assert await refusal(add()) == ("ALREADY_EXISTS", "WISHLIST_ITEM_ALREADY_EXISTS")
        request = messages.ListWishlistRequest(user_id=str(player.id))
        [listed] = (await stub.ListWishlist(request, metadata=caller(uuid4(), "service"))).items
        assert listed == added.item
        for other in (caller(uuid4()), caller(uuid4(), "service"), caller(uuid4(), "support")):
            assert await refusal(add(other)) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
            assert await refusal(remove(other)) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
        assert await refusal(add(target_currency="x")) == ("INVALID_ARGUMENT", "VALIDATION_ERROR")
        await remove()
        assert await refusal(remove()) == ("NOT_FOUND", "GAME_NOT_FOUND_IN_WISHLIST")


async def on_list(player):
    return {
        item["attributes"]["product_id"]: item["attributes"] for item in (await player.get("/wishlist/items"))["data"]
    }


async def test_each_wisher_sees_and_receives_the_price_in_their_currency(player, new_player, platform, wait_until):
    product, sale, american = uuid4(), f"sale-{uuid4()}", new_player()
    await wish(player, product)
    await wish(american, product, target_price_minor=500, target_currency="USD")
    await say(
        platform,
        priced(product, sale, priceMinor=25_000, oldPriceMinor=50_000),
        priced(product, sale, priceMinor=300, oldPriceMinor=600, currency="USD"),
    )

    async def sale_prices(one):
        return [
            (event["attributes"]["payload"]["currency"], event["attributes"]["payload"]["price_minor"])
            for event in (await one.get("/events", cursor=0))["data"]
            if event["attributes"]["event_type"] == "wishlist.item.on_sale"
        ]

    for one, expected in ((player, ("RUB", 25_000)), (american, ("USD", 300))):
        await wait_until(lambda one=one: sale_prices(one))
        assert await sale_prices(one) == [expected]
        price = (await on_list(one))[str(product)]["current_price"]
        assert (price["currency"], price["price_minor"]) == expected


async def test_all_thirty_wished_games_of_a_seasonal_sale_are_published(player, platform, wait_until, read_records):
    sale, products = f"sale-{uuid4()}", [uuid4() for _ in range(30)]
    for product in products:
        await wish(player, product)
    await say(platform, *(priced(product, sale) for product in products))
    records = await read_records(platform, NOTIFICATIONS, lambda records: len(notified(records, sale)) >= 30)
    assert set(notified(records, sale)) == {(player.id, id_of(sale, product, player.id)) for product in products}


async def test_a_lasting_cut_reaches_the_devices_and_the_notification_service(
    player, service, platform, next_message, read_records, conforms, wait_until
):
    product = uuid4()
    item = await wish(player, product, target_price_minor=600, target_currency="RUB")
    await say(platform, priced(product, None, priceMinor=1000))

    async def is_priced():
        return (await on_list(player))[str(product)]["current_price"]

    await wait_until(is_priced)
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
        await next_message(socket, greeting=True)
        await say(platform, priced(product, None), priced(product, None))
        message = await next_message(socket)
    assert message["event_type"] == "wishlist.item.price_dropped"
    assert message["payload"] == {
        "wishlist_item_id": item,
        "product_id": str(product),
        "price_minor": 500,
        "currency": "RUB",
        "old_price_minor": 1000,
    }

    def mine(records):
        documents = [json.loads(record.value) for record in records]
        return [one for one in documents if one["data"]["userId"] == str(player.id)]

    [document] = mine(await read_records(platform, NOTIFICATIONS, mine))
    conforms("events/com.platform.notification.send.request.v1", document)
    assert document["data"]["templateName"] == "wishlist_price_drop_push"
    assert document["data"]["payloadVariables"] == {
        "gameName": None,
        "priceMinor": 500,
        "currency": "RUB",
        "oldPriceMinor": 1000,
    }
