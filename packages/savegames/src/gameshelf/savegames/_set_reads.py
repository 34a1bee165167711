"""Reads of sets: the files of a version, what a device lacks of it, and how the sides of a conflict differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.kernel.paging import Page, Slice
from gameshelf.savegames._differences import DifferenceKind, PathDifference, UnitDifference
from gameshelf.savegames._files import FileList, SaveFile
from gameshelf.savegames._lists import decode
from gameshelf.savegames._merging import beside_the_loop, decode_sides, path_count
from gameshelf.savegames._queries.saves import SavegameQueries
from gameshelf.savegames._queries.sets import SetRows, VersionWithList
from gameshelf.savegames._set_commands import DownloadSet
from gameshelf.savegames._set_signing import MAX_URLS
from gameshelf.savegames._store.merges import MergeStore
from gameshelf.savegames._units import WHOLE_SAVE
from gameshelf.savegames._views import OpenConflict, SaveVersion

SINGLE_FILE = ""
"""The path of a single file, which has none."""


@dataclass(frozen=True, slots=True)
class SetDownload:
    """A version for a device, with the keys of the objects that it lacks."""

    version: SaveVersion
    files: FileList
    """The whole list, or the files that were asked for. A single file has the path ``SINGLE_FILE``."""
    keys: Mapping[bytes, str]
    """The keys of the first ``MAX_URLS`` contents that the device lacks, by their hashes."""
    missing_bytes: int
    missing_count: int
    """The number of contents that the device lacks, those with a key included."""


@dataclass(frozen=True, slots=True)
class DownloadableFile:
    """A file of a version, with the key of its object."""

    version: SaveVersion
    file: SaveFile | None
    """None: the version has no file of this path."""
    key: str | None
    """None: there is no such file, or its bytes are lost."""


@dataclass(frozen=True, slots=True)
class ConflictDifferences:
    """How the sides of an open conflict differ."""

    conflict: OpenConflict
    base_version: int | None
    """The version that both sides grew from; 0: from nothing. None: it is not known, or its list is not."""
    units: tuple[UnitDifference, ...]
    """The units that differ, in the order of their names, each with its files. Where a side is a single file there is
    one, the whole save, with one file of the path ``SINGLE_FILE``.
    """

    @property
    def file_count(self) -> int:
        """The number of files that differ."""
        return path_count(self.units)

    @property
    def unnamed_count(self) -> int:
        """The number of units without a suggestion, which a merge has to name."""
        return sum(unit.suggested is None for unit in self.units)


class SavegameSetQueries:
    """Reads of a user's sets over one connection, which needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._rows = SetRows(connection)
        self._saves = SavegameQueries(connection)
        self._merges = MergeStore(connection)

    async def files(
        self, user_id: UUID, slot_id: UUID, version: int | None, page: Page, *, in_trash: bool = False
    ) -> Slice[SaveFile] | None:
        """One page of the files of a version, by default of the head, in the order of their paths; None where there is
        no such version, or its bytes were deleted. A single file is one with the path ``SINGLE_FILE``.
        """
        found = await self._rows.version(user_id, slot_id, version, in_trash=in_trash)
        if found is None:
            return None
        files = await _files_of(found)
        start = (page.number - 1) * page.limit
        return Slice(list(files[start : start + page.limit]), len(files))

    async def download(self, user_id: UUID, slot_id: UUID, wanted: DownloadSet) -> SetDownload | None:
        """A version, and the keys of what the device lacks; None where there is no such version, or its bytes were
        deleted. Hashes that the version does not have are ignored, and so is a version that the save does not have.
        """
        found = await self._rows.version(user_id, slot_id, wanted.version)
        if found is None:
            return None
        files = await _files_of(found)
        have = {bytes.fromhex(one) for one in wanted.have}
        if wanted.have_version is not None:
            have |= await self._hashes(user_id, slot_id, wanted.have_version)
        if wanted.want:
            want = {bytes.fromhex(one) for one in wanted.want}
            files = tuple(file for file in files if file.sha256 in want)
            have = set()
        lacking = {file.sha256: file.size for file in files if file.sha256 not in have}
        first = list(lacking)[:MAX_URLS]
        if found.manifest_id is None:
            keys = dict.fromkeys(first, found.key)
        else:
            keys = await self._rows.keys(user_id, found.manifest_id, first) if first else {}
        return SetDownload(found.version, files, keys, sum(lacking.values()), len(lacking))

    async def file(
        self, user_id: UUID, slot_id: UUID, version: int | None, path: str, *, in_trash: bool = False
    ) -> DownloadableFile | None:
        """A file of a version, by default of the head, by its exact path; None where there is no such version, or its
        bytes were deleted.
        """
        found = await self._rows.version(user_id, slot_id, version, in_trash=in_trash)
        if found is None:
            return None
        file = next((one for one in await _files_of(found) if one.path == path), None)
        if file is None or found.manifest_id is None:
            return DownloadableFile(found.version, file, found.key if file else None)
        keys = await self._rows.keys(user_id, found.manifest_id, [file.sha256])
        return DownloadableFile(found.version, file, keys.get(file.sha256))

    async def differences(self, user_id: UUID, conflict_id: UUID) -> ConflictDifferences | None:
        """How the sides of an open conflict differ, by the units of the product's policy; None where there is no such
        conflict. If a side is a single file, they differ as a whole.
        """
        conflict = await self._saves.conflict(user_id, conflict_id)
        if conflict is None:
            return None
        head, branch = conflict.head, conflict.branch
        if head.file_count is None or branch.file_count is None:
            return _whole(conflict)
        stored = await self._merges.read_sides(user_id, head.slot_id, head.version, branch.version)
        count = head.file_count + branch.file_count
        sides = await beside_the_loop(count, decode_sides, stored)
        if sides is None:
            return _whole(conflict)
        units = await beside_the_loop(count, sides.differences)
        return ConflictDifferences(conflict, None if sides.base is None else sides.base_version, units)

    async def _hashes(self, user_id: UUID, slot_id: UUID, version: int) -> set[bytes]:
        """The hashes of the contents of a version, also of one whose bytes were deleted."""
        found = await self._rows.contents(user_id, slot_id, version)
        if found is None:
            return set()
        if found.body is None:
            return {found.content}
        return {file.sha256 for file in await beside_the_loop(found.file_count or 0, decode, found.body)}


async def _files_of(found: VersionWithList) -> FileList:
    if found.body is None:
        return (_single(found.version),)
    return await beside_the_loop(found.version.file_count or 0, decode, found.body)


def _single(version: SaveVersion) -> SaveFile:
    """A single file, or a set as a whole, as a file without a path."""
    identity = None if version.identity == version.content else version.identity
    return SaveFile(
        SINGLE_FILE,
        version.size,
        version.content,
        identity,
        identity if version.encryption is None and version.file_count is None else None,
        None,
        version.client_modified_at,
        version.content_encoding,
        version.encryption,
    )


def _whole(conflict: OpenConflict) -> ConflictDifferences:
    """The difference of sides that cannot be compared by files."""
    whole = PathDifference(SINGLE_FILE, None, _single(conflict.head), _single(conflict.branch))
    unit = UnitDifference(WHOLE_SAVE, DifferenceKind.BOTH_CHANGED, None, (whole,))
    return ConflictDifferences(conflict, None, (unit,))
