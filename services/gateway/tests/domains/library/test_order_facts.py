"""Events of the Payment service about orders, keys and gifts after it gave them."""

from uuid import uuid4

from gameshelf.devstack.events import CloudEvent

PAYMENT = "com.platform.payment."


def order_event(name, player, *items, order="order-1", **more):
    """Items are (product, quantity); a quantity of None is left out."""
    listed = [{"productId": str(product), **({"quantity": n} if n else {})} for product, n in items]
    data = {"userId": str(player.id), "orderId": order, "items": listed, **more}
    return CloudEvent(f"{PAYMENT}purchase.{name}.v1", data)


async def owned_after(player, wait_until, *events):
    """Returns the owned products once these events are applied, without the markers that show that they are."""
    marker = uuid4()
    await player.publish(*events)
    await player.buys(marker, order=f"marker-{marker}", items=[{"productId": str(marker), "productType": "marker"}])

    async def arrived():
        items = (await player.get("/items"))["data"]
        types = {item["attributes"]["product_id"]: item["attributes"]["product_type"] for item in items}
        return types if str(marker) in types else None

    return {product for product, kind in (await wait_until(arrived)).items() if kind != "marker"}


async def test_an_order_of_two_of_which_one_is_refunded_is_still_owned(player, wait_until):
    game = uuid4()
    bought = order_event("completed", player, (game, 2))
    one_back = order_event("refunded", player, (game, 1))
    assert await owned_after(player, wait_until, bought, one_back) == {str(game)}
    # The same refund, published once more under another event's id.
    again = order_event("refunded", player, (game, 1), refundId="r-2")
    same = order_event("refunded", player, (game, 1), refundId="r-2")
    assert await owned_after(player, wait_until, again, same) == set()


async def test_equal_products_of_one_order_add_up(player, wait_until):
    game = uuid4()
    bought = order_event("completed", player, (game, 1), (game, None))
    assert await owned_after(player, wait_until, bought, order_event("refunded", player, (game, 1))) == {str(game)}
    all_back = order_event("refunded", player, (game, 1), (game, None))
    assert await owned_after(player, wait_until, all_back) == set()


async def test_one_refund_id_published_twice_is_one_refund(player, wait_until):
    game = uuid4()
    bought = order_event("completed", player, (game, 2))
    refunds = [order_event("refunded", player, (game, 1), refundId="r-1") for _ in range(2)]
    assert await owned_after(player, wait_until, bought, *refunds) == {str(game)}


async def test_a_chargeback_that_was_reversed_brings_the_game_back(player, wait_until):
    game, other = uuid4(), uuid4()
    bought = order_event("completed", player, (game, 1), (other, 1))
    back = order_event("refunded", player, (game, 1), (other, 1))
    assert await owned_after(player, wait_until, bought, back) == set()
    reinstated = order_event("reinstated", player, (game, None), reinstatementId="x")
    assert await owned_after(player, wait_until, reinstated) == {str(game)}


async def test_keys_and_gifts_can_be_revoked_before_they_arrive(player, wait_until):
    about = {"userId": str(player.id), "timestamp": "2026-01-01T00:00:00Z"}
    games = [str(uuid4()) for _ in range(4)]
    given, taken = [], []
    for game, (kind, given_as) in zip(games, [("key", "activated"), ("gift", "received")] * 2, strict=True):
        data = {**about, "productId": game, f"{kind}Id": f"{kind}-{game}"}
        given.append(CloudEvent(f"{PAYMENT}{kind}.{given_as}.v1", data))
        taken.append(CloudEvent(f"{PAYMENT}{kind}.revoked.v1", data))
    assert await owned_after(player, wait_until, *given[:2], *taken[2:]) == set(games[:2])
    assert await owned_after(player, wait_until, *taken[:2], *given[2:]) == set()
    events = (await player.get("/events", cursor="0"))["data"]
    removed = [entry["attributes"] for entry in events if entry["attributes"]["event_type"] == "library.item.removed"]
    assert [one["payload"]["reason"] for one in removed] == ["revoked"] * 2
