"""What unlocks read first."""

from uuid import uuid4

from gameshelf.gateway.domains.achievements.openings import KNOWN, KnownProducts, unlocks


def test_the_product_of_achievements_that_were_met_is_known():
    known, game, first, second = KnownProducts(), uuid4(), uuid4(), uuid4()
    assert known.product_of([first]) is None
    known.learn(first, game)
    assert known.product_of([first]) == game
    assert known.product_of([first, second]) is None
    known.learn(second, game)
    assert known.product_of([first, second]) == game


def test_achievements_of_two_products_have_none():
    known, first, second = KnownProducts(), uuid4(), uuid4()
    known.learn(first, uuid4())
    known.learn(second, uuid4())
    assert known.product_of([first, second]) is None


def test_no_more_products_are_kept_than_allowed():
    known, game = KnownProducts(max_known=2), uuid4()
    met = [uuid4() for _ in range(3)]
    for one in met:
        known.learn(one, game)
    assert [known.product_of([one]) for one in met] == [None, game, game]


def test_access_is_read_with_the_states_once_the_product_is_known():
    met = uuid4()
    assert len(unlocks(uuid4(), [met]).lookups) == 1
    KNOWN.learn(met, uuid4())
    assert len(unlocks(uuid4(), [met]).lookups) == 2
