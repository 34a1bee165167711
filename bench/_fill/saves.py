"""Saves: slots with their versions, the contents of these, devices, quotas and preferences. Nothing is in the store."""

from hashlib import sha256
from uuid import UUID

from _fill.binary import DAY, FALSE, SECOND, TRUE, Target, bigint, integer, moment, octets, text, uuid
from _fill.draws import between, random_id
from _fill.people import Game, Person
from _fill.rows import Rows

SLOTS = Target(
    "savegames.savegame_slots",
    "user_id id product_id slot_name slot_key head_version last_version created_at",
)
CONTENTS = Target(
    "savegames.savegame_contents",
    "user_id id s3_object_key file_size_bytes file_hash_sha256 state created_at",
)
VERSIONS = Target(
    "savegames.savegame_metadata",
    "user_id slot_id version id parent_version in_head content_id file_size_bytes file_hash_sha256 client_modified_at "
    "server_uploaded_at device_id playtime_seconds game_version_id",
)
CONFLICTS = Target(
    "savegames.savegame_conflicts", "user_id id slot_id branch_version head_version base_version opened_at"
)
DEVICES = Target("savegames.savegame_devices", "user_id slot_id device_id version synced_at")
STATES = Target(
    "savegames.savegame_device_states", "user_id product_id device_id device_name intent intent_at committed_at"
)
QUOTAS = Target("savegames.savegame_quotas", "user_id limit_bytes set_at")
ALLOWANCES = Target("savegames.savegame_allowances", "user_id day signed_bytes")
PREFERENCES = Target("savegames.savegame_preferences", "user_id product_id auto_sync changed_at")
NUMBERS = Target("savegames.savegame_numbers", "user_id product_id slot_key last_version")
SAVES = (SLOTS, CONTENTS, VERSIONS, CONFLICTS, DEVICES, STATES, QUOTAS, ALLOWANCES, PREFERENCES, NUMBERS)

SAVED, SECOND_SLOT, WITH_STATE, OF_NO_SYNC, DELETED, CONFLICTING = 0.25, 0.2, 0.2, 0.02, 0.03, 0.02
VERSIONS_OF_A_SLOT, MOST_VERSIONS = 1.2, 20
MEDIAN_SIZE, SPREAD = 15.9, 1.6
"""Of the logarithm of the size: 8 MB in the median, 29 MB in the mean."""
MOST_BYTES = 900 * 2**20
"""Of a user, below the quota that the service has by default."""
MORE_QUOTA, MORE_BYTES = 0.02, 5 * 2**30
UPLOADED_TODAY = 0.05
_SLOTS = (text("autosave"), text("slot 2"))
_KEYS = ("autosave", "slot-2")
_LIVE, _VERSION, _DELETED, _DEVICE, _PLAY = map(text, ("live", "1.1", "old save", "Компьютер", "play"))


def add_saves(rows: Rows, of: Person) -> None:
    """Adds the rows of the saves of what a user plays."""
    left = MOST_BYTES
    for game in of.played:
        if of.draw.random() < SAVED:
            for number in range(1 + (of.draw.random() < SECOND_SLOT)):
                left -= _add_slot(rows, of, game, number, left)
            _add_habits(rows, of, game)
    if of.draw.random() < MORE_QUOTA:
        rows.add(QUOTAS, of.key, bigint(MORE_BYTES), bigint(of.now - 100 * DAY))
    if left < MOST_BYTES and of.draw.random() < UPLOADED_TODAY:
        rows.add(ALLOWANCES, of.key, integer(of.now // DAY), bigint(between(of.draw, 2**20, 2**28)))


def _add_slot(rows: Rows, of: Person, game: Game, number: int, left: int) -> int:
    """Returns the bytes that it uses."""
    draw, slot = of.draw, uuid(random_id(of.draw))
    sizes: list[int] = []
    for _ in range(min(int(draw.paretovariate(VERSIONS_OF_A_SLOT)), MOST_VERSIONS)):
        size = max(int(draw.lognormvariate(MEDIAN_SIZE, SPREAD)), 100)
        if size + sum(sizes) <= left:
            sizes.append(size)
    if not sizes:
        return 0
    last, first = len(sizes), of.now - between(draw, 20, 900) * DAY
    # A conflict: the newest version is on a branch that grew from the same version as the head.
    is_conflict = last > 2 and draw.random() < CONFLICTING
    head = last - is_conflict
    for version, size in enumerate(sizes, 1):
        is_branch = version > head
        parent = version - 1 - is_branch
        at = first + version * DAY // 2
        content = _add_content(rows, of, game, _KEYS[number], (version, size), at)
        _add_version(rows, of, slot, (version, parent, not is_branch), content, at)
    key = text(_KEYS[number].replace("-", " "))
    rows.add(SLOTS, of.key, slot, game.product.field, _SLOTS[number], key, bigint(head), bigint(last), bigint(first))
    synced = bigint(first + last * DAY // 2)
    rows.add(DEVICES, of.key, slot, text(of.device), bigint(head), synced)
    if is_conflict:
        opened = (bigint(last), bigint(head), bigint(head - 1), synced)
        rows.add(CONFLICTS, of.key, uuid(random_id(draw)), slot, *opened)
    return sum(sizes)


def _add_content(
    rows: Rows, of: Person, game: Game, name: str, version: tuple[int, int], at: int
) -> tuple[bytes, bytes, bytes]:
    """Returns its id, size and hash."""
    content, size, digest = random_id(of.draw), bigint(version[1]), octets(of.draw.randbytes(32))
    key = text(_object_key(of, game, name, version[0], content, at))
    rows.add(CONTENTS, of.key, uuid(content), key, size, digest, _LIVE, bigint(at))
    return uuid(content), size, digest


def _object_key(of: Person, game: Game, name: str, version: int, content: bytes, at: int) -> str:
    """A key as the service makes them: it begins with the user, and names product, slot, time and version."""
    user, stamp = str(UUID(bytes=of.id)), moment(at)
    product = UUID(bytes=game.product.id)
    unique = content.hex()[:12]
    prefix = sha256(user.encode()).hexdigest()[:4]
    return f"{prefix}/{user}/{product}/{name}/{stamp:%Y%m%dT%H%M%SZ}_v{version}_{unique}.sav"


def _add_version(
    rows: Rows,
    of: Person,
    slot: bytes,
    place: tuple[int, int, bool],
    content: tuple[bytes, bytes, bytes],
    at: int,
) -> None:
    version, parent, in_head = place
    rows.add(
        VERSIONS,
        of.key,
        slot,
        bigint(version),
        uuid(random_id(of.draw)),
        bigint(parent),
        TRUE if in_head else FALSE,
        *content,
        bigint(at - 60 * SECOND),
        bigint(at),
        text(of.device),
        bigint(version * 3600),
        _VERSION,
    )


def _add_habits(rows: Rows, of: Person, game: Game) -> None:
    draw, at = of.draw, bigint(of.now - between(of.draw, 1, 300) * DAY)
    if draw.random() < WITH_STATE:
        rows.add(STATES, of.key, game.product.field, text(of.device), _DEVICE, _PLAY, at, at)
    if draw.random() < OF_NO_SYNC:
        rows.add(PREFERENCES, of.key, game.product.field, FALSE, at)
    if draw.random() < DELETED:
        rows.add(NUMBERS, of.key, game.product.field, _DELETED, bigint(between(draw, 1, 30)))
