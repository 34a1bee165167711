"""The statements that touch several users' rows, each with its reason and with who runs it, by where it stands.

Requests run none of them, but for what a batch call, or heartbeats that Redis does not know, ask for several users at
once: the tests of their round trips look at each statement. What is not here is one user's, or nobody's; tests hold
that, and that ``docs/scaling.md`` has the same list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a statement touches more than one user's rows."""

    FAMILY = "what an owner shares is read, locked or changed where the owner keeps it, and mirrored with the member"
    PARTS = "users, sessions or records that are named one by one are handled together"
    SHARDS = "users that are named one by one are handled together; on Citus in one statement for each shard"
    JOB = "a job looks over all users, in the order of an index and in bounded parts"
    RELAY = "a relay works through a queue of all users, shard by shard, or the queue is counted"
    PRODUCT = "what all users make of a product: counters, wishers of a sale"
    STORE = "an object of the store, or a part of its list, is looked up without its user"
    SUPPORT = "support looks over all users, page by page, or up a row by its id alone"


@dataclass(frozen=True, slots=True)
class AcrossUsers:
    """Statements of one module that the same caller runs."""

    by: str
    """Who runs them: consumer, relay, sockets, heartbeats, batch calls, jobs, ``job <name>``, libctl or ``libctl
    <noun>``, separated by commas.
    """
    reason: Reason
    module: str
    names: str

    def __iter__(self) -> Iterator[str]:
        return (f"{self.module}.{name}" for name in self.names.split())


_OUTBOX = "gateway.runtime.outbox"
_FAMILY = Reason.FAMILY

GROUPS = (
    AcrossUsers("job erasure", _FAMILY, "library._family.store.seats", "_RELEASE_ALL"),
    AcrossUsers("job erasure", _FAMILY, "playtime._store.erasure", "_ERASE_OWNER _ERASE_OWNER_OF_PARTS"),
    AcrossUsers("consumer, jobs", Reason.PARTS, f"{_OUTBOX}.store", "_CLOSE_GROUP _ADD_RECORDS"),
    AcrossUsers("job session watch", Reason.PARTS, "playtime._store.liveness", "_CHECKPOINT"),
    AcrossUsers("heartbeats", Reason.PARTS, "playtime._store.liveness", "_REVIVE"),
    AcrossUsers("heartbeats, job session watch", Reason.PARTS, "playtime._store.liveness", "_KNOWN"),
    AcrossUsers("job session watch", Reason.JOB, "playtime._store.liveness", "_RUNNING"),
    AcrossUsers("consumer", Reason.PARTS, "gateway.runtime.kafka.inbox", "_TAKE"),
    AcrossUsers("consumer", Reason.JOB, "gateway.runtime.kafka.deferred", "_COUNT _WAITING _DUE _COUNTS"),
    AcrossUsers("consumer", Reason.PARTS, "gateway.runtime.streams", "_OPEN_GROUP"),
    AcrossUsers("jobs", Reason.SHARDS, "gateway.runtime.streams", "_LOCK_FREE"),
    AcrossUsers("batch calls, heartbeats, libctl", Reason.SHARDS, "gateway.runtime.streams", "_BEING_ERASED"),
    AcrossUsers("sockets", Reason.PARTS, "gateway.runtime.ws.sweep", "_STREAMS"),
    AcrossUsers("job erasure", Reason.PARTS, f"{_OUTBOX}.erased_names", "_TABLES"),
    AcrossUsers("job erasure", Reason.JOB, "gateway.runtime.jobs.erasure", "_ERASED_USERS _OWN_TABLES"),
    AcrossUsers("job missing products", Reason.JOB, "library._store.products", "_DUE _ASK_LATER"),
    AcrossUsers("job missing products", Reason.PRODUCT, "library._store.products", "_DELETE_MISSING"),
    AcrossUsers("job family clock", Reason.JOB, "library._family.store.links", "_EXPIRED"),
    AcrossUsers("job family clock", Reason.JOB, "library._family.store.seats", "_LOST"),
    AcrossUsers("job lost seats", Reason.JOB, "library._family.queries", "_LOSING"),
    AcrossUsers("job shared products", Reason.JOB, "library._shares.store", "_CHANGED _OUTDATED_LINKS"),
    AcrossUsers("job category folding", Reason.JOB, "library._store.categories", "_UNKEYED"),
    AcrossUsers("job item ids", Reason.JOB, "library._store.item_id_rewrite", "_SCAN"),
    AcrossUsers("job objects", Reason.JOB, "savegames._store.contents", "_DUE _REMOVE_DELETED"),
    AcrossUsers("job saves", Reason.JOB, "savegames._store.slots", "_IN_TRASH _DUE _ALL_WITHOUT_KEY"),
    AcrossUsers("job saves", Reason.JOB, "savegames._store.uploads", "_WITH_EXPIRED"),
    AcrossUsers("job lists", Reason.STORE, "savegames._store.list_objects", "_UNWRITTEN _OLDEST _REWRITE"),
    AcrossUsers(
        "job objects, libctl saves",
        Reason.STORE,
        "savegames._store.scans",
        "_KNOWN _EXPECTED _HELD _MISS _BACK _LOST _OPEN _COUNT_OPEN",
    ),
    AcrossUsers("job sales", Reason.JOB, "wishlist._store.fanouts", "_HELD_BACK"),
    AcrossUsers(
        "job sales", Reason.PRODUCT, "wishlist._store.fanouts", "_WISHERS _WISHERS_WITH_TARGET _RECORD _HOLD_BACK"
    ),
    AcrossUsers("job targets", Reason.PRODUCT, "achievements._store.target_reviews", "_BEGUN _PLAYERS _UNLOCK"),
    AcrossUsers("job rarity recount", Reason.PRODUCT, "achievements._store.counters", "_NEXT _COUNT_PART"),
    AcrossUsers("job retention", Reason.JOB, "gateway.runtime.jobs.retention", "_FEED_USERS _KNOWN_USERS _FREE_USERS"),
    AcrossUsers("job retention", Reason.JOB, "gateway.runtime.jobs.retention", "_PRUNE_FEED _PRUNE_KEYS _PRUNE_INBOX"),
    AcrossUsers("job retention", Reason.JOB, "gateway.runtime.jobs.retention", "_PRUNE_DEAD_LETTERS _PRUNE_AUDIT"),
    AcrossUsers("job retention", Reason.JOB, "gateway.runtime.jobs.retention", "_WITHOUT_LOCKS"),
    AcrossUsers("job retention", Reason.JOB, "settings._history.store", "_PRUNE"),
    AcrossUsers("job retention", Reason.JOB, "wishlist._store.fanouts", "_PRUNE"),
    AcrossUsers("job retention", Reason.JOB, "achievements._attempts.store", "_PRUNE"),
    AcrossUsers("job forwarding", Reason.JOB, f"{_OUTBOX}.forwarded", "_WAITING _PAGE"),
    AcrossUsers("job gauges, job targets", Reason.RELAY, f"{_OUTBOX}.backlog", "_MEASURE _COUNT"),
    AcrossUsers("libctl events", Reason.RELAY, f"{_OUTBOX}.lanes", "_LANES"),
    AcrossUsers("job gauges, job targets, libctl events", Reason.RELAY, f"{_OUTBOX}.lanes", "_PAGE"),
    AcrossUsers("job refused records", Reason.RELAY, f"{_OUTBOX}.refused", "_PUT_BACK _PUT_BACK_WITHOUT_LOCKS"),
    AcrossUsers("relay", Reason.RELAY, f"{_OUTBOX}.refused", "_SET_ASIDE"),
    AcrossUsers("relay, libctl events", Reason.RELAY, f"{_OUTBOX}.refused", "_COUNT"),
    AcrossUsers("libctl events", Reason.RELAY, f"{_OUTBOX}.refused", "_KINDS"),
    AcrossUsers("relay", Reason.RELAY, f"{_OUTBOX}.relayed", "_OWN _OTHERS _TAKE_SHARDS _PENDING _REMOVE"),
    AcrossUsers("relay", Reason.RELAY, f"{_OUTBOX}.relayed", "_HAS _TOPICS _SHARDS_OF _PENDING_OF _REMOVE_OF_SHARDS"),
    AcrossUsers("job sales", Reason.RELAY, f"{_OUTBOX}.store", "_WAITING"),
    AcrossUsers("libctl quota", Reason.SUPPORT, "savegames._queries.accounts", "_PAGE _TOP"),
    AcrossUsers("libctl conflicts", Reason.SUPPORT, "savegames._queries.support", "_OF_ALL"),
    AcrossUsers("libctl playtime", Reason.SUPPORT, "playtime._queries.support", "_ANOMALIES"),
    AcrossUsers("libctl find", Reason.SUPPORT, "library._queries.finding", "_SOURCES _LINKS"),
    AcrossUsers("libctl find", Reason.SUPPORT, "savegames._queries.finding", "_SAVES _UPLOADS _CONFLICTS"),
    AcrossUsers("libctl find", Reason.SUPPORT, "playtime._queries.finding", "_SESSIONS"),
    AcrossUsers("libctl find", Reason.SUPPORT, "gateway.runtime.support.finding", "_USERS _LETTERS"),
    AcrossUsers("libctl orders", Reason.SUPPORT, "library._queries.orders", "_OWNERS"),
    AcrossUsers("libctl", Reason.SUPPORT, "gateway.runtime.support.audit", "_FIND _LIST _LIST_OF_ITEM"),
    AcrossUsers("libctl events", Reason.SUPPORT, "gateway.runtime.support.dead_letters", "_WHOSE _LIST _COUNT"),
    AcrossUsers("libctl events", Reason.SUPPORT, "gateway.runtime.support.outbox", "_COUNT_OF _FORWARDED"),
    AcrossUsers("libctl events", Reason.SUPPORT, "gateway.runtime.support.replay", "_REPLAY _PICK"),
)
ACROSS: dict[str, Reason] = {name: group.reason for group in GROUPS for name in group}
"""By where a statement stands: module below ``gameshelf``, and name. Of a name that has several, some are."""


def list_as_table() -> str:
    """Returns the table of ``docs/scaling.md``."""
    rows = [f"| {group.by} | `{group.module}` | {_quoted(group.names)} | {group.reason} |" for group in GROUPS]
    return "\n".join(["| who runs it | module | statements | why |", "|---|---|---|---|", *rows])


def _quoted(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split())
