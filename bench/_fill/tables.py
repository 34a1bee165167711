"""Which tables are filled, and which stay empty on purpose. A new table has to be in one of the two."""

from _fill.achievements import ACHIEVEMENTS
from _fill.catalog import CATALOG
from _fill.families import FAMILIES
from _fill.gateway import SHARED_BY_ALL
from _fill.library import LIBRARY
from _fill.playtime import PLAYTIME
from _fill.saves import SAVES
from _fill.settings import SETTINGS
from _fill.wishlist import WISHLIST

OF_USERS = (*SHARED_BY_ALL, *LIBRARY, *FAMILIES, *PLAYTIME, *ACHIEVEMENTS, *WISHLIST, *SETTINGS, *SAVES)
"""A table comes after those to which it refers."""
COUNTERS = frozenset({"achievements.product_owners", "achievements.achievement_unlocks"})
"""They are counted once all users are there."""
FILLED = frozenset(target.table for target in (*CATALOG, *OF_USERS)) | COUNTERS

_QUEUE = "a queue: a service that keeps up leaves nothing in it"
_MIGRATED = "the migration writes what it needs"
_BEFORE = "of the release before: dropped by a second step"
_RESTORED = "only a restore writes it"
_OF_A_SET = "its bytes are made by the service from files; bench sets is about them"
EMPTY = {
    "gateway.database_identity": "a service writes it when it starts, and it must be true",
    "gateway.backups": "a backup writes it",
    "gateway.backup_drills": "a drill writes it",
    "gateway.backup_markers": "a backup writes it",
    "gateway.restores": _RESTORED,
    "gateway.rewinds": _RESTORED,
    "gateway.erased_users": "nobody has left",
    "gateway.dead_letters": "producers have made no mistake",
    "gateway.deferred_records": _QUEUE,
    "gateway.forwarded_events": _QUEUE,
    "gateway.outbox": _QUEUE,
    "gateway.refused_records": "the broker has refused nothing",
    "library.catalog_version": _MIGRATED,
    "library.item_id_rewrite": _MIGRATED,
    "library.first_accesses": "only the change of an older link writes it",
    "library.share_changes": _QUEUE,
    "library.wanted_products": _QUEUE,
    "playtime.playtime_watches": _MIGRATED,
    "playtime.playtime_copy_parts": "a session that changed its copy writes it: few ever do",
    "achievements.rarity_deltas": _QUEUE,
    "achievements.recounts": "the first recount writes it",
    "achievements.refused_attempts": "no game has reported what is refused",
    "wishlist.held_back_wishers": _QUEUE,
    "wishlist.price_fanouts": _QUEUE,
    "wishlist.product_prices": _BEFORE,
    "wishlist.sale_fanouts": _BEFORE,
    "wishlist.sale_notifications": _BEFORE,
    "settings.first_revisions": _RESTORED,
    "settings.kept_payloads": "nobody has changed settings that were there",
    "savegames.savegame_manifests": _OF_A_SET,
    "savegames.savegame_manifest_contents": _OF_A_SET,
    "savegames.savegame_uploads": "open uploads end within the hour; those that ended are remembered in their answers",
    "savegames.savegame_upload_files": _OF_A_SET,
    "savegames.savegame_scans": "the first run of a job writes it",
}
"""The reason, by table. What a migration has written stays as it is."""
