"""The statements that touch several users' rows, each with its reason, by where it stands.

A request's path holds those of families alone. What is not here is one user's, or nobody's; tests hold that.
"""

from collections.abc import Iterable
from enum import StrEnum


class Reason(StrEnum):
    """Why a statement touches more than one user's rows."""

    FAMILY = "what an owner shares is read, locked or changed where the owner keeps it, and mirrored with the member"
    PARTS = "users, sessions or records that are named one by one are handled together"
    JOB = "a job looks over all users, in the order of an index and in bounded parts"
    RELAY = "a relay works through a queue of all users, shard by shard, or the queue is counted"
    PRODUCT = "what all users make of a product: counters, wishers of a sale"
    STORE = "an object of the store, or a part of its list, is looked up without its user"
    SUPPORT = "support looks over all users, page by page, or up a row by its id alone"


def _each(reason: Reason, where: str, names: str) -> Iterable[tuple[str, Reason]]:
    return ((f"{where}.{name}", reason) for name in names.split())


ACROSS: dict[str, Reason] = dict(
    [
        *_each(Reason.FAMILY, "library._queries.access", "_ACCESS _FIRST_ACCESS _SHARING_OWNERS _SHARES"),
        *_each(Reason.FAMILY, "library._queries.explain", "_LINKS"),
        *_each(Reason.FAMILY, "library._family.queries", "_SEATS _SEATS_CONCERNING _IS_LOST"),
        *_each(Reason.FAMILY, "library._family.store", "_WRITE_LINK _NOTE_ACCESS _LOCK_SHARED_COPIES _RELEASE"),
        *_each(Reason.FAMILY, "library._family.store", "_DELETE_LINK _RELEASE_ALL"),
        *_each(Reason.FAMILY, "library._queries.overview", "_OVERVIEW"),
        *_each(Reason.FAMILY, "library._queries.library", "_page _OF_ID _OF_PRODUCTS _ALL _SEEN _CATEGORIES _CATEGORY"),
        *_each(Reason.FAMILY, "library._queries.support", "_LIBRARY"),
        *_each(Reason.FAMILY, "playtime._queries.copies", "_PLAYED_BY_OTHERS"),
        *_each(Reason.FAMILY, "playtime._store.erasure", "_ERASE_OWNER _ERASE_OWNER_OF_PARTS"),
        *_each(Reason.FAMILY, "gateway.wiring", "STATE"),
        *_each(Reason.JOB, "library._store.products", "_DUE _ASK_LATER"),
        *_each(Reason.JOB, "library._family.store", "_EXPIRED _LOST"),
        *_each(Reason.JOB, "library._family.queries", "_LOSING"),
        *_each(Reason.JOB, "library._store.categories", "_UNKEYED"),
        *_each(Reason.JOB, "library._store.item_id_rewrite", "_SCAN"),
        *_each(Reason.JOB, "savegames._store.contents", "_MARK_DUE _REMOVE_DELETED"),
        *_each(Reason.JOB, "savegames._store.slots", "_IN_TRASH _DUE _ALL_WITHOUT_KEY"),
        *_each(Reason.JOB, "savegames._store.uploads", "_WITH_EXPIRED"),
        *_each(Reason.JOB, "playtime._store.liveness", "_RUNNING"),
        *_each(Reason.JOB, "wishlist._store.fanouts", "_HELD_BACK _PRUNE"),
        *_each(Reason.JOB, "gateway.runtime.jobs.erasure", "_ERASED_USERS _OWN_TABLES"),
        *_each(Reason.JOB, "gateway.runtime.jobs.retention", "_FEED_USERS _KNOWN_USERS _FREE_USERS _PRUNE_FEED"),
        *_each(Reason.JOB, "gateway.runtime.jobs.retention", "_PRUNE_KEYS _PRUNE_INBOX _PRUNE_DEAD_LETTERS"),
        *_each(Reason.JOB, "gateway.runtime.jobs.retention", "_PRUNE_AUDIT"),
        *_each(Reason.JOB, "gateway.runtime.kafka.deferred", "_COUNT _WAITING _DUE _COUNTS"),
        *_each(Reason.JOB, "gateway.runtime.outbox.forwarded", "_WAITING"),
        *_each(Reason.RELAY, "gateway.runtime.outbox.backlog", "_MEASURE"),
        *_each(Reason.RELAY, "gateway.runtime.outbox.refused", "_SET_ASIDE _PUT_BACK _COUNT _KINDS"),
        *_each(Reason.RELAY, "gateway.runtime.outbox.relayed", "_OWN _OTHERS _TAKE_SHARDS _PENDING _REMOVE"),
        *_each(Reason.RELAY, "gateway.runtime.outbox.store", "_BULK_WAITING"),
        *_each(Reason.PARTS, "playtime._store.liveness", "_CHECKPOINT _CHECKPOINT_FREE _REVIVE _NOT_RUNNING _KNOWN"),
        *_each(Reason.PARTS, "gateway.runtime.kafka.inbox", "_TAKE"),
        *_each(Reason.PARTS, "gateway.runtime.outbox.erased_names", "_TABLES"),
        *_each(Reason.PARTS, "gateway.runtime.outbox.forwarded", "_ADD"),
        *_each(Reason.PARTS, "gateway.runtime.outbox.store", "_CLOSE _ADD_RECORDS"),
        *_each(Reason.PARTS, "gateway.runtime.unit_of_work.head", "_CLOSE"),
        *_each(Reason.PARTS, "gateway.runtime.streams", "_LOCK_FREE _BEING_ERASED"),
        *_each(Reason.PARTS, "gateway.runtime.ws.sweep", "_STREAMS"),
        *_each(Reason.PRODUCT, "library._store.products", "_DELETE_MISSING"),
        *_each(Reason.PRODUCT, "achievements._store.target_reviews", "_PENDING _PLAYERS _UNLOCK"),
        *_each(Reason.PRODUCT, "achievements._store.counters", "_PRODUCTS _COUNT_PART"),
        *_each(Reason.PRODUCT, "wishlist._store.fanouts", "_WISHERS _WISHERS_WITH_TARGET _RECORD _HOLD_BACK"),
        *_each(Reason.STORE, "savegames._store.list_objects", "_UNWRITTEN _OLDEST _REWRITE"),
        *_each(Reason.STORE, "savegames._store.scans", "_KNOWN _EXPECTED _HELD _MISS _BACK _LOST _OPEN _COUNT_OPEN"),
        *_each(Reason.SUPPORT, "savegames._queries.accounts", "_TOP"),
        *_each(Reason.SUPPORT, "savegames._queries.support", "_OF_ALL"),
        *_each(Reason.SUPPORT, "playtime._queries.support", "_ANOMALIES"),
        *_each(Reason.SUPPORT, "gateway.runtime.support.audit", "_WHOSE _LIST"),
        *_each(Reason.SUPPORT, "gateway.runtime.support.dead_letters", "_WHOSE _LIST _COUNT"),
        *_each(Reason.SUPPORT, "gateway.runtime.support.outbox", "_FIRST _COUNTS _FORWARDED"),
        *_each(Reason.SUPPORT, "gateway.runtime.support.replay", "_REPLAY"),
    ]
)
"""By where a statement stands: module below ``gameshelf``, and name. Of a name that has several, some are."""
