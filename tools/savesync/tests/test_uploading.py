"""A version on its way into the cloud: what is missing is sent, once, whatever happens on the way."""

from hashlib import sha256

import pytest
from gameshelf.savesync import upload as uploading
from gameshelf.savesync.cache import Stamp
from gameshelf.savesync.errors import SaveChanged, ServiceAway, ServiceRefusal
from gameshelf.savesync.files import CloudFile, LocalFile
from gameshelf.savesync.snapshot import Snapshot, SnapshotSource
from gameshelf.savesync.upload import Uploader, hash_parts
from gameshelf.savesync.wire import NewVersion

MTIME = 1_700_000_000_123_456_789


@pytest.fixture
def game(tmp_path):
    folder = tmp_path / "game"
    folder.mkdir()
    return folder


@pytest.fixture
def uploader(api, store, state):
    return Uploader(api, store, state)


@pytest.fixture
def snapshot(state):
    return Snapshot(state.staging / "upload")


@pytest.fixture
def made(game, snapshot):
    """Writes files, takes their snapshot, and makes the request."""

    def make(contents, base=0, elsewhere=None, **options):
        files, sources, parts = {}, [], {}
        for name, content in contents.items():
            path = game / name
            path.write_bytes(content)
            digest = sha256(content).hexdigest()
            files[f"saves/{name}"] = LocalFile(len(content), MTIME, digest, name)
            sources.append(SnapshotSource(path, Stamp.of(path.stat()), digest))
            if hashes := hash_parts(path, len(content)):
                parts[digest] = hashes
        snapshot.take(sources)
        return NewVersion("product", "main", "device", files, elsewhere or {}, parts, base, options=options)

    return make


def sent(objects):
    return [request for request in objects.requests if request.startswith("PUT")]


async def test_a_first_version(uploader, made, snapshot, service, objects, state, progress):
    new = made({"a.sav": b"a", "Мир": b"hello", "empty": b""}, comment="first")
    done = await uploader.upload(new, snapshot, progress)
    assert (done.version, done.result) == (1, "head")
    [slot] = service.slots.values()
    assert slot.id == done.savegame_id
    assert {file["path"]: file["modified_at"] for file in slot.versions[1]} == dict.fromkeys(
        ("saves/a.sav", "saves/Мир", "saves/empty"), "2023-11-14T22:13:20.123456Z"
    )
    assert len(sent(objects)) == 3
    assert progress.expected == progress.done == 6
    assert service.requests == [
        "POST savegames/uploads",
        f"POST savegames/uploads/{state.started_upload('main').upload_id}/commit",
    ]


async def test_only_new_contents_are_sent(uploader, made, snapshot, objects):
    await uploader.upload(made({"a": b"a", "b": b"b"}), snapshot)
    objects.requests.clear()
    done = await uploader.upload(made({"a": b"a", "b": b"B", "copy": b"B"}, base=1), snapshot)
    assert done.version == 2
    assert len(sent(objects)) == 1


async def test_files_of_other_machines_stay(uploader, made, snapshot, service):
    slot = service.add_version("main", {"config/x.ini": b"packed"})
    elsewhere = {"config/x.ini": CloudFile(6, sha256(b"packed").hexdigest(), MTIME, "b" * 64, 9, "gzip")}
    await uploader.upload(made({"a": b"a"}, base=1, elsewhere=elsewhere), snapshot)
    [file] = [file for file in slot.versions[2] if file["path"] == "config/x.ini"]
    assert (file["raw_sha256"], file["raw_size_bytes"], file["content_encoding"]) == ("b" * 64, 9, "gzip")


async def test_hundreds_of_files_come_in_several_answers(uploader, made, snapshot, service, objects):
    await uploader.upload(made({str(n): str(n).encode() for n in range(250)}), snapshot)
    assert len(sent(objects)) == 250
    assert [request.partition(" ")[0] for request in service.requests] == ["POST", "GET", "GET", "POST"]
    assert objects.most_at_once <= 4


class TestParts:
    CONTENT = bytes(range(256)) * 4096 * 20
    """20 MiB: three parts."""

    async def test_a_large_file_goes_in_parts(self, uploader, made, snapshot, service, objects):
        await uploader.upload(made({"large": self.CONTENT, "small": b"s"}), snapshot)
        assert len(sent(objects)) == 4
        assert service.contents[sha256(self.CONTENT).hexdigest()] == self.CONTENT

    async def test_parts_that_have_arrived_are_not_sent_again(self, uploader, made, snapshot, api, service, objects):
        new = made({"large": self.CONTENT})
        ticket = await api.begin(new)
        digest = sha256(self.CONTENT).hexdigest()
        service.arrived[ticket.id, digest, 2] = self.CONTENT[8 * 1024**2 : 16 * 1024**2]
        assert (await uploader.upload(new, snapshot)).version == 1
        assert sorted(request[-1] for request in sent(objects)) == ["1", "3"]

    def test_the_hashes_of_parts(self, game):
        (game / "a").write_bytes(self.CONTENT)
        assert hash_parts(game / "a", 8 * 1024**2) == ()
        expected = [self.CONTENT[at : at + 8 * 1024**2] for at in range(0, len(self.CONTENT), 8 * 1024**2)]
        assert hash_parts(game / "a", len(self.CONTENT)) == [sha256(part).hexdigest() for part in expected]
        for other in (-1, 1):
            with pytest.raises(SaveChanged):
                hash_parts(game / "a", len(self.CONTENT) + other)


class TestInterrupted:
    async def test_the_same_upload_is_resumed(self, uploader, made, snapshot, service, objects, monkeypatch):
        new = made({"a": b"a", "b": b"b"})
        monkeypatch.setattr("gameshelf.client.saves.uploads.MOST_IDLE_COMMITS", 1)
        service.verify_at_once = 0
        with pytest.raises(ServiceAway, match="has verified 0 of 2"):
            await uploader.upload(new, snapshot)
        assert len(sent(objects)) == 2
        service.verify_at_once = 2
        assert (await uploader.upload(new, snapshot)).version == 1
        assert len(sent(objects)) == 2
        assert len(service.uploads) == 1

    async def test_another_list_cancels_it(self, uploader, made, snapshot, service, state, api):
        old = await api.begin(made({"a": b"old"}))
        state.note_upload("main", old.id, uploading.request_of(made({"a": b"old"})))
        await uploader.upload(made({"a": b"new"}), snapshot)
        assert old.id not in service.uploads

    async def test_an_upload_that_has_expired_is_begun_again(
        self, uploader, made, snapshot, service, objects, monkeypatch
    ):
        accept = objects.answer

        async def expire(*arguments):
            answer = await accept(*arguments)
            if len(sent(objects)) == 1:
                service.uploads.clear()
                service.arrived.clear()
            return answer

        monkeypatch.setattr(objects, "answer", expire)
        assert (await uploader.upload(made({"a": b"a"}), snapshot)).version == 1
        assert len(sent(objects)) == 2

    async def test_an_upload_that_expires_while_it_is_sent(
        self, uploader, made, snapshot, service, objects, monkeypatch
    ):
        """More contents than one answer has requests for: the next ones are asked for, and there is no upload."""
        accept = objects.answer

        async def expire(*arguments):
            answer = await accept(*arguments)
            if len(sent(objects)) == 50:
                service.uploads.clear()
            return answer

        monkeypatch.setattr(objects, "answer", expire)
        new = made({str(number): str(number).encode() for number in range(150)})
        assert (await uploader.upload(new, snapshot)).version == 1
        assert len(service.uploads) == 1

    async def test_an_upload_that_was_cancelled_elsewhere_is_no_error(self, uploader, made, snapshot, state):
        state.note_upload("main", "gone", {"sha256": "other"})
        assert (await uploader.upload(made({"a": b"a"}), snapshot)).version == 1


def late(call, service):
    """The signatures of an answer have expired when it arrives: the player has closed the lid meanwhile."""

    async def called(argument):
        ticket = await call(argument)
        service.epoch += 1
        return ticket

    return called


async def test_expired_signatures_are_renewed(uploader, made, snapshot, service, api, objects, monkeypatch):
    new = made({"a": b"a", "b": b"b"})
    monkeypatch.setattr(api, "begin", late(api.begin, service))
    assert (await uploader.upload(new, snapshot)).version == 1
    assert len(sent(objects)) == 4


async def test_signatures_that_are_never_accepted_end_it(uploader, made, snapshot, service, api, monkeypatch):
    new = made({"a": b"a"})
    monkeypatch.setattr(api, "upload", late(api.upload, service))
    monkeypatch.setattr(api, "begin", late(api.begin, service))
    with pytest.raises(ServiceRefusal, match="AccessDenied: the store refused the request"):
        await uploader.upload(new, snapshot)


async def test_a_busy_store_is_tried_again(uploader, made, snapshot, objects, pauses, progress):
    objects.busy = 3
    assert (await uploader.upload(made({"a": b"abc"}), snapshot, progress)).version == 1
    assert len(pauses) == 3
    assert progress.done == progress.expected == 3


async def test_a_store_that_stays_busy_is_away(uploader, made, snapshot, objects):
    objects.busy = 100
    with pytest.raises(ServiceAway, match="the store: HTTP 503"):
        await uploader.upload(made({"a": b"a"}), snapshot)


async def test_bytes_that_have_changed_are_refused(uploader, made, snapshot, game, service, monkeypatch):
    """A large file is sent from where it is, and the store compares what arrives."""
    monkeypatch.setattr("gameshelf.savesync.snapshot.LARGE", 0)
    monkeypatch.setattr("gameshelf.savesync.snapshot._shares_blocks", lambda original, copy: False)
    new = made({"a": b"old"})
    (game / "a").write_bytes(b"new")
    with pytest.raises(SaveChanged):
        await uploader.upload(new, snapshot)
    assert service.contents == {}
    assert service.slots["main"].versions == {}


async def test_a_long_verification_is_waited_for(uploader, made, snapshot, service, pauses):
    service.verify_at_once = 1
    assert (await uploader.upload(made({"a": b"a", "b": b"b", "c": b"c"}), snapshot)).version == 1
    assert pauses == [2.0, 2.0]


async def test_what_was_lost_before_the_commit_is_sent_again(uploader, made, snapshot, service, objects, monkeypatch):
    commit = service.commit

    def lose(upload):
        if len(sent(objects)) == 2:
            del service.arrived[next(iter(service.arrived))]
        return commit(upload)

    monkeypatch.setattr(service, "commit", lose)
    assert (await uploader.upload(made({"a": b"a", "b": b"b"}), snapshot)).version == 1
    assert len(sent(objects)) == 3


async def test_a_refusal_is_the_callers(uploader, made, snapshot, service):
    service.add_version("main", {"saves/a": b"other"})
    with pytest.raises(ServiceRefusal) as refused:
        await uploader.upload(made({"a": b"a"}, base=0), snapshot)
    assert (refused.value.status, refused.value.code) == (409, "SAVEGAME_VERSION_CONFLICT")
    assert refused.value.meta["savegame_id"] == service.slots["main"].id
