"""Ids of items are UUIDs that validators accept, also those that a release before has written without their bits."""

from datetime import timedelta
from uuid import RFC_4122, UUID, uuid4

import pytest
from gameshelf.kernel.database import Statement
from gameshelf.kernel.errors import InvalidInput
from gameshelf.library import BEGINNING, BulkChanges, ItemChanges, ItemIdRewrites, LibraryItemNotFound, NewCategory
from gameshelf.library._commands import BulkItem
from gameshelf.library._item_ids import item_id, item_id_sql, masked, masked_sql, spellings
from sqlalchemy import Uuid, bindparam, select


def is_valid(one):
    return (one.version, one.variant) == (8, RFC_4122)


async def test_an_id_is_of_version_8_in_python_and_in_sql(library):
    derived = select(
        item_id_sql(bindparam("u", type_=Uuid), bindparam("p", type_=Uuid)).label("derived"),
        masked_sql(bindparam("p", type_=Uuid)).label("masked"),
    )
    for _ in range(50):
        user, product = uuid4(), uuid4()
        found = await Statement(derived).first(library.connection, u=user, p=product)
        assert (found["derived"], found["masked"]) == (item_id(user, product), masked(product))
        assert is_valid(found["derived"])
        assert is_valid(found["masked"])
    assert masked(UUID(int=0)) == UUID("00000000-0000-8000-8000-000000000000")
    assert masked(UUID(int=2**128 - 1)) == UUID("ffffffff-ffff-8fff-bfff-ffffffffffff")


def test_every_spelling_of_an_id_is_known():
    one = uuid4()
    known = spellings(one)
    assert len(known) == len(set(known)) == 64
    assert known[0] == masked(one)
    assert one in known
    assert {masked(other) for other in known} == {known[0]}


@pytest.fixture
async def old(library):
    """An item as a release before has written it, in a category: its id then, and its product."""
    game, other = uuid4(), uuid4()
    await library.buy(game, other)
    category = await library.service.create_category(library.user, NewCategory(name="Любимые"))
    before = await library.change(game, category_ids=(category.id,))
    written = UUID(int=before.id.int ^ (0xB << 76 | 0x80 << 56))  # version 3, another variant
    assert masked(written) == masked(before.id)
    links = "DELETE FROM library.user_library_item_to_categories WHERE user_id = $1"
    await library.connection.execute(links, library.user)
    await library.connection.execute(
        "UPDATE library.user_library_items SET id = $3 WHERE user_id = $1 AND product_id = $2",
        library.user,
        game,
        written,
    )
    await library.connection.execute(
        "INSERT INTO library.user_library_item_to_categories VALUES ($1, $2, $3)", library.user, written, category.id
    )
    library.recorded()
    return written, game, category.id


async def test_an_old_id_and_the_new_one_find_the_same_item(library, old):
    written, game, category = old
    for one in (written, masked(written)):
        item = await library.queries.item(library.user, one, "ru")
        assert (item.product_id, item.category_ids) == (game, [category])
    for one, hidden in ((written, True), (masked(written), False)):
        changed = await library.service.update_item(library.user, one, ItemChanges(is_hidden=hidden), "ru")
        assert (changed.product_id, changed.is_hidden) == (game, hidden)
    with pytest.raises(LibraryItemNotFound):
        await library.service.update_item(uuid4(), masked(written), ItemChanges(is_hidden=True), "ru")


async def test_many_items_are_changed_by_old_ids_and_new_ones(library, old):
    written, game, _ = old
    [other] = [item for item in await library.queries.items_of_products(library.user, []) if item.product_id != game]
    for one, hidden in ((written, True), (masked(written), False)):
        items = [BulkItem(id=one, is_hidden=hidden), BulkItem(id=other.id, is_hidden=hidden), BulkItem(id=uuid4())]
        results = await library.service.update_items(library.user, BulkChanges(items=items))
        assert [(result.id, result.result) for result in results] == [
            (one, "updated"),
            (other.id, "updated"),
            (items[2].id, "rejected"),
        ]
    twice = BulkChanges(items=[BulkItem(id=one, is_hidden=True) for one in (written, masked(written))])
    with pytest.raises(InvalidInput):
        await library.service.update_items(library.user, twice)


async def test_a_row_and_its_links_are_rewritten_together(library, old):
    written, game, category = old
    rewrites = ItemIdRewrites(library.connection)
    await rewrites.rewrite(uuid4())
    assert (await library.item(game)).id == written
    for _ in range(2):
        await rewrites.rewrite(library.user)
        item = await library.item(game)
        assert (item.id, item.category_ids) == (masked(written), [category])
    [shown] = await library.queries.categories(library.user)
    assert shown.item_count == 1
    assert (await library.queries.item(library.user, written, "ru")).id == masked(written)


async def test_a_scan_names_those_whose_ids_are_old_and_ends(library, old):
    rewrites = ItemIdRewrites(library.connection)
    progress = await rewrites.lock_progress()
    assert (progress.user_id, progress.item_id, progress.finished_at) == (BEGINNING, BEGINNING, None)
    # Not while the rollout may last.
    [[now]] = await library.connection.fetch("SELECT now()")
    assert progress.not_before > now + timedelta(hours=20)
    part = await rewrites.scan(progress, 10)
    assert part.user_ids == (library.user,)
    assert part.last[0] == library.user
    await rewrites.rewrite(library.user)
    assert (await rewrites.scan(progress, 10)).user_ids == ()


async def test_what_a_member_sees_of_a_shared_game_has_such_an_id_too(family):
    await family.share()
    for item in (await family.shown(family.member)).values():
        assert is_valid(item.id)
        changed = await family.library.update_item(family.member, item.id, ItemChanges(is_hidden=True), "ru")
        assert changed.id == item.id
