"""Facts about ownership in any order, twice or late: what is owned in the end is what plain arithmetic says."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from gameshelf.devstack.pytest_plugin import sized
from gameshelf.library import AcquisitionType, GameAdded, GameRemoved, GrantKind, ItemUpdated, NewGrant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GAMES = [uuid4() for _ in range(2)]
TYPES = {
    GrantKind.ORDER: AcquisitionType.PURCHASE,
    GrantKind.KEY: AcquisitionType.KEY_ACTIVATION,
    GrantKind.GIFT: AcquisitionType.GIFT,
}


class Source(NamedTuple):
    product: UUID
    kind: GrantKind
    source_id: str


class Granted(NamedTuple):
    source: Source
    days_ago: int
    quantity: int = 1


class Ended(NamedTuple):
    """The end of a key or gift."""

    source: Source


class Changed(NamedTuple):
    """A refund or reinstatement of an order; what it says follows from its number, so that one number is one fact."""

    source: Source
    number: int
    is_refund: bool

    @property
    def quantity(self):
        return (None, 1, 2)[self.number % 3]

    @property
    def minute(self):
        return self.number // 2


sources = st.builds(Source, st.sampled_from(GAMES), st.sampled_from(list(TYPES)), st.sampled_from(["1", "2"]))
orders = st.builds(Source, st.sampled_from(GAMES), st.just(GrantKind.ORDER), st.sampled_from(["1", "2"]))
ending = sources.filter(lambda source: source.kind is not GrantKind.ORDER)
facts = st.one_of(
    st.builds(Granted, sources, st.integers(0, 3), st.integers(1, 3)),
    st.builds(Ended, ending),
    st.builds(Changed, orders, st.integers(0, 5), st.booleans()),
)
histories = st.lists(facts, min_size=1, max_size=10)


def copies(source, history):
    """How many of an order are left."""
    bought = max((fact.quantity for fact in history if isinstance(fact, Granted) and fact.source == source), default=0)
    changes = {fact for fact in history if isinstance(fact, Changed) and fact.source == source}
    left = bought
    for fact in sorted(changes, key=lambda fact: (fact.minute, f"{fact.is_refund} {fact.number}")):
        quantity = bought if fact.quantity is None else fact.quantity
        left = max(0, left - quantity) if fact.is_refund else min(bought, left + quantity)
    return left


def expected(history, now):
    """Returns acquisition and time of each owned product, computed from the facts as a set."""
    ended = {fact.source for fact in history if isinstance(fact, Ended)}
    ended |= {source for source in {fact.source for fact in history} if not copies(source, history)}
    since = {}
    for fact in history:
        if isinstance(fact, Granted) and fact.source not in ended:
            since[fact.source] = max(since.get(fact.source, 0), fact.days_ago)
    owned = {}
    for source, days in since.items():
        owned.setdefault(source.product, []).append((now - timedelta(days=days), source.kind, source.source_id))
    return {product: (TYPES[min(held)[1]], min(held)[0]) for product, held in owned.items()}


async def apply(library, history):
    for fact in history:
        if isinstance(fact, Granted):
            at = library.now - timedelta(days=fact.days_ago)
            await library.service.grant(library.user, [NewGrant(*fact.source, at, quantity=fact.quantity)])
        elif isinstance(fact, Changed):
            change = library.service.refund if fact.is_refund else library.service.reinstate
            product, _, order = fact.source
            at = library.now - timedelta(days=1, minutes=-fact.minute)
            await change(library.user, order, {product: fact.quantity}, f"{fact.is_refund} {fact.number}", at)
        else:
            product, kind, source_id = fact.source
            await library.service.end_grants(library.user, kind, source_id, [product])


def shown_by(events):
    """The library of a reader who knows only the events."""
    shown = {}
    for event in events:
        match event:
            case GameAdded():
                assert event.product_id not in shown
                shown[event.product_id] = (event.acquisition_type, event.added_at)
            case GameRemoved():
                del shown[event.product_id]
            case ItemUpdated():
                assert event.product_id in shown
                shown[event.product_id] = (event.changes["acquisition_type"], event.changes["added_at"])
    return shown


@settings(
    max_examples=sized(15, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories, st.data())
async def test_the_library_does_not_depend_on_order_or_repetition_of_facts(library, history, data):
    repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=4))
    for applied in (history, data.draw(st.permutations(repeated))):
        library.user = uuid4()
        library.events.clear()
        await apply(library, applied)
        items = await library.queries.items_of_products(library.user, [])
        owned = {item.product_id: (item.acquisition_type, item.added_at) for item in items}
        assert owned == expected(history, library.now)
        assert shown_by(library.events) == owned
        access = await library.access.access([(library.user, game) for game in GAMES])
        assert [found.has_access for found in access] == [game in owned for game in GAMES]
