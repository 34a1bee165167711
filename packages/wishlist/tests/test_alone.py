"""The package without the gateway: many transactions at once on one user, which nothing else serialises."""

from uuid import uuid4

import asyncpg
import pytest
from gameshelf.kernel.paging import Page
from gameshelf.kernel.serialise import NotInTransaction, lock_idle_users
from gameshelf.wishlist import MIGRATIONS, NewWish, WishChanges, WishlistQueries

TIMES = 15


@pytest.fixture(scope="module")
def dsn(create_database):
    """A database of these tests alone, for tests that commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def watching(dsn):
    """A connection that sees committed rows."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
def listed(watching):
    async def listed(user):
        return [item.wish for item in (await WishlistQueries(watching).items(user, Page())).items]

    return listed


@pytest.mark.parametrize("is_serialised", [True, False])
async def test_one_of_many_adds_of_a_product_succeeds(dsn, side_by_side, make_wishers, listed, is_serialised):
    """Also where the port is answered wrongly: then the constraint decides."""
    user, product, events = uuid4(), uuid4(), []

    async def trusting(user_id):
        pass

    async def add(connection, _):
        wishers = make_wishers(connection, None if is_serialised else trusting)
        await wishers.wish(user, product)
        events.extend(wishers.events)

    came = await side_by_side(dsn, TIMES, add)
    assert came == {"done": 1, "WishlistItemAlreadyExists": TIMES - 1}
    [wish] = await listed(user)
    assert [event.item_id for event in events] == [wish.id]


async def test_many_adds_do_not_exceed_the_limit(dsn, side_by_side, make_wishers, listed):
    user = uuid4()
    came = await side_by_side(dsn, TIMES, lambda connection, _: make_wishers(connection).wish(user))
    assert came == {"done": 5, "WishlistLimitExceeded": TIMES - 5}
    assert len(await listed(user)) == 5


async def test_changes_at_once_lose_nothing_of_each_other(dsn, side_by_side, make_wishers, listed, watching):
    user = uuid4()
    async with watching.transaction():
        wish = await make_wishers(watching).wish(user)

    async def change(connection, number):
        sent = {"notes": "n"} if number % 2 else {"priority": 7}
        await make_wishers(connection).service.change_item(user, wish.id, WishChanges(**sent))

    assert await side_by_side(dsn, TIMES, change) == {"done": TIMES}
    [changed] = await listed(user)
    assert (changed.notes, changed.priority) == ("n", 7)


async def test_a_use_case_outside_a_transaction_is_refused(watching, make_wishers, listed):
    user = uuid4()
    with pytest.raises(NotInTransaction):
        await make_wishers(watching).service.add_product(user, NewWish(product_id=uuid4()))
    assert await listed(user) == []


async def test_a_job_leaves_out_users_who_are_changing_their_list(dsn, make_wishers, watching):
    user, other = uuid4(), uuid4()
    changing = await asyncpg.connect(dsn)
    async with changing.transaction(), watching.transaction():
        await make_wishers(changing).wish(user)
        assert await lock_idle_users(watching, [user, other]) == {other}
    await changing.close()
