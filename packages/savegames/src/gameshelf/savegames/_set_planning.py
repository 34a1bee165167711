"""Plans: what a device has to do with the saves of a product, and what the user's other devices are at.

A plan is a read. It locks nothing, so an upload decides again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem, echo
from gameshelf.savegames._devices import NotedIntent, OtherDevice, PlayOnDevices, other_devices, play_moments
from gameshelf.savegames._errors import SavegameSlotNotFound, SavegameVersionNotFound
from gameshelf.savegames._files import lineage_key
from gameshelf.savegames._lineage import NOTHING, Node, Relation, relation
from gameshelf.savegames._naming import slot_key
from gameshelf.savegames._paths import fold
from gameshelf.savegames._plan_units import ComparedUnits, compare_units
from gameshelf.savegames._plans import (
    CloudSave,
    DeviceContent,
    PlanAction,
    PlanConditions,
    PlanIntent,
    PlannedSave,
    Proceed,
    is_newer_version,
    may_proceed,
    plan_save,
)
from gameshelf.savegames._policy_store import ProductPolicy, policy_of
from gameshelf.savegames._set_commands import PlanSaves
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.plan_contexts import PlanContext
from gameshelf.savegames._store.plans import AbsentSave, AskedSave, LiveSave
from gameshelf.savegames._store.versions import Compared

_NOTED = frozenset({PlanIntent.EXIT, PlanIntent.SUSPEND, PlanIntent.RESUME})
_UPLOADS = frozenset({PlanAction.UPLOAD, PlanAction.MERGE, PlanAction.CONFLICT})
_KNOWN = frozenset({Relation.IDENTICAL, Relation.BEHIND})
_SET_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class PlannedSlot:
    """What a device has to do with the save of a name."""

    slot_name: str
    planned: PlannedSave
    stored_name: str | None = None
    """The name of the save itself, which may be spelt otherwise; None: there is no live one."""


@dataclass(frozen=True, slots=True)
class SavePlan:
    """The plan of a product for a device."""

    slots: tuple[PlannedSlot, ...]
    """The saves that were asked about, in that order, and then all other live ones by name."""
    others: tuple[OtherDevice, ...]
    proceed: Proceed
    policy: ProductPolicy
    auto_sync: bool
    """Whether saves of the product are synchronised without being asked."""
    noted: NotedIntent | None
    """What has to be stored for the user's other devices; None: nothing."""
    game_versions: Mapping[str, datetime]
    """When versions of the game were first seen that are not known yet; none if the user has no save of the product."""


class SavegamePlans:
    """Plans over one connection, which needs no transaction. ``play`` is the port to playtime."""

    def __init__(self, connection: Connection, play: PlayOnDevices, clock: Clock = utc_now) -> None:
        self._store = SavegameStore(connection)
        self._play = play
        self._clock = clock

    async def plan(self, user_id: UUID, asked: PlanSaves) -> SavePlan:
        """Plans the saves of a product. At most six round trips, one of them to playtime.

        Raises InvalidInput for a name that is asked about twice, SavegameSlotNotFound for a save that does not exist,
        and SavegameVersionNotFound for a base that never existed.
        """
        saves, now = _asked_saves(asked), self._clock()
        about = (user_id, asked.product_id, asked.device_id)
        context = await self._store.plan_contexts.read_context(*about, asked.game_version_id, now)
        policy = policy_of(asked.product_id, context.revision, context.source, context.policy)
        live = await self._store.plans.live_saves(*about, saves)
        sides = _Sides(saves, live)
        if unknown := sides.unknown:
            sides.absent = await self._store.plans.absent_saves(*about, unknown)
        bases = {one.place: sides.base_of(one) for one in saves}
        relations = await self._relations(user_id, sides, bases)
        merging = await self._merging(user_id, asked, sides, bases, relations, policy)
        conditions = PlanConditions(policy.policy, context.auto_sync, asked.intent, asked.device_id)
        slots = _planned(sides, relations, merging, conditions, _newer(asked, context, live))
        moments, otherwise = play_moments(context.states, context.uploads, now)
        plays = await self._play.unsynced(user_id, asked.product_id, moments, otherwise)
        others = other_devices(context.states, context.uploads, plays, asked.device_id, now)
        return SavePlan(
            slots,
            others,
            may_proceed([one.planned for one in slots], [one.state for one in others], asked.intent),
            policy,
            context.auto_sync,
            _noted(asked, context, slots[: len(saves)], now),
            _unseen(asked, context, live, now),
        )

    async def _relations(
        self, user_id: UUID, sides: "_Sides", bases: Mapping[int, int]
    ) -> dict[int, tuple[bytes, Relation]]:
        """Returns the lineage key of each content, and its relation to the head. A device names a content by its hash
        alone: it is that of a set or of a single file, whichever the history has, else of the kind of the head.
        """
        histories: dict[tuple[int, bytes], Mapping[int, Node]] = {}
        compared: dict[tuple[int, bytes], Compared] = {}
        for one, save in sides.both():
            base = bases[one.place]
            for key in _keys(one, save):
                if base == save.head_version:
                    histories[one.place, key] = {base: Node(NOTHING, None, save.head_key)}
                else:
                    compared[one.place, key] = Compared(save.slot_id, base, save.head_version, key)
        if compared:
            read = await self._store.versions.histories(user_id, list(compared.values()))
            histories |= zip(compared, read, strict=True)
        found = {}
        for one, save in sides.both():
            each = [
                (key, relation(bases[one.place], key, save.head_version, histories[one.place, key]))
                for key in _keys(one, save)
            ]
            found[one.place] = next((pair for pair in each if pair[1] in _KNOWN), each[0])
        return found

    async def _merging(
        self,
        user_id: UUID,
        asked: PlanSaves,
        sides: "_Sides",
        bases: Mapping[int, int],
        relations: Mapping[int, tuple[bytes, Relation]],
        policy: ProductPolicy,
    ) -> Mapping[int, bool]:
        """Returns for branches that can be compared by units whether a merge needs no choice."""
        if policy.policy.merge != "units" or not policy.policy.units:
            return {}
        compared = []
        for one, save in sides.both():
            units, base, head_list = asked.slots[one.place].units, bases[one.place], save.head_manifest_id
            is_known = base == NOTHING or (save.base_in_head and save.base_manifest_id is not None)
            if relations[one.place][1] is Relation.DIVERGED and units and head_list and is_known:
                hashes = {fold(unit.name): bytes.fromhex(unit.sha256) for unit in units}
                base_list = None if base == NOTHING else save.base_manifest_id
                files = (save.head_file_count or 0) + (save.base_file_count or 0 if base_list else 0)
                compared.append(ComparedUnits(one.place, head_list, base_list, files, hashes))
        wanted = {list_id for one in compared for list_id in (one.head_list, one.base_list) if list_id}
        if not wanted:
            return {}
        bodies = await self._store.lists.read_bodies(user_id, wanted)
        return await asyncio.to_thread(compare_units, compared, bodies, policy.policy)


class _Sides:
    """What a device has asked about beside what the service has."""

    def __init__(self, saves: Sequence[AskedSave], live: Sequence[LiveSave]) -> None:
        self.saves = saves
        self.live = live
        self.absent: Mapping[int, AbsentSave] = {}
        self._by_id = {one.slot_id: one for one in live}
        self._found: dict[int, LiveSave] = {}
        for one in live:
            if one.place is not None and (one.place not in self._found or one.slot_name == saves[one.place].name):
                self._found[one.place] = one

    def save_of(self, one: AskedSave) -> LiveSave | None:
        """The live save of the name, or of one that folds to the same."""
        return self._found.get(one.place)

    def both(self) -> list[tuple[AskedSave, LiveSave]]:
        """The saves that both the device and the service have."""
        return [(one, self._found[one.place]) for one in self.saves if one.content and one.place in self._found]

    @property
    def unasked(self) -> list[LiveSave]:
        """The live saves that the device does not know."""
        known = {one.slot_id for one in self._found.values()}
        return [one for one in self.live if one.slot_id not in known]

    @property
    def unknown(self) -> list[AskedSave]:
        """The saves, or versions of saves, that are not among the live ones."""
        return [one for one in self.saves if self._is_unknown(one)]

    def _is_unknown(self, one: AskedSave) -> bool:
        save = self.save_of(one)
        if one.savegame_id is not None and one.savegame_id not in self._by_id:
            return True
        if save is None:
            return one.content is not None or one.base is not None
        return (one.base or 0) > save.last_version or self._may_be_deleted(one, save)

    @staticmethod
    def _may_be_deleted(one: AskedSave, save: LiveSave) -> bool:
        """As ``bases.may_be_deleted``, beside a live save of the name."""
        if one.content is None or one.base == NOTHING or save.head_key in (one.content, one.set_key):
            return False
        is_other = one.savegame_id is not None and save.slot_id != one.savegame_id
        return is_other or not (save.device_version if one.base is None else save.has_base)

    def base_of(self, one: AskedSave) -> int:
        """The version that the content grew from, as of an upload (``bases.base_of``)."""
        save, absent = self.save_of(one), self.absent.get(one.place)
        named = self._by_id.get(one.savegame_id) if one.savegame_id else None
        if one.savegame_id and named is None and (absent is None or absent.named_version is None):
            raise SavegameSlotNotFound(pointer=f"slots/{one.place}/savegame_id")
        is_other = one.savegame_id is not None and (save is None or save.slot_id != one.savegame_id)
        if one.base is None:
            return NOTHING if save is None or is_other else save.device_version or NOTHING
        if one.base == NOTHING or (save is not None and save.has_base and not is_other):
            return one.base
        given = [save.last_version if save else 0, named.last_version if named else 0]
        if absent is not None:
            given += [absent.highest_version, absent.named_version or 0]
        if one.base > max(given):
            raise SavegameVersionNotFound(pointer=f"slots/{one.place}/base_version", base_version=one.base)
        return NOTHING

    def is_trashed(self, one: AskedSave) -> bool:
        """Whether the content belongs to a save in the trash. What grew from nothing is a new save."""
        absent = self.absent.get(one.place)
        return absent is not None and absent.is_trashed and one.base != NOTHING


def _asked_saves(asked: PlanSaves) -> list[AskedSave]:
    saves: list[AskedSave] = []
    keys: dict[str, int] = {}
    problems = []
    for place, slot in enumerate(asked.slots):
        key = slot_key(slot.slot_name)
        if keys.setdefault(key, place) != place:
            problems.append(
                Problem(
                    "slot_named_twice",
                    pointer=f"slots/{place}/slot_name",
                    params={"other": echo(asked.slots[keys[key]].slot_name)},
                )
            )
        content = bytes.fromhex(slot.content_hash) if slot.content_hash else None
        is_set_hash = content is not None and len(content) == _SET_HASH_BYTES
        set_key = lineage_key(content, is_set=True) if content and is_set_hash else None
        known = (place, slot.slot_name, key, slot.savegame_id, slot.base_version, content, set_key)
        saves.append(AskedSave(*known, has_units=bool(slot.units)))
    if problems:
        raise InvalidInput(*problems)
    return saves


def _keys(one: AskedSave, save: LiveSave) -> list[bytes]:
    """The lineage keys that a content may have. Only sets have units; else that of the head's kind comes first."""
    if one.has_units and one.set_key:
        return [one.set_key]
    keys = (one.set_key, one.content) if save.head_is_set else (one.content, one.set_key)
    return [key for key in keys if key]


def _planned(
    sides: _Sides,
    relations: Mapping[int, tuple[bytes, Relation]],
    merging: Mapping[int, bool],
    conditions: PlanConditions,
    newer: Mapping[UUID, str],
) -> tuple[PlannedSlot, ...]:
    slots = []
    for one in sides.saves:
        save = sides.save_of(one)
        content = None
        if one.content:
            key, related = relations.get(one.place, (one.content, Relation.DESCENDANT))
            regresses_to = save.regresses_to if save and related is Relation.DESCENDANT else None
            content = DeviceContent(key, related, key == one.set_key, regresses_to, merging.get(one.place))
        planned = plan_save(
            content,
            _cloud_save(save) if save else None,
            conditions,
            is_trashed=sides.is_trashed(one),
            written_by_newer_version=newer.get(save.slot_id) if save else None,
        )
        slots.append(PlannedSlot(one.name, planned, save.slot_name if save else None))
    for save in sides.unasked:
        planned = plan_save(None, _cloud_save(save), conditions, written_by_newer_version=newer.get(save.slot_id))
        slots.append(PlannedSlot(save.slot_name, planned, save.slot_name))
    return tuple(slots)


def _cloud_save(save: LiveSave) -> CloudSave:
    return CloudSave(
        save.slot_id,
        save.head_version,
        save.head_device_id,
        save.device_version,
        save.branches,
    )


def _newer(asked: PlanSaves, context: PlanContext, live: Sequence[LiveSave]) -> dict[UUID, str]:
    """Returns the version of the game that wrote the head, of saves where it is newer than the device's."""
    own = asked.game_version_id
    seen = {
        save.head_game_version_id: save.head_game_version_at
        for save in live
        if save.head_game_version_id and save.head_game_version_at
    }
    if own and context.game_version_at:
        seen[own] = context.game_version_at
    return {
        save.slot_id: save.head_game_version_id
        for save in live
        if save.head_game_version_id and is_newer_version(save.head_game_version_id, own, seen)
    }


def _unseen(asked: PlanSaves, context: PlanContext, live: Sequence[LiveSave], now: datetime) -> Mapping[str, datetime]:
    """Returns when versions of the game were seen that are not known yet: that of a head when the head was written,
    that of the device now. So two versions that one plan sees first have an order.
    """
    found: dict[str, datetime] = {}
    for save in live:
        if save.head_game_version_id and save.head_game_version_at is None:
            written_at = min(save.head_uploaded_at, now)
            found[save.head_game_version_id] = min(written_at, found.get(save.head_game_version_id, now))
    if live and asked.game_version_id and context.game_version_at is None:
        found.setdefault(asked.game_version_id, now)
    return found


def _noted(asked: PlanSaves, context: PlanContext, slots: Sequence[PlannedSlot], now: datetime) -> NotedIntent | None:
    """Returns what others have to know. A launch ends the suspension that was stored before. ``slots`` are the saves
    that were asked about.
    """
    stored = next((state.intent for state in context.states if state.device_id == asked.device_id), None)
    ends_suspension = asked.intent is PlanIntent.LAUNCH and stored == PlanIntent.SUSPEND
    if asked.intent not in _NOTED and not ends_suspension:
        return None
    pending = tuple(one.stored_name or one.slot_name for one in slots if one.planned.action in _UPLOADS)
    return NotedIntent(asked.product_id, asked.device_id, asked.device_name, asked.intent, pending, now)
