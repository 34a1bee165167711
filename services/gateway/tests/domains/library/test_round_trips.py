"""The first screen and the parts of items cost what the table in ``docs/architecture.md`` says, and are of one user."""

import re
from uuid import uuid4

import pytest
from gameshelf.devstack.statements import PACKAGES, Class, classify, tables

HOME = "`GET /home`"
KNOWN = "`GET /home`, known to this process; `304`"
PARTS = "`GET /items?include=achievements,saves,playtime`, also `/items/{id}`"
ALL_PARTS = {"include": "achievements,saves,playtime"}
KEYS = {name: key for package in PACKAGES for name, key in tables(package).items()}


def classes(measured, user_id):
    """The class of each statement. A combined one has the user several times, which is one parameter here."""
    found = set()
    for query, values in zip(measured.statements, measured.values, strict=True):
        users = {f"${number}" for number, value in enumerate(values, 1) if value == user_id}
        alike = re.sub(r"\$\d+", lambda match, users=users: "$1000" if match[0] in users else match[0], query)
        found.add(classify(alike, KEYS).kind)
    return found


@pytest.mark.parametrize("count", [0, 1, pytest.param(14, marks=pytest.mark.long)])
async def test_a_screen_costs_the_same_however_much_there_is(measured, documented, player, wait_until, count):
    games = [uuid4() for _ in range(count)]
    if games:
        await player.buys(*games)
        await wait_until(player.products)
    for game in games:
        started = await player.post("/playtime/sessions/start", {"product_id": str(game), "device_id": "deck"})
        assert started.status_code == 201
    first, cost = await measured.cost("GET", "/home", params={"device_id": "deck"})
    assert cost == documented[HOME] - (0 if games else 1)
    assert classes(measured, player.id) <= {Class.ROUTER, Class.REFERENCE}
    _, cost = await measured.cost("GET", "/home", params={"device_id": "deck"})
    assert cost == documented[KNOWN]
    known = {"If-None-Match": first.headers["ETag"]}
    _, cost = await measured.cost("GET", "/home", status=304, params={"device_id": "deck"}, headers=known)
    assert cost == documented[KNOWN]
    assert classes(measured, player.id) <= {Class.ROUTER, Class.REFERENCE}


async def test_what_no_version_covers_costs_two_more_when_it_changes(measured, documented, player, connection):
    product = uuid4()
    assert (await player.post("/wishlist/items", {"product_id": str(product)})).status_code == 201
    await measured.cost("GET", "/home")
    await connection.execute(
        "INSERT INTO wishlist.currency_prices (product_id, currency, price_minor, discount_percent, sale_id, said_at) "
        "VALUES ($1, 'RUB', 500, 50, 'sale', now())",
        product,
    )
    shown, cost = await measured.cost("GET", "/home")
    assert cost == documented[KNOWN] + 2
    assert shown.json()["data"]["attributes"]["wish_on_sale_count"] == 1


async def test_the_parts_of_all_items_cost_one_more(measured, documented, player, wait_until):
    await player.buys(*(uuid4() for _ in range(7)))
    await wait_until(player.products)
    listed, cost = await measured.cost("GET", "/items", params=ALL_PARTS)
    assert cost == documented[PARTS]
    assert classes(measured, player.id) <= {Class.ROUTER, Class.REFERENCE}
    item = listed.json()["data"][0]["id"]
    _, cost = await measured.cost("GET", f"/items/{item}", params=ALL_PARTS)
    assert cost == documented[PARTS]
