"""A version out of the cloud: what the folders lack arrives once and whole, or the attempt is resumed later."""

import errno
import gzip
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard
from gameshelf.savesync import unpacking
from gameshelf.savesync.download import Downloader, OnThisMachine
from gameshelf.savesync.errors import ContentUnusable, ServiceAway, ServiceRefusal, StagingFailed, UnexpectedAnswer
from gameshelf.savesync.files import LocalFile

NOTHING = OnThisMachine({}, {})


def digest(content):
    return sha256(content).hexdigest()


@pytest.fixture
def staging(state):
    return state.staging / "download"


@pytest.fixture
def fetch(api, store, staging, service):
    async def fetch(here=NOTHING, version=None, **options):
        slot = service.slots["main"]
        downloader = Downloader(api, store, "device")
        return await downloader.fetch(slot.id, "main", version, here, staging, **options)

    return fetch


def contents(fetched):
    return {path.read_bytes() for path in fetched.contents.values()}


def got(objects):
    return [request for request in objects.requests if request.startswith("GET")]


async def test_a_whole_version(fetch, service, progress):
    service.add_version("main", {"saves/a": b"a"})
    marks = {"saves/Мир/b": {"modified_at": "2026-01-02T03:04:05.678901Z"}}
    slot = service.add_version("main", {"saves/a": b"abc", "saves/Мир/b": b"b", "saves/empty": b""}, **marks)
    fetched = await fetch(progress=progress)
    assert (fetched.savegame_id, fetched.slot_name, fetched.version) == (slot.id, "main", 2)
    assert contents(fetched) == {b"abc", b"b", b""}
    assert all(path.name == key == digest(path.read_bytes()) for key, path in fetched.contents.items())
    assert fetched.files["saves/Мир/b"].mtime_ns == 1_767_323_045_678_901_000
    assert progress.expected == progress.done == 4
    assert contents(await fetch(version=1)) == {b"a"}


async def test_only_what_is_missing_is_fetched(fetch, service, objects, tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "old").write_bytes(b"moved")
    files = {
        "saves/a": LocalFile(1, 1, digest(b"a"), "a"),
        "saves/old": LocalFile(5, 1, digest(b"moved"), "old"),
        "saves/b": LocalFile(1, 1, digest(b"B"), "b"),
    }
    service.add_version("main", {"saves/a": b"a", "saves/new": b"moved", "saves/b": b"b"})
    fetched = await fetch(OnThisMachine(files, {"saves": tmp_path}))
    assert contents(fetched) == {b"moved", b"b"}
    assert got(objects) == [f"GET /contents/{digest(b'b')}"]


async def test_a_local_file_that_has_changed_is_fetched(fetch, service, objects, tmp_path):
    (tmp_path / "old").write_bytes(b"other")
    files = {"saves/old": LocalFile(5, 1, digest(b"moved"), "old")}
    service.add_version("main", {"saves/new": b"moved"})
    assert contents(await fetch(OnThisMachine(files, {"saves": tmp_path}))) == {b"moved"}
    assert len(got(objects)) == 1


async def test_the_base_spares_the_urls_of_what_is_there(fetch, service, objects):
    """More contents than a request can name: the version that the folders had names them."""
    many = {f"saves/{n}": str(n).encode() for n in range(1_200)}
    service.add_version("main", many)
    service.add_version("main", {**many, "saves/7": b"new"})
    files = {path: LocalFile(len(content), 1, digest(content), path) for path, content in many.items()}
    assert contents(await fetch(OnThisMachine(files, {}, 1))) == {b"new"}
    assert len(got(objects)) == 1
    assert len([request for request in service.requests if request.endswith("/download")]) == 1


async def test_hundreds_of_files_come_in_several_answers(fetch, service, objects):
    service.add_version("main", {f"saves/{n}": str(n).encode() for n in range(250)})
    assert len((await fetch()).contents) == 250
    assert len(got(objects)) == 250
    assert len([request for request in service.requests if request.endswith("/download")]) == 3


async def test_roots_without_a_folder_are_left_out(fetch, service, objects):
    service.add_version("main", {"saves/a": b"a", "config/b": b"b"})
    fetched = await fetch(wanted=lambda path: path.startswith("saves/"))
    assert contents(fetched) == {b"a"}
    assert set(fetched.files) == {"saves/a", "config/b"}
    assert len(got(objects)) == 1


class TestInterrupted:
    CONTENT = bytes(range(256)) * 8192

    @pytest.fixture(autouse=True)
    def _version(self, service):
        service.add_version("main", {"saves/large": self.CONTENT})

    @pytest.mark.parametrize("ignores_ranges", [False, True])
    async def test_a_connection_that_ends_is_resumed(self, fetch, objects, pauses, ignores_ranges):
        objects.cut_after, objects.ignores_ranges = 1_500_000, ignores_ranges
        assert contents(await fetch()) == {self.CONTENT}
        assert len(got(objects)) == 2
        assert len(pauses) == 1

    async def test_a_later_run_continues(self, fetch, objects, staging, progress):
        staging.mkdir(parents=True)
        (staging / f"{digest(self.CONTENT)}.part").write_bytes(self.CONTENT[:2_000_000])
        assert contents(await fetch(progress=progress)) == {self.CONTENT}
        assert progress.done == len(self.CONTENT) - 2_000_000

    @pytest.mark.parametrize("half", [b"damaged" * 10_000, CONTENT + b"more"])
    async def test_a_damaged_half_is_fetched_again(self, fetch, staging, half):
        staging.mkdir(parents=True)
        (staging / f"{digest(self.CONTENT)}.part").write_bytes(half)
        assert contents(await fetch()) == {self.CONTENT}

    async def test_what_is_complete_stays(self, fetch, objects, staging):
        first = await fetch()
        (staging / "of another version").write_bytes(b"")
        assert await fetch() == first
        assert len(got(objects)) == 1
        assert [path.name for path in staging.iterdir()] == [digest(self.CONTENT)]

    async def test_a_damaged_result_is_fetched_again(self, fetch, objects, staging):
        await fetch()
        (staging / digest(self.CONTENT)).write_bytes(b"")  # the power has failed
        assert contents(await fetch()) == {self.CONTENT}
        assert len(got(objects)) == 2

    async def test_a_store_that_stays_busy_is_away(self, fetch, objects):
        objects.busy = 100
        with pytest.raises(ServiceAway, match="the store: HTTP 503"):
            await fetch()

    async def test_an_expired_signature_is_renewed(self, fetch, api, service, objects, monkeypatch):
        download = api.download

        async def late(*arguments, **options):
            ticket = await download(*arguments, **options)
            service.epoch += "want" not in options
            return ticket

        monkeypatch.setattr(api, "download", late)
        assert contents(await fetch()) == {self.CONTENT}
        assert len(got(objects)) == 2


async def test_a_full_disk_is_named(fetch, service, staging, monkeypatch):
    service.add_version("main", {"saves/a": b"a"})
    opened = Path.open

    def full(path, mode="r", *arguments, **options):
        if path.suffix == ".part" and mode == "wb":
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StagingFailed, match="No space left on device") as raised:
        await fetch()
    assert raised.value.path.parent == staging


class TestDamaged:
    async def test_bytes_of_a_proxy_are_not_taken(self, fetch, service, objects):
        service.add_version("main", {"saves/a": b"right"})
        objects.damaged[digest(b"right")] = b"wrong"
        assert contents(await fetch()) == {b"right"}
        assert len(got(objects)) == 2

    async def test_a_content_that_stays_wrong_is_named(self, fetch, service):
        service.add_version("main", {"saves/a": b"right"})
        service.contents[digest(b"right")] = b"wrong"
        with pytest.raises(ContentUnusable, match="saves/a: the store has other bytes"):
            await fetch()

    @pytest.mark.parametrize("path", ["../a", "saves/../../a", "/a", "saves\\a", "saves/a:b", "saves/CON"])
    async def test_a_path_that_leads_elsewhere_is_refused(self, fetch, service, path):
        service.add_version("main", {path: b"a"})
        with pytest.raises(UnexpectedAnswer, match="path_"):
            await fetch()

    async def test_a_version_that_is_gone(self, fetch, service):
        service.add_version("main", {"saves/a": b"a"})
        with pytest.raises(ServiceRefusal, match="SAVEGAME_VERSION_NOT_FOUND"):
            await fetch(version=9)


class TestPacked:
    RAW = b"raw " * 100_000

    def marks(self, encoding, raw=RAW, size=None):
        said = {"raw_sha256": digest(raw), "raw_size_bytes": len(raw) if size is None else size}
        return {"saves/a": {"content_encoding": encoding, **said}}

    def packed(self, encoding):
        return gzip.compress(self.RAW) if encoding == "gzip" else zstandard.compress(self.RAW)

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    async def test_it_is_unpacked(self, fetch, service, encoding):
        service.add_version("main", {"saves/a": self.packed(encoding)}, **self.marks(encoding))
        fetched = await fetch()
        assert list(fetched.contents) == [digest(self.RAW)]
        assert contents(fetched) == {self.RAW}

    async def test_a_folder_that_has_the_raw_file_needs_nothing(self, fetch, service, objects):
        service.add_version("main", {"saves/a": self.packed("gzip")}, **self.marks("gzip"))
        here = OnThisMachine({"saves/a": LocalFile(len(self.RAW), 1, digest(self.RAW), "a")}, {})
        assert (await fetch(here)).contents == {}
        assert got(objects) == []

    async def test_packed_and_as_it_is_at_once(self, fetch, service, objects):
        packed = self.packed("gzip")
        service.add_version("main", {"saves/a": packed, "saves/a.gz": packed}, **self.marks("gzip"))
        assert contents(await fetch()) == {self.RAW, packed}
        assert len(got(objects)) == 1

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    @pytest.mark.parametrize(
        ("size", "reason"),
        [(1_000, "more than 1000 bytes"), (500_000, "100000 bytes less than 500000")],
    )
    async def test_a_wrong_size_is_refused(self, fetch, service, staging, encoding, size, reason):
        service.add_version("main", {"saves/a": self.packed(encoding)}, **self.marks(encoding, size=size))
        with pytest.raises(ContentUnusable, match=reason):
            await fetch()
        assert not [path for path in staging.iterdir() if path.suffix != ".part"]

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    async def test_bytes_that_are_not_packed_are_refused(self, fetch, service, encoding):
        service.add_version("main", {"saves/a": b"not packed at all"}, **self.marks(encoding))
        with pytest.raises(ContentUnusable, match="saves/a: it cannot be unpacked"):
            await fetch()

    async def test_another_raw_hash_is_refused(self, fetch, service):
        marks = self.marks("gzip", b"x" * len(self.RAW))
        service.add_version("main", {"saves/a": self.packed("gzip")}, **marks)
        with pytest.raises(ContentUnusable, match="unpacked it is not"):
            await fetch()

    async def test_without_the_extra_zstd_is_named(self, fetch, service, monkeypatch):
        def missing(name):
            raise ImportError(name)

        monkeypatch.setattr(unpacking, "import_module", missing)
        service.add_version("main", {"saves/a": self.packed("zstd")}, **self.marks("zstd"))
        with pytest.raises(ContentUnusable, match=r"gameshelf-savesync\[zstd\]"):
            await fetch()

    async def test_an_encrypted_file_is_named(self, fetch, service):
        marks = {"saves/a": {"encryption": {"scheme": "age", "key_id": "1"}}}
        service.add_version("main", {"saves/a": b"secret"}, **marks)
        with pytest.raises(ContentUnusable, match="saves/a: it is encrypted"):
            await fetch()
