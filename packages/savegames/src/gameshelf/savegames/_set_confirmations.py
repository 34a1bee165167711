"""Confirmation of sets: which of the announced contents are missing, and which version the set becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.events import RecordEvent
from gameshelf.savegames import _outcomes
from gameshelf.savegames._branches import Branches
from gameshelf.savegames._errors import SavegameUploadIncomplete, SavegameVersionNotFound
from gameshelf.savegames._events import SavegameUploaded, UploadUnneeded
from gameshelf.savegames._files import FileList
from gameshelf.savegames._limits import REMEMBER_FOR, Limits
from gameshelf.savegames._lineage import NOTHING, Node, Relation, relation
from gameshelf.savegames._lists import decode
from gameshelf.savegames._merging import SetMerges, beside_the_loop
from gameshelf.savegames._models import Resolution
from gameshelf.savegames._naming import object_key
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._quota import StorageQuota
from gameshelf.savegames._set_verification import FileProblem
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.set_commits import AwaitedFile, SetCommitState
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._store.uploads import Upload
from gameshelf.savegames._store.usage import UsedStorage
from gameshelf.savegames._timeline import StoredContent, Timeline

MAX_NAMED = 100
"""So many missing and so many mismatching files are named at most."""


@dataclass(frozen=True, slots=True)
class IncompleteFile:
    """A content of a set that has to be sent, or sent again."""

    sha256: bytes
    path: str
    """The first path that has it."""
    problem: FileProblem


@dataclass(frozen=True, slots=True)
class IncompleteSet:
    """What a set still lacks. The upload stays open, and the transaction has to be committed."""

    missing: tuple[IncompleteFile, ...]
    """At most ``MAX_NAMED``."""
    mismatched: tuple[IncompleteFile, ...]
    missing_count: int
    mismatched_count: int


class SetConfirmations:
    """Confirms a user's uploads of sets, inside the user's transaction."""

    def __init__(
        self,
        store: SavegameStore,
        timeline: Timeline,
        quota: StorageQuota,
        record: RecordEvent,
        clock: Clock,
        limits: Limits,
        bucket: str,
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._quota = quota
        self._record = record
        self._clock = clock
        self._bucket = bucket
        self._branches = Branches(store, timeline, SetMerges(store, limits, clock), record, clock)

    async def finish(self, user_id: UUID, upload_id: UUID) -> UploadOutcome | IncompleteSet:
        """As ``SavegameSets.finish``."""
        found = await self._store.set_commits.read_state(user_id, upload_id)
        if found is None:
            raise SavegameVersionNotFound
        upload, state = found
        if upload.outcome is not None:
            outcome = _outcomes.from_text(upload.outcome)
            if outcome.result is UploadResult.CANCELLED:
                raise SavegameVersionNotFound
            return outcome
        if upload.expires_at <= self._clock() or upload.manifest_id is None:
            raise SavegameVersionNotFound
        if not state.is_ready:
            return await self._incomplete(user_id, upload, upload.manifest_id)
        slot = Slot(upload.slot_id, upload.product_id, upload.slot_name, upload.head_version, upload.version, None)
        standing = await self._standing(user_id, upload, state)
        if standing in (Relation.IDENTICAL, Relation.BEHIND):
            return await self._end_unneeded(user_id, upload, slot, standing)
        await self._make_room(user_id, upload, state)
        about = (user_id, upload_id, upload.manifest_id)
        new_bytes, live_count = await self._store.set_commits.go_live(*about, self._clock())
        if live_count != state.verified_count:
            raise SavegameUploadIncomplete
        if standing is Relation.DIVERGED:
            return await self._add_branch(user_id, upload, slot, new_bytes)
        return await self._add_head(user_id, upload, slot, state, new_bytes)

    async def _standing(self, user_id: UUID, upload: Upload, state: SetCommitState) -> Relation:
        head = upload.head_version
        if head is not None and upload.base_version != head:
            about = (upload.slot_id, head, upload.base_version, upload.identity)
            return await self._timeline.relation(user_id, *about)
        history = {head: Node(NOTHING, None, state.head_identity)} if head else {}
        return relation(upload.base_version, upload.identity, head or NOTHING, history)

    async def _make_room(self, user_id: UUID, upload: Upload, state: SetCommitState) -> None:
        used = UsedStorage(state.used_bytes, 0, state.limit_bytes)
        await self._quota.make_room(user_id, upload.product_id, upload.id, state.new_bytes, None, used)

    async def _incomplete(self, user_id: UUID, upload: Upload, manifest_id: UUID) -> IncompleteSet:
        """Names what is missing. What has been lost since the request is awaited from now on."""
        bodies = await self._store.lists.read_bodies(user_id, [manifest_id])
        files = await beside_the_loop(upload.file_count or 0, decode, bodies[manifest_id])
        known = await self._store.set_commits.awaited_files(user_id, upload.id, manifest_id)
        lacking, lost = await beside_the_loop(len(files), _lacking, files, known)
        await self._store.set_commits.await_files(user_id, upload.id, lost)
        missing = [one for one in lacking if one.problem is FileProblem.MISSING]
        mismatched = [one for one in lacking if one.problem is not FileProblem.MISSING]
        return IncompleteSet(tuple(missing[:MAX_NAMED]), tuple(mismatched[:MAX_NAMED]), len(missing), len(mismatched))

    async def _end_unneeded(self, user_id: UUID, upload: Upload, slot: Slot, standing: Relation) -> UploadOutcome:
        """Closes an upload whose content the head holds or grew from."""
        assert slot.head_version is not None
        result = UploadResult.BEHIND if standing is Relation.BEHIND else UploadResult.IDENTICAL
        outcome = UploadOutcome(result, slot.id, slot.head_version, file_count=upload.file_count)
        if result is UploadResult.IDENTICAL:
            await self._device_has(user_id, upload, slot.head_version)
        elif upload.device_id:
            about = (user_id, upload.product_id, slot.id, upload.device_id)
            await self._store.set_commits.note_commit(*about, self._clock())
        await self._close(user_id, upload, outcome)
        await self._store.upload_files.end(user_id, upload.id, self._clock())
        await self._timeline.release_lists(user_id, slot.id)
        self._record(
            UploadUnneeded(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=upload.product_id,
                slot_id=upload.slot_id,
                slot_name=upload.slot_name,
                upload_id=upload.id,
                version=slot.head_version,
                result=result.value,
            )
        )
        return outcome

    async def _add_head(
        self, user_id: UUID, upload: Upload, slot: Slot, state: SetCommitState, new_bytes: int
    ) -> UploadOutcome:
        outcome = UploadOutcome(
            UploadResult.HEAD,
            slot.id,
            upload.version,
            regresses_to=state.regresses_to,
            new_bytes=new_bytes,
            file_count=upload.file_count,
        )
        new = self._new_version(user_id, upload, slot, new_bytes, is_branch=False)
        now = self._clock()
        merged = await self._branches.end_equal(user_id, slot, state.equal, upload.version)
        numbers = (upload.version, upload.base_version)
        await self._store.set_commits.add_head(
            user_id,
            upload_id=upload.id,
            product_id=upload.product_id,
            new_outcome=_outcomes.as_text(outcome),
            new_expires_at=now + REMEMBER_FOR,
            **self._timeline.new_version(user_id, slot, *numbers, new, merged=merged, version_id=upload.id),
        )
        await self._timeline.prune(user_id, slot.id, upload.version)
        return outcome

    async def _add_branch(self, user_id: UUID, upload: Upload, slot: Slot, new_bytes: int) -> UploadOutcome:
        new = self._new_version(user_id, upload, slot, new_bytes, is_branch=True)
        outcome = await self._branches.add_upload(user_id, upload, slot, new)
        outcome = replace(outcome, new_bytes=new_bytes, file_count=upload.file_count)
        # The device has the new head only where that is the branch itself: a merge it has to download.
        has_head = outcome.resolution == Resolution.KEEP_LOCAL
        await self._device_has(user_id, upload, outcome.version if has_head else upload.version)
        await self._close(user_id, upload, outcome)
        return outcome

    def _new_version(
        self, user_id: UUID, upload: Upload, slot: Slot, new_bytes: int, *, is_branch: bool
    ) -> StoredContent:
        """Returns the content of the new version, and records that it was uploaded."""
        held = StoredContent.of_upload(upload, uuid4())
        key = object_key(user_id, slot.product_id, slot.name, upload.version, held.content_id, self._clock())
        self._record(
            SavegameUploaded(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=upload.product_id,
                slot_id=upload.slot_id,
                slot_name=upload.slot_name,
                version=upload.version,
                s3_path=f"s3://{self._bucket}/{key}",
                file_size_bytes=upload.size,
                client_modified_at=upload.client_modified_at,
                is_branch=is_branch,
                sent_bytes=new_bytes,
                file_count=upload.file_count,
                new_bytes=new_bytes,
            )
        )
        return replace(held, list_key=key)

    async def _close(self, user_id: UUID, upload: Upload, outcome: UploadOutcome) -> None:
        until = self._clock() + REMEMBER_FOR
        await self._store.uploads.close_upload(user_id, upload.id, _outcomes.as_text(outcome), until)

    async def _device_has(self, user_id: UUID, upload: Upload, version: int) -> None:
        if upload.device_id:
            about = (user_id, upload.slot_id, upload.device_id, version, self._clock())
            await self._store.slots.device_has(*about, committed_to=upload.product_id)


def _lacking(files: FileList, known: Sequence[AwaitedFile]) -> tuple[list[IncompleteFile], FileList]:
    """Returns the contents that are not there, and of them those that the upload does not await yet.

    A content that is there and awaited has unpacked bytes that are not verified.
    """
    awaited = {one.sha256: one.problem for one in known if not one.is_ready}
    ready = {one.sha256 for one in known if one.is_ready} - awaited.keys()
    first = {file.sha256: file for file in reversed(files) if file.sha256 not in ready}
    lacking = [
        IncompleteFile(content, file.path, FileProblem(awaited.get(content) or FileProblem.MISSING))
        for content, file in sorted(first.items())
    ]
    return lacking, tuple(file for content, file in sorted(first.items()) if content not in awaited)
