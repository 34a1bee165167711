"""Whose share of a game a member sees, and what has to be written when an owner's games change."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from gameshelf.library._shares.rules import ListedProduct, Offer, ShareDifference, counting, difference

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def product(added=NOW, kind="game", product_id=None):
    return ListedProduct(product_id or uuid4(), kind, added)


def by_id(*products):
    return {one.product_id: one for one in products}


def test_only_what_differs_is_written():
    same, new, gone, old = product(), product(), product(), product()
    later = product(NOW + timedelta(days=1), product_id=old.product_id)
    assert difference(by_id(same, gone, old), by_id(same, new, later)) == ShareDifference((new, later), (gone,))
    assert difference(by_id(same), by_id(same)) == ShareDifference((), ())


def test_of_two_offers_the_older_link_counts_and_then_the_lower_id():
    older = Offer(uuid4(), NOW + timedelta(days=9), NOW, UUID(int=2))
    newer = Offer(uuid4(), NOW, NOW + timedelta(days=1), UUID(int=1))
    equal = Offer(uuid4(), NOW, NOW, UUID(int=3))
    assert counting(older, newer) == counting(newer, older) == older
    assert counting(equal, older) == older
    assert (counting(None, newer), counting(older, None), counting(None, None)) == (newer, older, None)


def test_access_begins_with_the_later_of_purchase_and_link():
    assert Offer(uuid4(), NOW + timedelta(days=9), NOW, uuid4()).since == NOW + timedelta(days=9)
    assert Offer(uuid4(), NOW, NOW + timedelta(days=1), uuid4()).since == NOW + timedelta(days=1)
