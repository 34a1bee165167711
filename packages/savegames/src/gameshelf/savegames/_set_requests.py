"""Decides on a request for an upload of a set: what it would store, or why it is refused. Pure.

Nothing is written before all of it holds. Shape, paths and hashes need no row, and are examined before the user is
serialised; ``decide`` examines the rest against what the user has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.savegames._errors import (
    SavegameBaseNotSynced,
    SavegameFileTooLarge,
    SavegameHashMismatch,
    SavegamePolicyChanged,
    SavegameShrinks,
    SavegameVersionNotFound,
)
from gameshelf.savegames._files import FileList, SaveFile, apply_delta, hash_of, identity_of, lineage_key, ordered
from gameshelf.savegames._guards import is_synced, shrinks_covered
from gameshelf.savegames._limits import MAX_LIST_BYTES, Limits
from gameshelf.savegames._lineage import NOTHING
from gameshelf.savegames._lists import fits
from gameshelf.savegames._models import ConflictPolicy
from gameshelf.savegames._multipart_layout import PART_BYTES, part_sizes
from gameshelf.savegames._packing import packing_problems
from gameshelf.savegames._paths import MAX_PROBLEMS, fold, problems
from gameshelf.savegames._policies import Coverage, EffectiveLimits, SavePolicy, effective_limits
from gameshelf.savegames._policy_store import parse_stored
from gameshelf.savegames._set_commands import FileEntry, NewSet
from gameshelf.savegames._store.set_contexts import KnownContent, SetContext
from gameshelf.savegames._store.set_reservations import NeededFile

_MAX_UNITS = 100
"""So many units are named by an error."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that the policy leaves out, since it is too large."""

    path: str
    size: int
    max_bytes: int


@dataclass(frozen=True)
class RequestedSet:
    """The files that an upload would store."""

    files: FileList
    skipped: tuple[SkippedFile, ...] = ()

    @cached_property
    def content(self) -> bytes:
        """The canonical hash."""
        return hash_of(self.files)

    @cached_property
    def identity(self) -> bytes:
        """The canonical identity."""
        return identity_of(self.files)

    @cached_property
    def key(self) -> bytes:
        """The lineage key."""
        return lineage_key(self.identity, is_set=True)

    @cached_property
    def total_bytes(self) -> int:
        return sum(file.size for file in self.files)

    @cached_property
    def contents(self) -> dict[bytes, SaveFile]:
        """A file of each content, the one that claims most of the unpacked bytes: it has to be verified."""
        found: dict[bytes, SaveFile] = {}
        for file in self.files:
            if file.sha256 not in found or _claims(file) > _claims(found[file.sha256]):
                found[file.sha256] = file
        return found

    def modified_at(self, new: NewSet) -> datetime | None:
        """When the save changed on the device: as the client says, or by the newest file."""
        times = [file.modified_at for file in self.files if file.modified_at]
        return new.client_modified_at or max(times, default=None)


def _claims(file: SaveFile) -> int:
    return (file.raw_sha256 is not None) + (file.raw_size is not None)


@dataclass(frozen=True, slots=True)
class NeededContents:
    """What the contents of a set need."""

    held: tuple[UUID, ...]
    """The contents that are there."""
    wanted: tuple[NeededFile, ...]
    """What has to be sent, or to be verified, in the order of the hashes."""
    new_bytes: int
    """The bytes that neither the user nor an open upload has."""
    sent_bytes: int
    """The bytes that have to be sent and that are counted for no open upload."""

    @property
    def is_required(self) -> bool:
        """Whether bytes have to be sent."""
        return any(one.content_id is None for one in self.wanted)


def require_removals(
    head: FileList, files: FileList, policy: SavePolicy, confirmed: int | None, head_version: int
) -> None:
    """Requires that the user has confirmed what ``files`` lack of the head. A single file lacks everything: it is ().

    Raises SavegameShrinks.
    """
    removed = shrinks_covered(head, files, policy)
    if removed and removed.files != confirmed:
        raise SavegameShrinks(
            pointer="confirm_removals",
            removed=removed.files,
            bytes=removed.bytes,
            units=list(removed.units[:_MAX_UNITS]),
            head_version=head_version,
        )


def limit_beyond(files: FileList, limits: EffectiveLimits) -> Mapping[str, Any] | None:
    """Returns the limit that a list breaks, as the context of an error."""
    count, size = len(files), sum(file.size for file in files)
    if count > limits.max_files:
        return {"limit": "files", "file_count": count, "max_files": limits.max_files}
    if size > limits.max_bytes:
        return {"limit": "set", "size_bytes": size, "max_bytes": limits.max_bytes}
    if not fits(files):
        return {"limit": "list", "file_count": count, "max_bytes": MAX_LIST_BYTES}
    return None


def require_shape(new: NewSet) -> None:
    """Requires what can be said of a request for a set alone. Raises InvalidInput."""
    found: list[Problem] = []
    if new.is_delta:
        found += _delta_problems(new)
    else:
        found += [
            Problem("delta_beside_files", pointer=name)
            for name in ("put", "remove", "set_sha256")
            if getattr(new, name) is not None
        ]
        if not new.files:
            found.append(Problem("set_is_empty", pointer="files"))
    if new.device_id is None:
        found.append(Problem("missing", pointer="device_id"))
    name, entries = ("put" if new.is_delta else "files"), new.entries
    found += [Problem("missing", pointer=f"{name}/{n}/path") for n, entry in enumerate(entries) if not entry.path]
    found += entry_problems(entries, name)
    if not found:
        found += problems([entry.path or "" for entry in entries], lambda index: f"{name}/{index}/path")
    if found:
        raise InvalidInput(*found[:MAX_PROBLEMS])


def _delta_problems(new: NewSet) -> Iterable[Problem]:
    if new.put is None and new.remove is None:
        yield Problem("missing", pointer="files")
        return
    if new.set_sha256 is None:
        yield Problem("missing", pointer="set_sha256")
    if new.base_version is None:
        yield Problem("missing", pointer="base_version")


def entry_problems(entries: Sequence[FileEntry], name: str) -> list[Problem]:
    """Returns what is wrong with each of some entries, and with those of equal bytes."""
    found: list[Problem] = []
    said: dict[str, tuple[object, ...]] = {}
    for index, entry in enumerate(entries):
        place = f"{name}/{index}"
        wrong = packing_problems(entry, entry.size_bytes)
        found += [replace(problem, pointer=f"{place}/{problem.pointer}") for problem in wrong]
        if entry.part_sha256 is not None:
            count = len(part_sizes(entry.size_bytes)) if entry.size_bytes > PART_BYTES else 0
            if count != len(entry.part_sha256):
                found.append(Problem("part_count", pointer=f"{place}/part_sha256", params={"count": count}))
        of_bytes = (entry.size_bytes, entry.raw_sha256, entry.raw_size_bytes, entry.content_encoding, entry.encryption)
        if said.setdefault(entry.sha256.lower(), of_bytes) != of_bytes:
            found.append(Problem("said_differently", pointer=f"{place}/sha256"))
        if len(found) >= MAX_PROBLEMS:
            break
    return found


class SetRequest:
    """A request for an upload of a set, beside what the user has."""

    def __init__(self, new: NewSet, context: SetContext, base: int, limits: Limits) -> None:
        """``base`` is the version that the set grew from."""
        self._new = new
        self._context = context
        self._base = base
        self.policy = SavePolicy() if context.policy is None else parse_stored(context.policy)
        self.limits: EffectiveLimits = effective_limits(
            self.policy.limits, max_set_bytes=limits.max_set_bytes, max_file_bytes=limits.max_bytes
        )

    def require_policy(self) -> None:
        """Requires that the device has used the current policy, if it says which one. Raises SavegamePolicyChanged."""
        if self._new.policy_revision not in (None, self._context.policy_revision):
            raise SavegamePolicyChanged(
                pointer="policy_revision",
                policy_revision=self._context.policy_revision,
                policy=self.policy.model_dump(mode="json"),
            )

    @property
    def base_list_id(self) -> UUID | None:
        """The list that a delta changes; None: all files are named.

        Raises SavegameVersionNotFound where there is no such list.
        """
        if not self._new.is_delta:
            return None
        if self._base == NOTHING or self._base != self._new.base_version or self._context.base_manifest_id is None:
            raise SavegameVersionNotFound(pointer="base_version", base_version=self._new.base_version, reason="no_list")
        return self._context.base_manifest_id

    @property
    def conflict_policy(self) -> ConflictPolicy:
        return self._new.conflict_policy or self.policy.conflict_policy

    def resulting_set(self, base: FileList | None) -> RequestedSet:
        """Returns the files that the upload would store. ``base`` is the list that a delta changes.

        Raises InvalidInput, SavegameFileTooLarge, SavegameHashMismatch.
        """
        new = self._new
        name = "put" if new.is_delta else "files"
        coverage = Coverage(self.policy)
        outside = [
            Problem("path_against_policy", pointer=f"{name}/{index}/path")
            for index, entry in enumerate(new.entries)
            if not coverage.covers(entry.path or "")
        ]
        if outside:
            raise InvalidInput(*outside[:MAX_PROBLEMS])
        files, skipped = self._without_oversize(name)
        if base is not None:
            changed = _changed(base, files, skipped, new)
            files = tuple(file for file in changed if coverage.covers(file.path))
        found = RequestedSet(ordered(files), skipped)
        self._require_limits(found)
        if new.set_sha256 is not None and found.content.hex() != new.set_sha256.lower():
            raise SavegameHashMismatch(pointer="set_sha256", reason="set", set_sha256=found.content.hex())
        return found

    def require_file_sizes(self) -> None:
        """Requires that no file is too large. A save that is a single file cannot leave it out.

        Raises SavegameFileTooLarge.
        """
        for index, entry in enumerate(self._new.entries):
            if max(entry.size_bytes, entry.raw_size_bytes or 0) > self.limits.max_file_bytes:
                raise self._oversize(f"files/{index}", entry)

    def _oversize(self, place: str, entry: FileEntry) -> SavegameFileTooLarge:
        most, raw_size = self.limits.max_file_bytes, entry.raw_size_bytes or 0
        return SavegameFileTooLarge(
            pointer=f"{place}/{'size_bytes' if entry.size_bytes > most else 'raw_size_bytes'}",
            limit="file",
            size_bytes=max(entry.size_bytes, raw_size),
            max_bytes=most,
            path=entry.path,
        )

    def _without_oversize(self, name: str) -> tuple[FileList, tuple[SkippedFile, ...]]:
        files, skipped = [], []
        most = self.limits.max_file_bytes
        for index, entry in enumerate(self._new.entries):
            raw_size = entry.raw_size_bytes or 0
            if max(entry.size_bytes, raw_size) <= most:
                files.append(entry.as_file)
            elif self.limits.skips_oversize:
                skipped.append(SkippedFile(entry.path or "", max(entry.size_bytes, raw_size), most))
            else:
                raise self._oversize(f"{name}/{index}", entry)
        return tuple(files), tuple(skipped)

    def _require_limits(self, found: RequestedSet) -> None:
        place = "put" if self._new.is_delta else "files"
        if not found.files:
            raise InvalidInput(Problem("set_is_empty", pointer=place))
        if beyond := limit_beyond(found.files, self.limits):
            raise SavegameFileTooLarge(pointer=place, **beyond)

    def needs_head(self, found: RequestedSet) -> bool:
        """Whether the list of the head decides: the upload would replace it with other files."""
        context = self._context
        return (
            context.head_manifest_id is not None
            and self._base == context.head_version
            and context.head_identity != found.key
        )

    def require_guards(self, found: RequestedSet, head: FileList | None) -> None:
        """Requires that the device had the head that it replaces, and that nothing is removed by mistake. ``head`` is
        the list of the head, where ``needs_head``.

        Raises SavegameBaseNotSynced, SavegameShrinks.
        """
        context, new = self._context, self._new
        if not context.head_version or self._base != context.head_version or context.head_identity == found.key:
            return
        if not is_synced(new.device_id or "", context.device_version, context.head_version, context.head_device_id):
            raise SavegameBaseNotSynced(
                pointer="base_version",
                head_version=context.head_version,
                device_version=context.device_version,
            )
        if head is not None:
            require_removals(head, found.files, self.policy, new.confirm_removals, context.head_version)

    def needed_contents(self, found: RequestedSet, known: Mapping[bytes, KnownContent]) -> NeededContents:
        """Returns which contents are there, and which have to be sent or verified.

        Raises InvalidInput for a size that a known content does not have.
        """
        self._require_sizes(known)
        parts = {entry.content: entry.parts for entry in self._new.entries}
        held, wanted, new_bytes, sent_bytes = [], [], 0, 0
        for sha256, file in sorted(found.contents.items()):
            one = known[sha256]
            is_there = one.content_id is not None and not one.is_missing
            if one.content_id is not None and is_there:
                held.append(one.content_id)
                if _is_raw_known(file, one):
                    continue
            wanted.append(
                NeededFile(
                    sha256,
                    file.size,
                    file.content_encoding if file.raw_sha256 else None,
                    file.raw_sha256,
                    file.raw_size,
                    parts.get(sha256),
                    one.content_id if is_there else None,
                )
            )
            # An open upload may have announced the same hash with a smaller size.
            uncounted = max(0, file.size - one.counted_bytes)
            sent_bytes += 0 if is_there else uncounted
            new_bytes += 0 if one.content_id else uncounted
        return NeededContents(tuple(held), tuple(wanted), new_bytes, sent_bytes)

    def _require_sizes(self, known: Mapping[bytes, KnownContent]) -> None:
        name = "put" if self._new.is_delta else "files"
        found = [
            Problem("size_of_known_content", pointer=f"{name}/{index}/size_bytes")
            for index, entry in enumerate(self._new.entries)
            if (one := known.get(entry.content)) and one.content_id and one.size != entry.size_bytes
        ]
        if found:
            raise InvalidInput(*found[:MAX_PROBLEMS])


def _changed(base: FileList, put: FileList, skipped: Sequence[SkippedFile], new: NewSet) -> FileList:
    """Returns the base with the files of a delta. The paths of the result have to fit beside each other.

    A file that is left out takes its former bytes along: beside the others they would be a state that nobody saved.
    """
    left_out = {fold(file.path) for file in skipped}
    result = apply_delta(base, put, new.remove or ())
    result = tuple(file for file in result if fold(file.path) not in left_out)
    places = {entry.path: f"put/{index}/path" for index, entry in enumerate(new.put or ())}
    _require_same_claims(result, new)
    # Only what the request brings can be wrong: at its place, or at that of the whole list.
    found = problems([file.path for file in result], lambda index: places.get(result[index].path, "put"))
    if found:
        raise InvalidInput(*found)
    return result


def _require_same_claims(result: FileList, new: NewSet) -> None:
    """Requires that a delta claims the same unpacked bytes of a content as the files that it leaves alone. Of one
    content only one claim can be verified.
    """
    brought = {entry.path for entry in new.put or ()}
    raw, sizes = {}, {}
    for file in result:
        if file.raw_sha256 is not None and file.path not in brought:
            raw[file.sha256] = (file.raw_sha256, file.content_encoding)
            if file.raw_size is not None:
                sizes[file.sha256] = file.raw_size
    found = [
        Problem("said_differently", pointer=f"put/{index}/sha256")
        for index, entry in enumerate(new.put or ())
        if entry.raw is not None
        and (
            raw.get(entry.content, claim := (entry.raw, entry.content_encoding)) != claim
            or (
                entry.raw_size_bytes is not None
                and sizes.get(entry.content, entry.raw_size_bytes) != entry.raw_size_bytes
            )
        )
    ]
    if found:
        raise InvalidInput(*found[:MAX_PROBLEMS])


def _is_raw_known(file: SaveFile, one: KnownContent) -> bool:
    if file.raw_sha256 is None or (file.content_encoding == "identity" and file.raw_sha256 == file.sha256):
        return True
    is_same = (one.raw_sha256, one.raw_encoding) == (file.raw_sha256, file.content_encoding)
    return is_same and file.raw_size in (None, one.raw_size)
