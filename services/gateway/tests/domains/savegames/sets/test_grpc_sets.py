"""Sets of files over gRPC: a game server, or a game that speaks gRPC, against a real store."""

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

PART = 8 * 1024**2
WORLDS = {
    "revision": 3,
    "merge": "never",
    "roots": {"saves": {"include": ["**/*.sav"]}},
    "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
}
SIDE = {"head": messages.SAVE_SIDE_HEAD, "branch": messages.SAVE_SIDE_BRANCH}


def digest(content):
    return sha256(content).hexdigest()


def entry(path, content, **more):
    file = messages.SaveFile(path=path, size_bytes=len(content), sha256=digest(content), **more)
    if len(content) > PART:
        file.part_sha256.extend(digest(content[at : at + PART]) for at in range(0, len(content), PART))
    return file


class Client:
    """A client that saves sets of files for one player."""

    def __init__(self, stub, store, user, product, metadata):
        self.stub, self.store, self.user, self.product, self.metadata = stub, store, str(user), str(product), metadata

    def as_(self, metadata):
        return Client(self.stub, self.store, self.user, self.product, metadata)

    def call(self, name, **fields):
        request = getattr(messages, f"{name}Request")
        return getattr(self.stub, name)(request(user_id=self.user, **fields), metadata=self.metadata)

    def begin(self, files, slot="world", device_id="pc", **more):
        entries = [entry(path, content) for path, content in files.items()]
        fields = {"product_id": self.product, "save_slot_name": slot, "device_id": device_id, **more}
        return self.call("BeginSaveUpload", files=entries, **fields)

    async def send(self, upload, files):
        by_hash = {digest(content): content for content in files.values()}
        requests = 0
        for one in upload.uploads:
            content, size = by_hash[one.sha256], one.part_size_bytes
            parts = [(part, content[(part.number - 1) * size :][:size]) for part in one.parts]
            for request, some in parts or [(one, content)]:
                sent = await self.store.request(
                    request.method, request.upload_url, content=some, headers=dict(request.headers)
                )
                assert sent.status_code == 200, sent.text
                requests += 1
        return requests

    async def commit(self, upload_id):
        while True:
            done = await self.call("CommitSaveUpload", upload_id=upload_id)
            if not done.is_verifying:
                return done
            assert done.verified_count < done.total_count

    async def save(self, files, **more):
        upload = (await self.begin(files, **more)).upload
        while upload.uploads:
            await self.send(upload, files)
            upload = (await self.call("GetSaveUpload", upload_id=upload.upload_id)).upload
        return await self.commit(upload.upload_id)

    async def load(self, savegame_id, **more):
        found = await self.call("RequestSaveDownload", savegame_id=savegame_id, **more)
        contents = {}
        for file in found.files:
            if file.download_url:
                answer = await self.store.get(file.download_url)
                assert answer.status_code == 200, answer.text
                contents[file.path] = answer.content
        return contents

    def synced(self, savegame_id, version, device_id):
        return self.call("ReportSaveSynced", savegame_id=savegame_id, version=version, device_id=device_id)


async def refusal(call):
    """The status, the reason and the metadata of a call that must be refused."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    info = ErrorInfo()
    assert rpc_status.from_call(error.value).details[0].Unpack(info)
    return error.value.code().name, info.reason, dict(info.metadata), error.value.details()


@pytest.fixture
async def client(service, player, caller, wait_until):
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    async with grpc.aio.insecure_channel(service.grpc) as channel, httpx.AsyncClient(timeout=PATIENCE_SECONDS) as store:
        yield Client(CloudSaveServiceStub(channel), store, player.id, product, caller(player.id))


@pytest.fixture
async def apart(client, player, wait_until):
    """A save of two worlds that two devices have changed: the conflict's id, and the refusal's metadata."""
    data = {"productId": client.product, "savegamePolicy": WORLDS}
    await player.publish(CloudEvent("com.platform.catalog.product.updated.v1", data))

    async def has_a_policy():
        return (await client.call("GetSavePolicy", product_id=client.product)).revision

    await wait_until(has_a_policy)
    start = {"saves/w1/a.sav": b"1", "saves/w2/a.sav": b"1", "saves/w2/b.sav": b"1"}
    first = await client.save(start)
    await client.save(start | {"saves/w1/a.sav": b"2", "saves/w2/a.sav": b"2"})
    await client.synced(first.save.savegame_id, 1, "deck")
    branch = client.save(start | {"saves/w2/b.sav": b"3"}, device_id="deck", base_version=1)
    status, reason, metadata, _ = await refusal(branch)
    assert (status, reason) == ("FAILED_PRECONDITION", "SAVEGAME_VERSION_CONFLICT")
    return first.save.savegame_id, metadata["conflict_id"], metadata


async def test_a_set_is_saved_listed_and_loaded(client):
    files = {"saves/Мир/уровень.dat": b"level", "saves/Мир/пусто": b"", "saves/copy.dat": b"level"}
    modified = Timestamp(seconds=1_780_000_000)
    entries = [entry(path, content, modified_at=modified) for path, content in files.items()]
    fields = {"product_id": client.product, "save_slot_name": "world", "device_id": "pc", "device_name": "Desktop"}
    begun = await client.call(
        "BeginSaveUpload", files=entries, **fields, comment="before", playtime_seconds=0, game_version_id="1.2"
    )
    upload = begun.upload
    assert (upload.status, upload.file_count, upload.base_version, begun.expires_in_seconds) == ("open", 3, 0, 300)
    assert (upload.missing_count, upload.missing_bytes, len(upload.uploads)) == (2, 5, 2)
    assert await client.send(upload, files) == 2
    done = await client.commit(upload.upload_id)
    save = done.save
    assert (done.result, done.new_bytes, save.version, save.file_count) == ("head", 5, 1, 3)
    assert (save.file_size_bytes, save.game_version_id, save.comment) == (10, "1.2", "before")
    assert save.client_modified_at == modified
    lines = "".join(f"{digest(files[path])} {path}\n" for path in sorted(files, key=str.encode))
    assert save.file_hash_sha256 == save.content_identity == digest(lines.encode())
    listed = await client.call("ListSaveFiles", savegame_id=save.savegame_id, version=1, limit=2)
    assert [one.path for one in listed.files] == sorted(files, key=str.encode)[:2]
    assert (listed.total_items, listed.files[0].modified_at) == (3, modified)
    assert await client.load(save.savegame_id) == files
    assert (await client.call("ListSaveGames")).saves[0].file_count == 3
    again = await client.commit(upload.upload_id)
    assert (again.save, again.result) == (save, "head")


async def test_only_what_changed_is_sent(client):
    files = {f"saves/{number}.dat": f"{number}".encode() * 9 for number in range(30)}
    save = (await client.save(files)).save
    changed = files | {"saves/7.dat": b"other"}
    removed = {path: content for path, content in changed.items() if path != "saves/8.dat"}
    lines = "".join(f"{digest(removed[path])} {path}\n" for path in sorted(removed))
    delta = {
        "product_id": client.product,
        "save_slot_name": "world",
        "device_id": "pc",
        "base_version": 1,
        "put": [entry("saves/7.dat", b"other")],
        "remove": ["saves/8.dat"],
    }
    wrong = await refusal(client.call("BeginSaveUpload", **delta, set_sha256="0" * 64))
    assert wrong[:2] == ("FAILED_PRECONDITION", "SAVEGAME_HASH_MISMATCH")
    upload = (await client.call("BeginSaveUpload", **delta, set_sha256=digest(lines.encode()))).upload
    assert await client.send(upload, removed) == 1
    done = await client.commit(upload.upload_id)
    assert (done.save.version, done.save.file_count, done.new_bytes) == (2, 29, 5)
    found = await client.call("RequestSaveDownload", savegame_id=save.savegame_id, have_version=1)
    assert (found.missing_count, found.missing_bytes) == (1, 5)
    assert [one.path for one in found.files if one.download_url] == ["saves/7.dat"]
    wanted = await client.call("RequestSaveDownload", savegame_id=save.savegame_id, want=[digest(b"0" * 9)])
    assert [one.path for one in wanted.files] == ["saves/0.dat"]
    assert await client.load(save.savegame_id, version=1) == files


async def test_a_large_single_file_is_sent_in_parts(client):
    content = bytes(range(256)) * (PART // 256) + b"end"
    upload = (await client.begin({"": content})).upload
    [missing] = upload.uploads
    assert (missing.part_size_bytes, [part.size_bytes for part in missing.parts]) == (PART, [PART, 3])
    assert (missing.upload_url, upload.HasField("file_count")) == ("", False)
    assert await client.send(upload, {"": content}) == 2
    done = await client.call("ConfirmSaveGameUpload", internal_save_id=upload.upload_id)
    assert (done.result, done.save.HasField("file_count")) == ("head", False)
    [listed] = (await client.call("ListSaveFiles", savegame_id=done.save.savegame_id, version=1)).files
    assert (listed.path, listed.sha256) == ("", digest(content))


async def test_a_set_that_lacks_files_is_refused_with_counts(client):
    files = {"saves/a": b"a", "saves/b": b"b", "saves/c": b"c"}
    upload = (await client.begin(files)).upload
    [first] = [one for one in upload.uploads if one.sha256 == digest(b"a")]
    sent = await client.store.request(first.method, first.upload_url, content=b"a", headers=dict(first.headers))
    assert sent.status_code == 200
    status, reason, metadata, _ = await refusal(client.commit(upload.upload_id))
    assert (status, reason) == ("FAILED_PRECONDITION", "SAVEGAME_UPLOAD_INCOMPLETE")
    assert metadata == {"missing_count": "2", "mismatched_count": "0"}
    left = (await client.call("GetSaveUpload", upload_id=upload.upload_id)).upload
    assert {one.sha256 for one in left.uploads} == {digest(b"b"), digest(b"c")}
    await client.send(left, files)
    assert (await client.commit(upload.upload_id)).result == "head"
    other = (await client.begin(files | {"saves/d": b"d"})).upload
    await client.call("CancelSaveUpload", upload_id=other.upload_id)
    assert (await client.call("GetSaveUpload", upload_id=other.upload_id)).upload.status == "cancelled"


async def test_guards_are_refusals_with_counts(client):
    files = {f"saves/{number}": f"{number}".encode() for number in range(9)}
    save = (await client.save(files)).save
    few = {"saves/1": b"1"}
    status, reason, metadata, _ = await refusal(client.begin(few, base_version=1))
    assert (status, reason, metadata["removed"]) == ("FAILED_PRECONDITION", "SAVEGAME_SHRINKS", "8")
    assert "units" not in metadata
    other = {**files, "saves/1": b"x"}
    status, reason, metadata, _ = await refusal(client.begin(other, device_id="deck", base_version=1))
    assert (status, reason, metadata["head_version"]) == ("FAILED_PRECONDITION", "SAVEGAME_BASE_NOT_SYNCED", "1")
    await client.synced(save.savegame_id, 1, "deck")
    assert (await client.save(other, device_id="deck", base_version=1)).save.version > 1
    asked = await refusal(client.begin(files, policy_revision=7))
    assert asked[1] == "SAVEGAME_POLICY_CHANGED"
    assert (asked[2]["policy_revision"], "policy" in asked[2]) == ("0", False)


async def test_a_conflict_is_merged_by_units(client, apart):
    savegame_id, conflict_id, metadata = apart
    assert {"head_version", "branch_version", "savegame_id"} <= metadata.keys()
    assert (metadata["differences_count"], metadata["unnamed_count"]) == ("3", "1")
    [listed] = (await client.call("ListConflicts")).conflicts
    assert (listed.head.file_count, listed.branch.file_count) == (3, 3)
    resolve = {"conflict_id": conflict_id, "resolution": messages.SAVE_RESOLUTION_MERGE}
    unnamed = await refusal(client.call("ResolveConflict", **resolve))
    assert unnamed[:2] == ("INVALID_ARGUMENT", "VALIDATION_ERROR")
    no_side = await refusal(client.call("ResolveConflict", **resolve, units={"w2": 0}))
    assert "units.w2" in no_side[3]
    no_unit = await refusal(client.call("ResolveConflict", **resolve, units={"w9": SIDE["head"]}))
    assert no_unit[:2] == ("INVALID_ARGUMENT", "VALIDATION_ERROR")
    beside = {"conflict_id": conflict_id, "resolution": messages.SAVE_RESOLUTION_KEEP_LOCAL}
    assert "units" in (await refusal(client.call("ResolveConflict", **beside, units={"w2": SIDE["head"]})))[3]
    done = await client.call("ResolveConflict", **resolve, units={"w2": SIDE["branch"]})
    assert (done.head.file_count, done.head.HasField("merged_version")) == (3, True)
    assert await client.load(savegame_id) == {"saves/w1/a.sav": b"2", "saves/w2/a.sav": b"1", "saves/w2/b.sav": b"3"}


async def test_a_save_without_units_is_never_merged(client):
    await client.save({"saves/a": b"1", "saves/b": b"1"})
    await client.save({"saves/a": b"2", "saves/b": b"1"})
    *_, metadata, _ = await refusal(client.save({"saves/a": b"1", "saves/b": b"2"}, device_id="deck", base_version=1))
    fields = {"conflict_id": metadata["conflict_id"], "resolution": messages.SAVE_RESOLUTION_MERGE}
    status, reason, more, _ = await refusal(client.call("ResolveConflict", **fields))
    assert (status, reason, more["reason"]) == ("FAILED_PRECONDITION", "SAVEGAME_MERGE_SPLITS_UNIT", "no_units")


async def test_a_set_has_no_single_url(client):
    save = (await client.save({"saves/a": b"1", "saves/b": b"2"})).save
    status, reason, metadata, _ = await refusal(client.call("RequestSaveGameDownloadURL", savegame_id=save.savegame_id))
    assert (status, reason, metadata["file_count"]) == ("FAILED_PRECONDITION", "SAVEGAME_IS_A_SET", "2")


async def test_a_plan_says_what_to_do(client, apart):
    _, conflict_id, _ = apart
    slots = [messages.AskedSaveSlot(slot_name="world", base_version=1, content_hash="0" * 64)]
    plan = await client.call(
        "PlanSaves", product_id=client.product, device_id="deck", intent="launch", policy_revision=1, slots=slots
    )
    [slot] = plan.slots
    assert (slot.action, slot.conflict_id, plan.proceed) == ("conflict", conflict_id, "ask")
    assert (plan.policy_revision, plan.auto_sync) == (3, True)
    other = await client.call("PlanSaves", product_id=client.product, device_id="new", intent="exit")
    assert [(one.slot_name, one.action) for one in other.slots] == [("world", "download")]
    twice = await refusal(
        client.call("PlanSaves", product_id=client.product, device_id="a", intent="exit", slots=slots * 2)
    )
    assert "slot_named_twice" in twice[3]
    bad = await refusal(client.call("PlanSaves", product_id=client.product, device_id="a", intent="sleep"))
    assert "intent" in bad[3]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"files": [entry("saves/a", b"")] * 2}, "files.1.path: "),
        ({"files": [messages.SaveFile(path="saves/a", size_bytes=1, sha256="x")]}, "files.0.sha256"),
        ({"files": [messages.SaveFile(path="saves/a", size_bytes=-1, sha256="0" * 64)]}, "files.0.size_bytes"),
        ({"files": [entry("saves/../a", b"")]}, "files.0.path: "),
        (
            {"files": [entry(f"saves/{at}", b"", encryption=messages.SaveEncryption()) for at in range(300)]},
            "encryption",
        ),
        ({"files": []}, "files"),
        ({"put": [entry("saves/a", b"")]}, "set_sha256"),
        ({"files": [entry("saves/a", b"")], "conflict_policy": "x"}, "conflict_policy"),
    ],
)
async def test_a_bad_list_is_refused_by_its_field(client, fields, place):
    about = {"product_id": client.product, "save_slot_name": "world", "device_id": "pc"}
    status, reason, _, detail = await refusal(client.call("BeginSaveUpload", **about, **fields))
    assert (status, reason) == ("INVALID_ARGUMENT", "VALIDATION_ERROR"), detail
    assert place in detail


async def test_only_a_list_of_files_may_be_large(client):
    path = "saves/" + "ж" * 250
    entries = [entry(f"{path}/{number}", b"") for number in range(3000)]
    about = {"product_id": client.product, "save_slot_name": "world", "device_id": "pc"}
    upload = (await client.call("BeginSaveUpload", files=entries, **about)).upload
    assert upload.file_count == 3000
    large = await refusal(client.call("RequestSaveDownload", savegame_id=str(uuid4()), have=["0" * 64] * 20_000))
    assert (large[:2], large[2]) == (("RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE"), {"max_bytes": str(1024**2)})
    many = [messages.SaveFile(path=f"saves/{number:080}", sha256=digest(b"")) for number in range(31_000)]
    assert "too_long" in (await refusal(client.call("BeginSaveUpload", files=many, **about)))[3]


async def test_roles_and_foreign_users_are_refused(client, caller):
    save = (await client.save({"saves/a": b"1", "saves/b": b"2"})).save
    begin = {"product_id": client.product, "save_slot_name": "world", "files": [entry("saves/a", b"")]}
    plan = {"product_id": client.product, "device_id": "pc", "intent": "exit"}
    for metadata in (caller(uuid4()), caller(uuid4(), "support")):
        stranger = client.as_(metadata)
        for name, fields in (
            ("BeginSaveUpload", begin),
            ("CommitSaveUpload", {"upload_id": str(uuid4())}),
            ("RequestSaveDownload", {"savegame_id": save.savegame_id}),
            ("PlanSaves", plan),
        ):
            assert (await refusal(stranger.call(name, **fields)))[:2] == ("PERMISSION_DENIED", "PERMISSION_DENIED"), (
                name
            )
    support = client.as_(caller(uuid4(), "support"))
    assert (await support.call("ListSaveFiles", savegame_id=save.savegame_id, version=1)).total_items == 2
    assert (await refusal(client.call("ListSaveFiles", savegame_id=str(uuid4()), version=1)))[1] == (
        "SAVEGAME_SLOT_NOT_FOUND"
    )
    assert (await refusal(client.call("ListSaveFiles", savegame_id=save.savegame_id, version=9)))[1] == (
        "SAVEGAME_VERSION_NOT_FOUND"
    )
    server = client.as_(caller(uuid4(), "service"))
    assert (await server.save({"saves/a": b"3"}, slot="other", device_id="server")).result == "head"


async def test_a_product_without_a_policy_has_the_default_one(client):
    found = await client.call("GetSavePolicy", product_id=client.product)
    assert (found.revision, found.source) == (0, "default")
    assert '"mode":"sync"' in found.policy
