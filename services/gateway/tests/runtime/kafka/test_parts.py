"""Invalid elements of events: the valid ones are applied at once, and the others once they are corrected."""

import json
from uuid import uuid4

import pytest

PAYMENTS = "com.platform.payment.events.v1"
KIND = "com.platform.payment.purchase.{}.v1"


async def test_the_good_items_count_however_many_are_wrong(player, send, encode, letters_with, owns):
    games, marker = [uuid4() for _ in range(3)], f"order-{uuid4()}"
    items = [*({"productId": str(game)} for game in games), *({"productId": f"bad-{n}"} for n in range(250))]
    data = {"userId": str(player.id), "orderId": marker, "items": items}
    value = encode(KIND.format("completed"), data, id=marker)
    await send(PAYMENTS, str(player.id).encode(), value)
    await owns(player, *games)
    letters = await letters_with(marker, 250)
    kept = [json.loads(letter["value"]) for letter in letters]
    assert {one["id"] for one in kept} == {f"{marker}#items[{number}]" for number in range(3, 253)}
    assert all(len(one["data"]["items"]) == 1 for one in kept)
    assert {letter["reason"] for letter in letters} == {"MALFORMED_DATA"}
    assert {letter["detail"].partition(":")[0] for letter in letters} == {
        f"items.{number}.productId" for number in range(3, 253)
    }


@pytest.mark.parametrize("more", [{}, {"refundId": "r"}], ids=["by event", "by refund"])
async def test_copies_in_a_mended_part_add_up_with_those_that_were_applied(
    player, send, encode, letters_with, owns, connection, wait_until, more
):
    game, marker, others = uuid4(), f"order-{uuid4()}", []

    async def send_as_player(value):
        await send(PAYMENTS, str(player.id).encode(), value)

    def event(kind, *quantities, **more):
        items = [{"productId": str(game), "quantity": quantity} for quantity in quantities]
        data = {"userId": str(player.id), "orderId": marker, "items": items, **more}
        return encode(KIND.format(kind), data, id=f"{marker}-{kind}")

    async def has(table, quantity):
        query = f"SELECT quantity FROM library.{table} WHERE user_id = $1 AND product_id = $2"
        return [row["quantity"] for row in await connection.fetch(query, player.id, game)] == [quantity]

    async def mended(kind):
        """The part of the event whose quantity is text, once it is a number."""
        [letter] = await letters_with(f"{marker}-{kind}#", 1)
        return letter["value"].replace(b'"quantity": "three"', b'"quantity": 3')

    for kind, table in (("completed", "ownership_grants"), ("refunded", "order_facts")):
        await send_as_player(event(kind, 1, "three", 2, **(more if kind == "refunded" else {})))
        await wait_until(lambda table=table: has(table, 3))
        part = await mended(kind)
        await send_as_player(part)
        await wait_until(lambda table=table: has(table, 6))
        # Once more under another id, as when somebody sends it by hand.
        await send_as_player(part.replace(f"{marker}-{kind}#".encode(), f"{marker}-{kind}-again#".encode()))
        await player.buys(other := uuid4())
        others.append(other)
        await owns(player, *others, *([game] if kind == "completed" else []))
        assert await has(table, 6)


@pytest.mark.long
async def test_a_bundle_of_thousands_of_games_is_bought_and_refunded_at_once(player, send, encode, wait_until):
    games = [str(uuid4()) for _ in range(1_741)]
    data = {"userId": str(player.id), "orderId": "bundle", "items": [{"productId": game} for game in games]}
    for kind, count in (("completed", len(games)), ("refunded", 0)):
        await send(PAYMENTS, str(player.id).encode(), encode(KIND.format(kind), data))

        async def has(count=count):
            return (await player.get("/items", limit=1))["meta"]["total_items"] == count

        await wait_until(has)
