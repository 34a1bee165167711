"""What sessions that ended are counted into: unions of intervals, totals, and days with too much play."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.database import Connection, look_ahead
from gameshelf.playtime._anomalies import Anomaly
from gameshelf.playtime._detection import AnomalyDetector, lookup_long_days
from gameshelf.playtime._rules import Interval
from gameshelf.playtime._store.sessions import StoredSession
from gameshelf.playtime._store.totals import Total, TotalStore, lookup_totals, lookup_touching


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The state before the sessions are counted, and the anomalies that they make."""

    touching: Mapping[UUID, Sequence[Interval]]
    """The intervals of each product's union that they overlap or touch."""
    totals: Mapping[UUID, Total]
    long_days: Sequence[Anomaly]


async def read_counts(connection: Connection, user_id: UUID, ended: Sequence[StoredSession]) -> LedgerState:
    """Reads what sessions that ended are counted into. They need not be written yet. Three statements, or one round
    trip where the connection reads them together.
    """
    spans = {product_id: _span(played) for product_id, played in played_by_product(ended).items()}
    await look_ahead(
        connection,
        lookup_touching(user_id, spans),
        lookup_totals(user_id, spans),
        *lookup_long_days(user_id, ended),
    )
    totals = TotalStore(connection)
    return LedgerState(
        await totals.intervals_touching(user_id, spans),
        await totals.totals(user_id, spans),
        await AnomalyDetector(connection).long_days(user_id, ended),
    )


def played_by_product(ended: Iterable[StoredSession]) -> dict[UUID, list[Interval]]:
    """Returns the time of these sessions by product."""
    played: dict[UUID, list[Interval]] = defaultdict(list)
    for session in ended:
        played[session.product_id].append(interval_of(session))
    return played


def interval_of(session: StoredSession) -> Interval:
    """Returns the time of a session; it is empty while the session runs."""
    return Interval(session.start_time, session.end_time or session.start_time)


def _span(intervals: Sequence[Interval]) -> Interval:
    return Interval(min(one.start for one in intervals), max(one.end for one in intervals))
