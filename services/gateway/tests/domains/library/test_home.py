"""The first screen of a launcher, and what items include, of players with games of every kind.

Among them faults that users reported of other launchers: hidden and uninstalled games, games that were only added.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from gameshelf.devstack.answers import attributes_of, code_of
from gameshelf.devstack.events import CloudEvent

UPDATED, PRICED = "com.platform.catalog.product.updated.v1", "com.platform.catalog.price.updated.v1"
REFUNDED = "com.platform.payment.purchase.refunded.v1"
ENTRIES = ("continue_playing", "new_items", "playing_now", "conflicts", "wishes_on_sale")


async def home(player, **params):
    return (await player.get("/home", **params))["data"]["attributes"]


def products(items):
    return [item["attributes"]["product_id"] for item in items]


def titled(product, title, **more):
    return CloudEvent(UPDATED, {"productId": str(product), "newTitle": {"ru": title, "en": title}, **more})


def achievement(name):
    return {"id": str(uuid4()), "apiName": name}


async def play(player, *games, device="deck"):
    """Imports a session of each game: the later a game stands, the later it was played."""
    now = datetime.now(UTC).replace(microsecond=0)
    sessions = []
    for number, game in enumerate(games):
        end = now - timedelta(minutes=2 * (len(games) - number))
        start = (end - timedelta(minutes=1)).isoformat()
        one = {"product_id": str(game), "start_time": start, "end_time": end.isoformat(), "device_id": device}
        sessions.append({"client_session_id": uuid4().hex, **one})
    answer = await player.post("/playtime/sessions/import", {"sessions": sessions})
    assert {one["attributes"]["result"] for one in answer.json()["data"]} == {"accepted"}


@pytest.fixture
async def owned(player, wait_until):
    """Lets a player own so many games, which they have had for a day."""

    async def own(count, of=player):
        games = [uuid4() for _ in range(count)]
        since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        before = len(await of.products())
        await of.buys(*games, purchaseTimestamp=since)

        async def has_all():
            return len(await of.products()) == before + count

        await wait_until(has_all)
        return games

    return own


async def test_a_user_without_anything_has_an_empty_screen(player):
    found = await player.get("/home", device_id="deck")
    assert found["data"]["id"] == str(player.id)
    attributes = found["data"]["attributes"]
    assert all(attributes[name] == [] for name in ENTRIES)
    assert {name: value for name, value in attributes.items() if name.endswith("_count")} == {
        "item_count": 0,
        "conflict_count": 0,
        "wish_on_sale_count": 0,
    }
    storage = attributes["storage"]
    assert (storage["used_bytes"], storage["reserved_bytes"]) == (0, 0)
    assert storage["limit_bytes"] > 0
    assert (await player.get("/events", cursor=found["meta"]["cursor"]))["data"] == []
    assert code_of(await player.http.get("/home", params={"device": "deck"}))[0] == 400


async def test_a_screen_shows_what_each_domain_knows(player, owned, wait_until):
    played, running, fresh = await owned(3)
    wished = uuid4()
    defined = [achievement("A"), achievement("B")]
    sale = {"productId": str(wished), "priceMinor": 500, "oldPriceMinor": 1000, "currency": "RUB", "saleId": "sale"}
    await player.publish(
        titled(played, "Played", achievements=defined), titled(wished, "Wished"), CloudEvent(PRICED, sale)
    )
    assert (await player.post("/wishlist/items", {"product_id": str(wished)})).status_code == 201
    await play(player, played)
    started = await player.post("/playtime/sessions/start", {"product_id": str(running), "device_id": "deck"})
    session = attributes_of(started, 201)

    async def is_unlocked():
        return (await player.post(f"/achievements/{defined[0]['id']}/unlock")).status_code in (200, 409)

    await wait_until(is_unlocked)

    async def is_on_sale():
        return (await home(player))["wishes_on_sale"]

    await wait_until(is_on_sale)
    found = await home(player, device_id="deck")
    assert products(found["continue_playing"]) == [str(running), str(played)]
    last = found["continue_playing"][1]["attributes"]
    assert last["title"] == "Played"
    unlocked = last["achievements"]
    assert (unlocked["unlocked"], unlocked["total"], unlocked["percentage"]) == (1, 2, 50.0)
    assert last["playtime"] == {"last_2_weeks_seconds": 60, "session_count": 1}
    assert last["saves"] is None
    now = found["continue_playing"][0]["attributes"]
    assert (now["achievements"], now["title"]) == (None, None)
    assert (set(products(found["new_items"])), found["item_count"]) == (
        {str(one) for one in (played, running, fresh)},
        3,
    )
    [shown] = found["playing_now"]
    assert (shown["device_id"], shown["start_time"]) == ("deck", session["start_time"])
    [offer] = found["wishes_on_sale"]
    assert (offer["product_id"], offer["discount_percent"], offer["title"]) == (str(wished), 50, "Wished")


@pytest.mark.long
async def test_the_ten_played_last_are_shown_and_no_hidden_one(player, owned):
    games = await owned(13)
    await play(player, *games[1:])
    items = {item["attributes"]["product_id"]: item["id"] for item in (await player.get("/items", limit=50))["data"]}
    hidden = games[-2]
    assert (await player.patch(f"/items/{items[str(hidden)]}", {"is_hidden": True})).status_code == 200
    found = await home(player)
    expected = [str(game) for game in reversed(games[1:]) if game != hidden]
    assert products(found["continue_playing"]) == expected[:10]
    assert str(hidden) not in products(found["new_items"])
    assert found["item_count"] == 12


async def test_a_refunded_game_is_left_out_though_it_was_played(player, owned, wait_until):
    [game] = await owned(1)
    kept = await owned(1)
    order = f"order-{uuid4()}"
    second = uuid4()
    await player.buys(second, order=order, purchaseTimestamp=(datetime.now(UTC) - timedelta(days=1)).isoformat())

    async def is_there():
        return str(second) in await player.products()

    await wait_until(is_there)
    await play(player, game, second)
    data = {"userId": str(player.id), "orderId": order, "items": [{"productId": str(second)}]}
    await player.publish(CloudEvent(REFUNDED, data))

    async def is_gone():
        return products((await home(player))["continue_playing"]) == [str(game)]

    await wait_until(is_gone)
    assert set(products((await home(player))["new_items"])) == {str(game), *map(str, kept)}


async def test_a_member_sees_shared_games_with_a_state_of_their_own(player, new_player, owned):
    member = new_player()
    [game] = await owned(1)
    await play(player, game)
    link = await player.post("/family/links", {"shared_with_user_id": str(member.id), "mode": "all"})
    identity = link.json()["data"]["id"]
    assert (await member.post(f"/family/links/{identity}/accept")).status_code == 200
    await member.keeps_shares()
    found = await home(member)
    assert (found["continue_playing"], products(found["new_items"])) == ([], [str(game)])
    started = attributes_of(await member.post("/playtime/sessions/start", {"product_id": str(game)}), 201)
    found = await home(member)
    [shown] = found["continue_playing"]
    assert shown["attributes"]["shared_from_user_id"] == str(player.id)
    assert shown["attributes"]["playtime"] == {"last_2_weeks_seconds": 0, "session_count": 0}  # not that of the owner
    assert found["playing_now"][0]["start_time"] == started["start_time"]
    assert (await player.post(f"/family/links/{identity}/revoke")).status_code == 200
    found = await home(member)
    assert (found["continue_playing"], found["new_items"]) == ([], [])


async def test_an_uninstalled_game_is_not_shown_as_installed(player, owned):
    [game] = await owned(1)
    await play(player, game)
    [item] = (await player.get("/items"))["data"]
    for status in ("installed", "not_installed"):
        change = {"installation_status": status, "device_id": "deck"}
        assert (await player.patch(f"/items/{item['id']}", change)).status_code == 200
        [shown] = (await home(player, device_id="deck"))["continue_playing"]
        assert shown["attributes"]["installation_status"] == status
    [elsewhere] = (await home(player, device_id="desktop"))["continue_playing"]
    assert elsewhere["attributes"]["installation_status"] == "not_installed"


async def test_a_game_that_was_only_added_was_not_played(player, owned):
    [game] = await owned(1)
    found = await home(player)
    assert (found["continue_playing"], products(found["new_items"])) == ([], [str(game)])


async def test_the_game_played_last_comes_first_whenever_it_is_reported(player, owned):
    one, other = await owned(2)
    await play(player, one, other)
    assert products((await home(player))["continue_playing"]) == [str(other), str(one)]
    started = await player.post("/playtime/sessions/start", {"product_id": str(one), "device_id": "desktop"})
    assert started.status_code == 201
    assert products((await home(player))["continue_playing"]) == [str(one), str(other)]
    await play(player, other)
    assert products((await home(player))["continue_playing"]) == [str(one), str(other)]


@pytest.mark.long
async def test_a_screen_answers_304_until_something_changes(player, owned, wait_until):
    [game] = await owned(1)
    await play(player, game)
    wished = uuid4()
    await player.post("/wishlist/items", {"product_id": str(wished)})
    tag = None

    async def status():
        return (await player.http.get("/home", headers={"If-None-Match": tag})).status_code

    async def is_new():
        return await status() == 200

    sale = {"productId": str(wished), "priceMinor": 500, "oldPriceMinor": 1000, "currency": "RUB", "saleId": "sale"}
    changes = [
        lambda: player.post("/playtime/sessions/start", {"product_id": str(game)}),
        lambda: player.publish(titled(game, "A title")),
        lambda: player.publish(titled(game, "A title", newCoverImageUrl="https://cdn.example/new.jpg")),
        lambda: player.publish(titled(game, "A title", achievements=[achievement("A")])),
        lambda: player.publish(CloudEvent(PRICED, sale)),
        lambda: player.publish(CloudEvent(PRICED, {**sale, "priceMinor": 400})),
    ]
    for change in changes:
        first = await player.http.get("/home")
        tag = first.headers["ETag"]
        assert (await player.http.get("/home")).content == first.content
        assert await status() == 304
        await change()
        await wait_until(is_new)
    tags = {(await player.http.get("/home", params=params)).headers["ETag"] for params in ({}, {"device_id": "deck"})}
    assert len(tags) == 2
    assert (await player.http.get("/home", headers={"Accept-Language": "en"})).headers["ETag"] not in tags


async def test_items_include_what_is_asked_for(player, owned, wait_until):
    one, other = await owned(2)
    await play(player, one)
    await player.publish(titled(other, "Other", achievements=[achievement("A")]))

    async def is_known():
        listed = await player.get("/items", include="achievements", product_ids=str(other))
        return listed["data"][0]["attributes"]["achievements"]

    assert (await wait_until(is_known))["total"] == 1
    plain = await player.get("/items")
    assert not {"achievements", "saves", "playtime"} & plain["data"][0]["attributes"].keys()
    page = await player.http.get("/items", params={"include": "playtime,saves", "device_id": "deck"})
    assert "include=saves" in page.json()["links"]["self"] or "include=playtime" in page.json()["links"]["self"]
    by_product = {item["attributes"]["product_id"]: item["attributes"] for item in page.json()["data"]}
    assert by_product[str(one)]["playtime"] == {"last_2_weeks_seconds": 60, "session_count": 1}
    assert (by_product[str(other)]["playtime"], by_product[str(other)]["saves"]) == (None, None)
    assert "achievements" not in by_product[str(one)]
    known = {"If-None-Match": page.headers["ETag"]}
    again = {"params": {"include": "playtime,saves", "device_id": "deck"}, "headers": known}
    assert (await player.http.get("/items", **again)).status_code == 304
    await play(player, other)
    assert (await player.http.get("/items", **again)).status_code == 200
    item = next(item["id"] for item in plain["data"] if UUID(item["attributes"]["product_id"]) == one)
    single = attributes_of(await player.http.get(f"/items/{item}", params={"include": "achievements,playtime"}))
    assert (single["achievements"], single["playtime"]["session_count"]) == (None, 1)
    assert code_of(await player.http.get("/items", params={"include": "friends"}))[0] == 400
