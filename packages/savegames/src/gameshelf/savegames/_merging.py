"""Merges of two sets by units: the lists of both sides and of their common ancestor, and the list that they become."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.errors import InvalidInput, Problem, pointer_step
from gameshelf.savegames._differences import (
    Merged,
    MergeObstacle,
    MergeSide,
    UnitDifference,
    UnknownUnits,
    UnnamedUnits,
    automatic_merge,
    merge,
    take_units,
    three_way,
)
from gameshelf.savegames._errors import (
    SavegameFileTooLarge,
    SavegameMergeSplitsUnit,
    SavegameUploadIncomplete,
    SavegameVersionNotFound,
)
from gameshelf.savegames._files import FileList, hash_of, identity_of
from gameshelf.savegames._guards import shrinks_covered
from gameshelf.savegames._limits import MAX_SET_FILES, Limits
from gameshelf.savegames._lineage import NOTHING
from gameshelf.savegames._lists import decode
from gameshelf.savegames._policies import DEFAULT_POLICY, EffectiveLimits, SavePolicy, effective_limits
from gameshelf.savegames._policy_store import parse_stored
from gameshelf.savegames._set_requests import limit_beyond
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.merges import StoredSides
from gameshelf.savegames._store.versions import StoredVersion
from gameshelf.savegames._timeline import StoredContent
from gameshelf.savegames._units import SaveUnits

FILES_IN_LOOP = 500
"""Lists with more files than this are compared in a thread, since that takes long."""
MAX_UNNAMED = 100
"""So many units without a suggestion are named at most."""

P = ParamSpec("P")
T = TypeVar("T")


async def beside_the_loop(file_count: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls a function of lists with so many files, in a thread if they are long."""
    if file_count <= FILES_IN_LOOP:
        return function(*args, **kwargs)
    return await asyncio.to_thread(function, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class SetSides:
    """Two versions of a save that are sets, and their common ancestor."""

    base_version: int | None
    """None: it is not known."""
    base: FileList | None
    """None: the list is not known."""
    head_files: FileList
    branch_files: FileList
    policy: SavePolicy

    @property
    def file_count(self) -> int:
        return len(self.head_files) + len(self.branch_files)

    def differences(self) -> tuple[UnitDifference, ...]:
        """The units that differ."""
        return three_way(self.base, self.head_files, self.branch_files, SaveUnits(self.policy))


class SetMerges:
    """Reads, compares and merges sets, inside the user's transaction."""

    def __init__(self, store: SavegameStore, limits: Limits, clock: Clock) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock

    async def read_sides(
        self, user_id: UUID, slot_id: UUID, head: StoredVersion, branch: StoredVersion
    ) -> SetSides | None:
        """Returns the lists of two versions that are sets; None where a list is not there any more."""
        stored = await self._store.merges.read_sides(user_id, slot_id, head.version, branch.version)
        return await beside_the_loop((head.file_count or 0) + (branch.file_count or 0), decode_sides, stored)

    async def automatic(self, sides: SetSides) -> FileList | None:
        """Returns the merge of two sides, where the product's policy wants it and it needs no choice.

        A merge that would break a limit is none, and so is one that would shrink the head (``shrinks``): a branch whose
        files were on an unmounted disk must not empty every device.
        """
        if sides.policy.merge != "units":
            return None
        units = SaveUnits(sides.policy)
        merged = await beside_the_loop(
            sides.file_count, automatic_merge, sides.base, sides.head_files, sides.branch_files, units
        )
        if merged is None or self._beyond(merged.files, sides.policy):
            return None
        files = merged.files
        if await beside_the_loop(sides.file_count, shrinks_covered, sides.head_files, files, sides.policy):
            return None
        return files

    async def shrinks(self, user_id: UUID, slot_id: UUID, head: StoredVersion, branch: StoredVersion) -> bool:
        """Whether the branch as the new head would shrink it so much that a request would have to confirm that."""
        if not head.is_set:
            return False
        stored = await self._store.merges.read_sides(user_id, slot_id, head.version, branch.version)
        count = (head.file_count or 0) + (branch.file_count or 0)
        return await beside_the_loop(count, _shrinks, stored)

    async def count(self, sides: SetSides) -> int:
        """Returns how many files differ."""
        return path_count(await beside_the_loop(sides.file_count, sides.differences))

    async def chosen(self, sides: SetSides, choices: Mapping[str, MergeSide]) -> FileList:
        """Returns the merge of two sides with these choices.

        Raises InvalidInput for units that are not named, or that there are not; SavegameMergeSplitsUnit and
        SavegameFileTooLarge.
        """
        units = SaveUnits(sides.policy)
        found = await beside_the_loop(
            sides.file_count, merge, sides.base, sides.head_files, sides.branch_files, units, choices
        )
        if isinstance(found, UnnamedUnits):
            named = {"unnamed": found.units[:MAX_UNNAMED], "count": len(found.units)}
            raise InvalidInput(Problem("merge_unnamed", pointer="units", params=named))
        if isinstance(found, UnknownUnits):
            raise InvalidInput(*(Problem("no_unit", pointer=f"units{pointer_step(key)}") for key in found.keys))
        return self._allowed(found, sides.policy)

    async def with_units(
        self, user_id: UUID, slot_id: UUID, head: StoredVersion, version: StoredVersion, names: Collection[str]
    ) -> FileList:
        """Returns the head's list with these units as another version has them.

        Raises InvalidInput for a unit that neither has, SavegameVersionNotFound for a list that is not there,
        SavegameMergeSplitsUnit and SavegameFileTooLarge.
        """
        sides = await self.read_sides(user_id, slot_id, head, version)
        if sides is None:
            raise SavegameVersionNotFound(version=version.version)
        units = SaveUnits(sides.policy)
        found = await beside_the_loop(sides.file_count, take_units, sides.head_files, sides.branch_files, units, names)
        if isinstance(found, UnknownUnits):
            places = {name: place for place, name in enumerate(names)}
            raise InvalidInput(*(Problem("no_unit", pointer=f"units/{places[key]}") for key in found.keys))
        return self._allowed(found, sides.policy)

    async def add_list(
        self, user_id: UUID, slot_id: UUID, head: StoredVersion, branch: StoredVersion, files: FileList
    ) -> StoredContent:
        """Adds a list that was merged of two versions, and returns it as the content of a new version.

        It has no device: no device has these files yet. Raises SavegameUploadIncomplete for a content that is lost.
        """
        assert head.manifest_id is not None
        assert branch.manifest_id is not None
        hashes = {file.sha256 for file in files}
        manifest_id = uuid4()
        await self._store.lists.add_list(user_id, slot_id, manifest_id, files, self._clock())
        sources = [head.manifest_id, branch.manifest_id]
        if len(await self._store.lists.copy_contents(user_id, manifest_id, sources, hashes)) != len(hashes):
            raise SavegameUploadIncomplete
        times = [
            min(side.client_modified_at, side.server_uploaded_at) for side in (head, branch) if side.client_modified_at
        ]
        played = [side.playtime_seconds for side in (head, branch) if side.playtime_seconds is not None]
        return StoredContent(
            content_id=uuid4(),
            size=sum(file.size for file in files),
            content=hash_of(files),
            client_modified_at=max(times, default=None),
            device_id=None,
            comment=None,
            playtime_seconds=max(played, default=None),
            content_encoding=None,
            encryption=None,
            identity=identity_of(files),
            manifest_id=manifest_id,
            file_count=len(files),
            game_version_id=branch.game_version_id or head.game_version_id,
        )

    async def copy_list(self, user_id: UUID, manifest_id: UUID, slot_id: UUID) -> UUID:
        """Copies a list into another slot, and returns the id of the copy."""
        copy_id = uuid4()
        await self._store.lists.copy_list(user_id, manifest_id, copy_id, slot_id, self._clock())
        return copy_id

    def _allowed(self, found: Merged | MergeObstacle, policy: SavePolicy) -> FileList:
        if found is MergeObstacle.EMPTY:
            raise InvalidInput(Problem("merge_empty", pointer="units"))
        if found is MergeObstacle.TOO_MANY_FILES:
            raise SavegameFileTooLarge(pointer="units", limit="files", max_files=MAX_SET_FILES)
        if isinstance(found, MergeObstacle):
            raise SavegameMergeSplitsUnit(reason=found.value)
        if beyond := self._beyond(found.files, policy):
            raise SavegameFileTooLarge(pointer="units", **beyond)
        return found.files

    def _beyond(self, files: FileList, policy: SavePolicy) -> Mapping[str, Any] | None:
        return limit_beyond(files, self._effective(policy))

    def _effective(self, policy: SavePolicy) -> EffectiveLimits:
        return effective_limits(
            policy.limits, max_set_bytes=self._limits.max_set_bytes, max_file_bytes=self._limits.max_bytes
        )


def decode_sides(stored: StoredSides) -> SetSides | None:
    """Returns the lists of two versions that are sets; None where a list is not there any more."""
    if stored.head_body is None or stored.branch_body is None:
        return None
    base: FileList | None = None
    if stored.base_version == NOTHING:
        base = ()
    elif stored.base_body is not None:
        base = decode(stored.base_body)
    head, branch = decode(stored.head_body), decode(stored.branch_body)
    return SetSides(stored.base_version, base, head, branch, _policy_of(stored))


def _shrinks(stored: StoredSides) -> bool:
    if stored.head_body is None:
        return False
    branch = () if stored.branch_body is None else decode(stored.branch_body)
    return shrinks_covered(decode(stored.head_body), branch, _policy_of(stored)) is not None


def _policy_of(stored: StoredSides) -> SavePolicy:
    return DEFAULT_POLICY if stored.policy is None else parse_stored(stored.policy)


def path_count(differences: Collection[UnitDifference]) -> int:
    """The number of files that differ."""
    return sum(len(one.paths) for one in differences)
