"""``CloudSaveService``: saves of games and game servers that speak gRPC."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import uuid4

import grpc.aio
import httpx
import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as messages
from gameshelf.protos.library.v1.cloud_save_service_pb2_grpc import CloudSaveServiceStub
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

CONFLICT = ("FAILED_PRECONDITION", "SAVEGAME_VERSION_CONFLICT")
DENIED = ("PERMISSION_DENIED", "PERMISSION_DENIED")


class Game:
    """A game that saves for one player, as that player or as the user that the token names."""

    def __init__(self, stub, store, user, product, metadata):
        self.stub, self.store, self.user, self.product, self.metadata = stub, store, str(user), str(product), metadata

    def as_(self, metadata):
        return Game(self.stub, self.store, self.user, self.product, metadata)

    def _call(self, name, request, **fields):
        return getattr(self.stub, name)(request(user_id=self.user, **fields), metadata=self.metadata)

    def ask(self, content, slot="slot", **more):
        fields = {
            "product_id": self.product,
            "save_slot_name": slot,
            "file_size_bytes": len(content),
            "file_hash_sha256": sha256(content).hexdigest(),
            **more,
        }
        return self._call("RequestSaveGameUploadURL", messages.RequestSaveGameUploadURLRequest, **fields)

    def confirm(self, internal_save_id):
        fields = {"internal_save_id": internal_save_id}
        return self._call("ConfirmSaveGameUpload", messages.ConfirmSaveGameUploadRequest, **fields)

    async def send(self, content, slot="slot", **more):
        """Requests an upload, sends the bytes if the service needs them, and returns the id to confirm."""
        upload = await self.ask(content, slot, **more)
        if upload.upload_required:
            sent = await self.store.request(
                upload.method, upload.upload_url, content=content, headers=dict(upload.headers)
            )
            assert sent.status_code == 200, sent.text
        return upload.internal_save_id

    async def save(self, content, slot="slot", **more):
        return await self.confirm(await self.send(content, slot, **more))

    def saves(self, **more):
        return self._call("ListSaveGames", messages.ListSaveGamesRequest, **more)

    def conflicts(self, **more):
        return self._call("ListConflicts", messages.ListConflictsRequest, **more)

    def resolve(self, conflict_id, choice="", **more):
        resolution = messages.SaveResolution.Value(f"SAVE_RESOLUTION_{(choice or 'unspecified').upper()}")
        fields = {"conflict_id": conflict_id, "resolution": resolution, **more}
        return self._call("ResolveConflict", messages.ResolveConflictRequest, **fields)

    def url(self, savegame_id, **more):
        fields = {"savegame_id": savegame_id, **more}
        return self._call("RequestSaveGameDownloadURL", messages.RequestSaveGameDownloadURLRequest, **fields)

    async def load(self, savegame_id, **more):
        found = await self.url(savegame_id, **more)
        answer = await self.store.get(found.download_url)
        assert answer.status_code == 200, answer.text
        if "device_id" in more:
            await self.synced(savegame_id, found.save.version, more["device_id"])
        return answer.content

    def synced(self, savegame_id, version, device_id):
        fields = {"savegame_id": savegame_id, "version": version, "device_id": device_id}
        return self._call("ReportSaveSynced", messages.ReportSaveSyncedRequest, **fields)

    def upload(self, upload_id):
        return self._call("GetSaveUpload", messages.GetSaveUploadRequest, upload_id=upload_id)

    def cancel(self, upload_id):
        return self._call("CancelSaveUpload", messages.CancelSaveUploadRequest, upload_id=upload_id)


@pytest.fixture
async def store():
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture
async def game(service, store, player, caller, wait_until):
    """A game of the player's own."""
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        yield Game(CloudSaveServiceStub(channel), store, player.id, product, caller(player.id))


@pytest.fixture
async def apart(game, conflict_metadata):
    """A save, its conflict, and the refusal's metadata: the head ``cloud`` is version 2, the branch ``local`` is 3."""
    first = await game.save(b"start", device_id="pc")
    await game.save(b"cloud", device_id="pc")
    metadata = await conflict_metadata(game.save(b"local", device_id="deck", base_version=1))
    return first.save.savegame_id, metadata["conflict_id"], metadata


@pytest.fixture
def conflict_metadata():
    """The metadata of a call that must be refused because of a conflict."""

    async def of(call):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call
        info = ErrorInfo()
        assert rpc_status.from_call(error.value).details[0].Unpack(info)
        assert (error.value.code().name, info.reason) == CONFLICT
        return dict(info.metadata)

    return of


async def test_a_player_saves_lists_and_loads(game):
    modified = datetime(2026, 5, 20, 12, 30, 15, 250_000, UTC)
    done = await game.save(
        b"content",
        "Глава 1",
        client_modified_at=modified,
        base_version=0,
        device_id="pc",
        comment="before the dragon",
        playtime_seconds=0,
        content_encoding="gzip",
        encryption=messages.SaveEncryption(scheme="age", key_id="k1"),
    )
    save = done.save
    assert (done.result, done.resolution) == ("head", "")
    assert (save.version, save.parent_version, save.HasField("merged_version"), save.status) == (1, 0, False, "head")
    assert (save.slot_name, save.product_id, save.device_id, save.comment) == (
        "Глава 1",
        game.product,
        "pc",
        "before the dragon",
    )
    assert save.client_modified_at.ToDatetime(UTC) == modified
    assert (save.HasField("playtime_seconds"), save.playtime_seconds) == (True, 0)
    assert (save.content_encoding, save.encryption) == ("gzip", messages.SaveEncryption(scheme="age", key_id="k1"))
    assert (save.file_size_bytes, save.file_hash_sha256) == (7, sha256(b"content").hexdigest())
    listed = await game.saves()
    assert (list(listed.saves), listed.total_items) == ([save], 1)
    found = await game.url(save.savegame_id)
    assert (found.save, found.expires_in_seconds) == (save, 300)
    assert (await game.store.get(found.download_url)).content == b"content"


async def test_what_is_not_said_stays_unsaid(game):
    save = (await game.save(b"x")).save
    said = [field.name for field, _ in save.ListFields()]
    assert {"client_modified_at", "playtime_seconds", "encryption", "merged_version", "device_id"}.isdisjoint(said)


async def test_an_empty_save_is_a_save(game):
    save = (await game.save(b"")).save
    assert (save.file_size_bytes, await game.load(save.savegame_id)) == (0, b"")


async def test_confirming_twice_is_idempotent_and_known_bytes_are_skipped(game):
    upload = await game.send(b"once")
    assert await game.confirm(upload) == await game.confirm(upload)
    upload = await game.ask(b"once", "other")
    assert (upload.upload_required, upload.upload_url, upload.method, dict(upload.headers)) == (False, "", "", {})
    assert (await game.confirm(upload.internal_save_id)).result == "head"
    assert (await game.save(b"once")).result == "identical"
    await game.save(b"twice")
    behind = await game.save(b"once", base_version=1)
    assert (behind.result, behind.save.version, behind.save.file_size_bytes) == ("behind", 3, 5)


async def test_what_was_not_sent_or_is_something_else_is_refused(game, refusal):
    upload = await game.ask(b"announced")
    incomplete = await refusal(game.confirm(upload.internal_save_id))
    assert incomplete == ("FAILED_PRECONDITION", "SAVEGAME_UPLOAD_INCOMPLETE")
    await game.store.request(upload.method, upload.upload_url, content=b"different", headers=dict(upload.headers))
    mismatch = await refusal(game.confirm(upload.internal_save_id))
    assert mismatch == ("FAILED_PRECONDITION", "SAVEGAME_HASH_MISMATCH")
    assert await refusal(game.confirm(upload.internal_save_id)) == mismatch
    assert (await game.save(b"announced")).result == "head"


async def test_a_service_saves_for_a_player(game, caller):
    server = game.as_(caller(uuid4(), "service"))
    savegame_id = (await server.save(b"of the server", device_id="server")).save.savegame_id
    assert await game.load(savegame_id) == b"of the server"
    await game.save(b"of the player", device_id="pc", base_version=1)
    assert await server.load(savegame_id, version=1) == b"of the server"
    assert (await server.saves(product_id=game.product)).total_items == 1


async def test_a_service_signs_nothing_for_a_player_without_access(game, caller, refusal):
    server = game.as_(caller(uuid4(), "service"))
    server.product = str(uuid4())
    assert await refusal(server.ask(b"x")) == DENIED


@pytest.mark.parametrize("roles", [("user",), ("support",), ("admin",), ("support", "admin")])
async def test_nobody_else_writes_or_gets_at_bytes(game, apart, caller, refusal, roles):
    savegame_id, conflict_id, _ = apart
    upload = await game.send(b"of the player")
    other = game.as_(caller(uuid4(), *roles))
    for call in (
        other.ask(b"x"),
        other.confirm(upload),
        other.url(savegame_id),
        other.resolve(conflict_id, "keep_local"),
    ):
        assert await refusal(call) == DENIED
    if roles == ("user",):
        assert await refusal(other.saves()) == DENIED
        assert await refusal(other.conflicts()) == DENIED
    else:
        assert [one.savegame_id for one in (await other.saves()).saves] == [savegame_id]
        assert [one.conflict_id for one in (await other.conflicts()).conflicts] == [conflict_id]


async def test_ids_of_another_players_saves_mean_nothing(game, apart, new_player, caller, refusal):
    savegame_id, conflict_id, _ = apart
    upload = await game.send(b"of the player")
    stranger = new_player()
    other = Game(game.stub, game.store, stranger.id, game.product, caller(stranger.id))
    assert await refusal(other.confirm(upload)) == ("NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND")
    assert await refusal(other.url(savegame_id)) == ("NOT_FOUND", "SAVEGAME_SLOT_NOT_FOUND")
    assert await refusal(other.resolve(conflict_id, "keep_both")) == ("NOT_FOUND", "CONFLICT_NOT_FOUND")
    assert ((await other.saves()).total_items, (await other.conflicts()).total_items) == (0, 0)
    assert (await game.confirm(upload)).save.version == 4


async def test_a_conflict_is_returned_committed_and_returned_again(game, conflict_metadata):
    savegame_id = (await game.save(b"start", device_id="pc")).save.savegame_id
    await game.save(b"cloud", device_id="pc")
    upload = await game.ask(b"local", device_id="deck", base_version=1)
    assert upload.conflict_expected
    await game.store.request(upload.method, upload.upload_url, content=b"local", headers=dict(upload.headers))
    metadata = await conflict_metadata(game.confirm(upload.internal_save_id))
    conflict_id = metadata.pop("conflict_id")
    assert metadata == {"savegame_id": savegame_id, "head_version": "2", "branch_version": "3"}
    listed = await game.conflicts(product_id=game.product)
    [conflict] = listed.conflicts
    assert (conflict.conflict_id, listed.total_items) == (conflict_id, 1)
    assert (conflict.head.version, conflict.head.status, conflict.head.device_id) == (2, "head", "pc")
    assert (conflict.branch.version, conflict.branch.status, conflict.branch.device_id) == (3, "branch", "deck")
    assert conflict.branch.parent_version == 1
    again = await conflict_metadata(game.confirm(upload.internal_save_id))
    assert again == {"conflict_id": conflict_id, **metadata}
    assert await game.load(savegame_id) == b"cloud"
    assert await game.load(savegame_id, version=3) == b"local"
    assert not (await game.conflicts(product_id=str(uuid4()))).conflicts


@pytest.mark.parametrize(("choice", "kept"), [("keep_local", b"local"), ("keep_cloud", b"cloud")])
async def test_a_side_that_is_kept_is_the_head_with_both_as_parents(game, apart, refusal, choice, kept):
    savegame_id, conflict_id, _ = apart
    done = await game.resolve(conflict_id, choice, head_version=2, branch_version=3)
    assert (done.head.version, done.head.parent_version, done.head.merged_version) == (4, 2, 3)
    assert (done.head.savegame_id, done.copy_savegame_id) == (savegame_id, "")
    assert await game.load(savegame_id) == kept
    assert not (await game.conflicts()).conflicts
    assert await refusal(game.resolve(conflict_id, choice)) == ("NOT_FOUND", "CONFLICT_NOT_FOUND")


@pytest.mark.parametrize(("asked", "name"), [("", "slot (conflict v3)"), ("Мой", "Мой")])
async def test_both_sides_are_kept_in_slots_of_their_own(game, apart, asked, name):
    savegame_id, conflict_id, _ = apart
    done = await game.resolve(conflict_id, "keep_both", copy_slot_name=asked)
    assert (done.head.savegame_id, done.head.version) == (savegame_id, 2)
    assert await game.load(done.copy_savegame_id) == b"local"
    assert {one.slot_name for one in (await game.saves()).saves} == {"slot", name}


async def test_an_overtaken_resolution_is_refused_and_changes_nothing(game, apart, conflict_metadata):
    savegame_id, conflict_id, metadata = apart
    await game.save(b"cloud resumed", device_id="pc")
    now = await conflict_metadata(game.resolve(conflict_id, "keep_local", head_version=2, branch_version=3))
    assert now == {**metadata, "head_version": "4"}
    assert await game.load(savegame_id) == b"cloud resumed"
    done = await game.resolve(conflict_id, "keep_local")  # without versions: those of the last refusal
    assert (done.head.version, done.head.parent_version, done.head.merged_version) == (5, 4, 3)


async def test_a_policy_resolves_at_once(game):
    await game.save(b"start", device_id="pc")
    await game.save(b"cloud", device_id="pc", playtime_seconds=10)
    more = {"base_version": 1, "playtime_seconds": 20, "conflict_policy": "longest_playtime"}
    done = await game.save(b"local", device_id="deck", **more)
    assert (done.result, done.resolution, done.save.version, done.save.merged_version) == (
        "resolved",
        "keep_local",
        4,
        3,
    )
    assert await game.load(done.save.savegame_id) == b"local"


async def test_a_device_that_names_no_base_grew_from_what_it_had_last(game, conflict_metadata):
    savegame_id = (await game.save(b"start", device_id="pc")).save.savegame_id
    await game.load(savegame_id, device_id="deck")
    await game.save(b"pc resumed", device_id="pc")
    assert (await conflict_metadata(game.save(b"deck resumed", device_id="deck")))["branch_version"] == "3"
    assert (await conflict_metadata(game.save(b"somebody new", device_id="phone")))["branch_version"] == "4"
    assert (await game.save(b"of no device")).save.parent_version == 2


async def test_the_fields_at_fault_are_named(game, apart):
    _, conflict_id, _ = apart
    await game.save(b"four", "four")
    for call, named in (
        (game.ask(b"x", ""), "save_slot_name: missing"),
        (game.ask(b"x", "a/../b"), "save_slot_name: slot_name"),
        (game.ask(b"x", file_size_bytes=-1), "file_size_bytes: greater_than_equal"),
        (game.ask(b"four", "other", file_size_bytes=5), "file_size_bytes: size_of_known_content"),
        (game.ask(b"x", file_hash_sha256="00"), "file_hash_sha256: string_pattern_mismatch"),
        (game.ask(b"x", client_modified_at=Timestamp(seconds=2**60)), "client_modified_at: datetime_out_of_range"),
        (game.ask(b"x", comment="c" * 501), "comment: string_too_long"),
        (game.ask(b"x", base_version=-1), "base_version: greater_than_equal"),
        (game.ask(b"x", encryption=messages.SaveEncryption(scheme="age")), "encryption.key_id: missing"),
        (game.ask(b"x", conflict_policy="newest"), "conflict_policy: enum"),
        (game.ask(b"x", product_id="game"), "product_id: uuid_parsing"),
        (game.confirm("upload"), "internal_save_id: uuid_parsing"),
        (game.saves(limit=101), "limit: less_than_equal"),
        (game.url("save"), "savegame_id: uuid_parsing"),
        (game.url(str(uuid4()), version=0), "version: greater_than_equal"),
        (game.resolve(conflict_id), "resolution: missing"),
        (game.resolve(conflict_id, "keep_both", copy_slot_name="four"), "copy_slot_name: slot_name_taken"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call
        assert (error.value.code().name, error.value.details()) == ("INVALID_ARGUMENT", named)


async def test_a_base_a_version_or_a_save_that_is_not_there(game, refusal):
    savegame_id = (await game.save(b"x")).save.savegame_id
    no_version = ("NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND")
    assert await refusal(game.ask(b"y", base_version=9)) == no_version
    assert await refusal(game.url(savegame_id, version=9)) == no_version
    assert await refusal(game.confirm(str(uuid4()))) == no_version
    assert await refusal(game.url(str(uuid4()))) == ("NOT_FOUND", "SAVEGAME_SLOT_NOT_FOUND")


async def test_a_save_that_is_too_large_is_refused(game, refusal):
    too_large = game.ask(b"x", file_size_bytes=50 * 1024**2 + 1)
    assert await refusal(too_large) == ("RESOURCE_EXHAUSTED", "SAVEGAME_FILE_TOO_LARGE")


async def test_of_an_erased_player_nothing_is_read_or_written(game, apart, player, caller, refusal, wait_until):
    savegame_id, conflict_id, _ = apart
    upload = await game.send(b"last")
    await player.publish(CloudEvent("com.platform.account.user.deleted.v1", {"userId": game.user}))

    async def is_erased():
        return (await player.http.get("/savegames")).status_code == 401

    await wait_until(is_erased)
    server, support = game.as_(caller(uuid4(), "service")), game.as_(caller(uuid4(), "support"))
    for one in (server, support):
        assert not (await one.saves()).saves
        assert not (await one.conflicts()).conflicts
    assert await refusal(server.url(savegame_id)) == ("NOT_FOUND", "SAVEGAME_SLOT_NOT_FOUND")
    for write in (server.ask(b"x"), server.confirm(upload), server.resolve(conflict_id, "keep_both")):
        assert await refusal(write) == DENIED
    for own in (game.saves(), game.conflicts(), game.url(savegame_id), game.ask(b"x"), game.confirm(upload)):
        assert await refusal(own) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_an_upload_is_resumed_or_cancelled(game, refusal):
    upload = await game.ask(b"x" * 1000, device_id="pc")
    found = (await game.upload(upload.internal_save_id)).upload
    assert (found.status, found.missing_bytes, found.missing_count, found.slot_name) == ("open", 1000, 1, "slot")
    [missing] = found.uploads
    sent = await game.store.request(
        missing.method, missing.upload_url, content=b"x" * 1000, headers=dict(missing.headers)
    )
    assert sent.status_code == 200
    assert list((await game.upload(upload.internal_save_id)).upload.uploads) == []
    assert (await game.confirm(upload.internal_save_id)).result == "head"
    assert (await game.upload(upload.internal_save_id)).upload.status == "committed"
    other = await game.ask(b"y", device_id="pc")
    await game.cancel(other.internal_save_id)
    await game.cancel(other.internal_save_id)
    assert (await game.upload(other.internal_save_id)).upload.status == "cancelled"
    for call in (game.confirm(other.internal_save_id), game.cancel(upload.internal_save_id), game.upload(str(uuid4()))):
        assert await refusal(call) == ("NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND")


async def test_a_device_has_what_it_reported(game, refusal):
    savegame_id = (await game.save(b"one", device_id="pc")).save.savegame_id
    await game.url(savegame_id, device_id="deck")
    assert (await game.ask(b"two", device_id="deck")).conflict_expected
    await game.synced(savegame_id, 1, "deck")
    assert not (await game.ask(b"two", device_id="deck")).conflict_expected
    assert await refusal(game.synced(savegame_id, 7, "deck")) == ("NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND")
    encryption = messages.SaveEncryption(scheme="age", key_id="k", identity="ab" * 32)
    made = await game.save(b"two", device_id="deck", encryption=encryption, savegame_id=savegame_id, base_version=1)
    assert (made.result, made.save.content_identity) == ("head", "ab" * 32)
    assert (await game.save(b"2", device_id="deck", encryption=encryption)).result == "identical"
