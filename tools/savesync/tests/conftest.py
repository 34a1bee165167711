"""A service and a store in memory, for what the real ones in ``service/`` cannot be made to do.

Both are ASGI applications behind the clients of the tests, so requests are real ones: headers, bodies, ranges. A test
can cut connections, expire signatures, lose contents, and make the service busy.
"""

import gc
import json
import math
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import pytest
from gameshelf.client import LibraryClient
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.state import SaveState
from gameshelf.savesync.store import SaveStore

# Tests here kill copies of this process. An object that another test has left may wait in its end for a thread of its
# own (those of gRPC do), and a copy has none of them: to collect it there is to wait for ever.
os.register_at_fork(after_in_child=gc.disable)

PART_BYTES = 8 * 1024**2
MAX_URLS = 100
FIELDS = {"path", "size_bytes", "sha256", "raw_sha256", "raw_size_bytes", "content_encoding", "encryption"}
FIELDS |= {"modified_at", "part_sha256"}
REQUEST = {"product_id", "save_slot_name", "savegame_id", "base_version", "device_id", "device_name", "files"}
REQUEST |= {"comment", "playtime_seconds", "conflict_policy", "game_version_id", "policy_revision", "confirm_removals"}
BASE = "/api/v1/library/"


def digest(content):
    return sha256(content).hexdigest()


def hash_of(files, key="sha256"):
    lines = sorted((file["path"].encode(), (file.get(key) or file["sha256"]).encode()) for file in files)
    return digest(b"".join(value + b" " + path + b"\n" for path, value in lines))


class Refusal(Exception):
    def __init__(self, status, code, meta=None, pointer=None):
        self.status, self.code, self.meta, self.pointer = status, code, meta or {}, pointer


@dataclass
class Slot:
    id: str
    name: str
    versions: dict = field(default_factory=dict)
    synced: list = field(default_factory=list)

    @property
    def head(self):
        return max(self.versions, default=0)


@dataclass
class OpenSet:
    id: str
    attributes: dict
    slot: Slot
    verified: set = field(default_factory=set)
    committed: object = None


class FakeService:
    """The routes of ``/savegames`` that the client uses."""

    def __init__(self):
        self.contents, self.arrived, self.slots, self.uploads, self.keys = {}, {}, {}, {}, {}
        self.epoch = 0
        """Of the signatures: those of an earlier one are refused."""
        self.verify_at_once = 10_000
        self.requests = []
        self.failures = []
        """Statuses of the next answers, before anything is done."""

    async def __call__(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        path = scope["path"][scope["path"].index("savegames") :]  # behind any address of an API
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        self.requests.append(f"{scope['method']} {path}")
        assert headers["authorization"] == "Bearer token"
        status, answer = 500, {}
        if self.failures:
            status = self.failures.pop(0)
            answer = {"errors": [{"code": "SERVICE_UNAVAILABLE", "detail": "away"}]}
        else:
            attributes = json.loads(body)["data"]["attributes"] if body else None
            key = headers.get("idempotency-key")
            assert scope["method"] != "POST" or key or path == "savegames/plan"
            if key in self.keys:
                status, answer = self.keys[key]
            else:
                try:
                    status, answer = self.route(scope["method"], path.split("/")[1:], attributes, query)
                except Refusal as refusal:
                    status = refusal.status
                    source = {"source": {"pointer": refusal.pointer}} if refusal.pointer else {}
                    answer = {"errors": [{"code": refusal.code, "detail": "", "meta": refusal.meta, **source}]}
                self.keys[key] = status, answer
                self.keys.pop(None, None)
        content = b"" if status == 204 else json.dumps(answer).encode()
        extra = [(b"retry-after", b"2")] if status in (202, 503) else []
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode()), *extra]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": content})

    def route(self, method, parts, said, query):
        match method, parts:
            case "POST", ["uploads"]:
                return 201, self.ticket(self.begin(said))
            case "GET", ["uploads", upload_id]:
                return 200, self.ticket(self.open_upload(upload_id))
            case "DELETE", ["uploads", upload_id]:
                del self.uploads[self.open_upload(upload_id).id]
                return 204, None
            case "POST", ["uploads", upload_id, "commit"]:
                return self.commit(self.open_upload(upload_id))
            case "GET", [savegame_id, "versions", version, "files"]:
                return 200, self.files(self.slot(savegame_id), int(version), query)
            case "POST", [savegame_id, "download"]:
                return 200, self.download(self.slot(savegame_id), said)
            case "POST", [savegame_id, "synced"]:
                self.slot(savegame_id).synced.append((said["device_id"], said["version"]))
                return 204, None
        raise AssertionError(f"no such route: {method} {parts}")

    def slot(self, savegame_id):
        found = next((slot for slot in self.slots.values() if slot.id == savegame_id), None)
        if found is None:
            raise Refusal(404, "SAVEGAME_SLOT_NOT_FOUND")
        return found

    def open_upload(self, upload_id):
        if upload_id not in self.uploads:
            raise Refusal(404, "SAVEGAME_SLOT_NOT_FOUND")
        return self.uploads[upload_id]

    def begin(self, said):
        assert said.keys() <= REQUEST, said.keys() - REQUEST
        assert all(file.keys() <= FIELDS for file in said["files"])
        for file in said["files"]:
            parts = file.get("part_sha256")
            size = max(PART_BYTES, math.ceil(file["size_bytes"] / 1_000))
            assert parts is None or len(parts) == math.ceil(file["size_bytes"] / size) > 1
        same = [one for one in self.uploads.values() if one.attributes == said and not one.committed]
        if same:
            return same[0]
        name = said["save_slot_name"]
        slot = self.slots.setdefault(name, Slot(str(uuid4()), name))
        upload = OpenSet(str(uuid4()), said, slot)
        self.uploads[upload.id] = upload
        return upload

    def missing(self, upload):
        """The contents that have not arrived, with the numbers of their parts that have not."""
        found = {}
        for file in upload.attributes["files"]:
            digest_of = file["sha256"]
            if digest_of in self.contents:
                continue
            count = len(file.get("part_sha256") or [None])
            parts = [n for n in range(1, count + 1) if (upload.id, digest_of, n) not in self.arrived]
            if parts:
                found[digest_of] = (file, parts)
        return dict(sorted(found.items()))

    def ticket(self, upload):
        missing = self.missing(upload)
        uploads, urls = [], 0
        for sha, (file, parts) in missing.items():
            if urls >= MAX_URLS:
                break
            entry = {"sha256": sha, "size_bytes": file["size_bytes"], "method": None, "upload_url": None, "headers": {}}
            signed = [self.sign(upload, file, number) for number in parts[: MAX_URLS - urls]]
            urls += len(signed)
            if file.get("part_sha256"):
                size = max(PART_BYTES, math.ceil(file["size_bytes"] / 1_000))
                entry |= {"part_size_bytes": size, "parts": signed}
            else:
                del signed[0]["number"]
                entry |= signed[0]
            uploads.append(entry)
        attributes = {
            "savegame_id": upload.slot.id,
            "status": "committed" if upload.committed else "open",
            "missing_bytes": sum(file["size_bytes"] for file, _ in missing.values()),
            "missing_count": len(missing),
            "uploads": uploads,
            "skipped": [],
            "conflict_expected": upload.attributes.get("base_version") != upload.slot.head,
        }
        return {"data": {"id": upload.id, "type": "savegameUpload", "attributes": attributes}}

    def sign(self, upload, file, number):
        parts = file.get("part_sha256")
        size, expected = file["size_bytes"], file["sha256"]
        if parts:
            part = max(PART_BYTES, math.ceil(size / 1_000))
            size, expected = min(part, size - part * (number - 1)), parts[number - 1]
        url = f"http://store/{upload.id}/{file['sha256']}/{number}?epoch={self.epoch}"
        headers = {"Content-Length": str(size), "x-amz-content-sha256": expected}
        return {"number": number, "size_bytes": size, "method": "PUT", "upload_url": url, "headers": headers}

    def commit(self, upload):
        if missing := self.missing(upload):
            named = [{"sha256": sha, "path": file["path"]} for sha, (file, _) in missing.items()]
            raise Refusal(422, "SAVEGAME_UPLOAD_INCOMPLETE", {"missing": named, "missing_count": len(named)})
        if upload.committed:
            return upload.committed
        wanted = {file["sha256"] for file in upload.attributes["files"]}
        upload.verified |= set(sorted(wanted - upload.verified)[: self.verify_at_once])
        if upload.verified != wanted:
            progress = {"verified_count": len(upload.verified), "total_count": len(wanted)}
            return 202, {**self.ticket(upload), "meta": progress}
        for file in upload.attributes["files"]:
            parts = [self.arrived[key] for key in sorted(self.arrived) if key[:2] == (upload.id, file["sha256"])]
            if file["sha256"] not in self.contents:
                content = b"".join(parts)
                assert digest(content) == file["sha256"]
                self.contents[file["sha256"]] = content
        slot, base = upload.slot, upload.attributes.get("base_version")
        if base != slot.head:
            raise Refusal(409, "SAVEGAME_VERSION_CONFLICT", {"savegame_id": slot.id, "conflict_id": str(uuid4())})
        version = slot.head + 1
        slot.versions[version] = upload.attributes["files"]
        upload.committed = 200, {"data": self.version(slot, version), "meta": {"result": "head"}}
        return upload.committed

    def version(self, slot, version):
        files = slot.versions[version]
        attributes = {"version": version, "slot_name": slot.name, "content_identity": hash_of(files, "raw_sha256")}
        return {"id": slot.id, "type": "savegame", "attributes": {**attributes, "file_count": len(files)}}

    def entries(self, slot, version):
        if version not in slot.versions:
            raise Refusal(404, "SAVEGAME_VERSION_NOT_FOUND")
        return [dict.fromkeys(FIELDS - {"part_sha256"}) | file for file in slot.versions[version]]

    def files(self, slot, version, query):
        entries, page, limit = self.entries(slot, version), int(query["page"]), int(query["limit"])
        shown = entries[(page - 1) * limit : page * limit]
        links = {"next": "…"} if page * limit < len(entries) else {}
        return {"data": [{"id": str(n), "attributes": entry} for n, entry in enumerate(shown)], "links": links}

    def download(self, slot, said):
        version = said.get("version") or slot.head
        entries = self.entries(slot, version)
        have, want = said.get("have", []), said.get("want")
        assert len(have) <= 1_000
        assert len(want or []) <= 100
        held = set(have) | {file["sha256"] for file in slot.versions.get(said.get("have_version"), [])}
        if want is not None:
            entries = [entry for entry in entries if entry["sha256"] in want]
        missing = {entry["sha256"]: entry for entry in entries if want is not None or entry["sha256"] not in held}
        for sha in list(missing)[:MAX_URLS]:
            for entry in entries:
                if entry["sha256"] == sha:
                    entry["download_url"] = f"http://store/contents/{sha}?epoch={self.epoch}"
        attributes = {
            "version": version,
            "content_identity": hash_of(slot.versions[version], "raw_sha256"),
            "file_count": len(slot.versions[version]),
            "files": entries,
            "missing_bytes": sum(entry["size_bytes"] for entry in missing.values()),
            "missing_count": len(missing),
            "expires_in_seconds": 300,
        }
        return {"data": {"id": slot.id, "type": "savegameDownload", "attributes": attributes}}

    def add_version(self, slot_name, files, **marks):
        """Makes a version without an upload. ``marks`` are further fields of its files, by path."""
        slot = self.slots.setdefault(slot_name, Slot(str(uuid4()), slot_name))
        entries = []
        for path, content in files.items():
            self.contents[digest(content)] = content
            entry = {"path": path, "size_bytes": len(content), "sha256": digest(content)}
            entries.append(entry | marks.get(path, {}))
        slot.versions[slot.head + 1] = entries
        return slot


class FakeObjects:
    """The store: PUTs of signed lengths and hashes, GETs with ranges."""

    def __init__(self, service):
        self.service = service
        self.requests = []
        self.cut_after = None
        """How many bytes of the next download arrive before the connection ends."""
        self.damaged = {}
        """What is sent in the place of a content."""
        self.busy = 0
        """How many of the next requests answer 503."""
        self.ignores_ranges = False
        self.at_once = self.most_at_once = 0

    async def __call__(self, scope, receive, send):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            status, headers, content = await self.answer(scope, receive)
        finally:
            self.at_once -= 1
        headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        headers.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def answer(self, scope, receive):
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        assert "authorization" not in headers, "the token is the service's alone"
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.requests.append(f"{scope['method']} {scope['path']}")
        if self.busy:
            self.busy -= 1
            return 503, {}, b"<Error><Code>SlowDown</Code></Error>"
        if parse_qs(scope["query_string"].decode())["epoch"] != [str(self.service.epoch)]:
            return 403, {}, b"<Error><Code>AccessDenied</Code></Error>"
        parts = scope["path"].strip("/").split("/")
        if scope["method"] == "PUT":
            upload_id, sha, number = parts
            assert int(headers["content-length"]) == len(body)
            if headers["x-amz-content-sha256"] != digest(body):
                return 400, {}, b"<Error><Code>XAmzContentSHA256Mismatch</Code></Error>"
            self.service.arrived[upload_id, sha, int(number)] = body
            return 200, {}, b""
        content = self.damaged.pop(parts[1], None) or self.service.contents[parts[1]]
        begin = int(headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if self.ignores_ranges or not begin:
            return 200, {}, content
        return 206, {"content-range": f"bytes {begin}-{len(content) - 1}/{len(content)}"}, content[begin:]


class CutTransport(httpx.AsyncBaseTransport):
    """Ends the connection in the middle of an answer of the store."""

    def __init__(self, objects):
        self.objects, self.inner = objects, httpx.ASGITransport(objects)

    async def handle_async_request(self, request):
        response = await self.inner.handle_async_request(request)
        after = self.objects.cut_after
        if request.method != "GET" or after is None:
            return response
        self.objects.cut_after = None
        return httpx.Response(response.status_code, headers=response.headers, stream=CutStream(response, after))


class CutStream(httpx.AsyncByteStream):
    def __init__(self, response, after):
        self.response, self.after = response, after

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield (await self.response.aread())[: self.after]
        raise httpx.ReadError("the connection has ended")


class Progress:
    """Counts what was expected and transferred."""

    def __init__(self):
        self.expected = self.done = 0

    def expect(self, size):
        self.expected += size

    def advance(self, size):
        self.done += size


@pytest.fixture
def disk(tmp_path):
    """A folder in memory where there is one: hundreds of applies wait for fsync elsewhere."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def small_disk(tmp_path):
    """A volume of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def service():
    return FakeService()


@pytest.fixture
def objects(service):
    return FakeObjects(service)


@pytest.fixture
def pauses():
    """What was waited for, in seconds. Nobody really waits."""
    return []


@pytest.fixture
def pause(pauses):
    async def note(seconds):
        pauses.append(seconds)

    return note


@pytest.fixture
async def api(service, pause):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service)) as http:
        yield SaveApi(LibraryClient(f"http://service{BASE}", "token", http=http, pause=pause))


@pytest.fixture
async def store(objects, pause):
    async with httpx.AsyncClient(transport=CutTransport(objects)) as client:
        yield SaveStore(client, pause)


@pytest.fixture
def state(tmp_path):
    return SaveState(tmp_path / "state")


@pytest.fixture
def progress():
    return Progress()
