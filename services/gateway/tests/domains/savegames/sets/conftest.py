"""Devices that save sets of files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.wiring import build
from gameshelf.kernel.clock import utc_now
from gameshelf.savegames import PolicyDocument, PolicyFact, PolicyStore

PART = 8 * 1024**2
_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET LOCAL")


class SetDevice:
    """A device of a player who plays one game, whose saves are sets of files."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self.player, self.store, self.name = device.player, device.store, device.name

    def entry(self, path: str | None, content: bytes, **more: Any) -> dict[str, Any]:
        """A file as a request describes it."""
        entry = {"path": path, "size_bytes": len(content), "sha256": sha256(content).hexdigest(), **more}
        if len(content) > PART and "part_sha256" not in more:
            starts = range(0, len(content), PART)
            entry["part_sha256"] = [sha256(content[start : start + PART]).hexdigest() for start in starts]
        return entry

    async def ask(self, attributes: Mapping[str, Any], slot: str = "world", **headers: str) -> httpx.Response:
        """Requests an upload, with these attributes besides product, slot and device."""
        said = {"product_id": str(self.device.product), "save_slot_name": slot, "device_id": self.name, **attributes}
        response: httpx.Response = await self.player.post("/savegames/uploads", said, **headers)
        return response

    async def begin(self, files: Mapping[str, bytes], slot: str = "world", **more: Any) -> Any:
        """Requests an upload of a whole set, and returns its id and attributes."""
        entries = [self.entry(path, content) for path, content in files.items()]
        response = await self.ask({"files": entries, **more}, slot)
        assert response.status_code == 200, response.text
        data = response.json()["data"]
        return data["id"], data["attributes"]

    async def put(self, request: Mapping[str, Any], content: bytes) -> httpx.Response:
        """Sends bytes by a presigned request."""
        return await self.store.request(
            request["method"], request["upload_url"], content=content, headers=request["headers"]
        )

    async def send(self, attributes: Mapping[str, Any], contents: Mapping[str, bytes]) -> int:
        """Sends what an answer asks for, and returns how many requests that took."""
        by_hash = {sha256(content).hexdigest(): content for content in contents.values()}
        sent = 0
        for missing in attributes["uploads"]:
            content, size = by_hash[missing["sha256"]], missing["part_size_bytes"]
            parts = [(part, content[(part["number"] - 1) * size :][:size]) for part in missing["parts"]]
            for request, some in parts or [(missing, content)]:
                answer = await self.put(request, some)
                assert answer.status_code == 200, answer.text
                sent += 1
        return sent

    async def send_all(self, upload_id: str, attributes: Mapping[str, Any], contents: Mapping[str, bytes]) -> int:
        """Sends everything, a hundred requests at a time."""
        sent = 0
        while attributes["uploads"]:
            sent += await self.send(attributes, contents)
            attributes = (await self.player.get(f"/savegames/uploads/{upload_id}"))["data"]["attributes"]
        assert (attributes["missing_bytes"], attributes["missing_count"]) == (0, 0)
        return sent

    async def commit(self, upload_id: str, **headers: str) -> httpx.Response:
        """Commits, as often as the service asks for it."""
        while True:
            response: httpx.Response = await self.player.post(f"/savegames/uploads/{upload_id}/commit", **headers)
            if response.status_code != 202:
                return response
            await asyncio.sleep(0)

    async def save(self, files: Mapping[str, bytes], slot: str = "world", **more: Any) -> httpx.Response:
        """Requests an upload, sends what is missing, and commits."""
        upload_id, attributes = await self.begin(files, slot, **more)
        await self.send_all(upload_id, attributes, files)
        return await self.commit(upload_id)

    async def download(self, savegame_id: str, **asked: Any) -> dict[str, Any]:
        """The attributes of a ``savegameDownload``."""
        response = await self.player.post(f"/savegames/{savegame_id}/download", asked)
        assert response.status_code == 200, response.text
        attributes: dict[str, Any] = response.json()["data"]["attributes"]
        return attributes

    async def load(self, savegame_id: str, version: int | None = None) -> dict[str, bytes]:
        """Downloads a version, by default the head, and reports that the device has it."""
        said = {} if version is None else {"version": version}
        found = await self.download(savegame_id, **said)
        contents: dict[str, bytes] = {}
        asked = found
        while True:
            for file in asked["files"]:
                if file["download_url"] and file["sha256"] not in contents:
                    answer = await self.store.get(file["download_url"])
                    assert answer.status_code == 200, answer.text
                    contents[file["sha256"]] = answer.content
            want = list({file["sha256"] for file in found["files"]} - contents.keys())[:100]
            if not want:
                break
            asked = await self.download(savegame_id, version=found["version"], want=want)
        synced = await self.device.synced(savegame_id, found["version"])
        assert synced.status_code == 204, synced.text
        return {file["path"]: contents[file["sha256"]] for file in found["files"]}


@pytest.fixture
async def new_set_device(new_device: Callable[..., Any]) -> Callable[..., SetDevice]:
    """Makes devices of the player, which save sets."""
    return lambda *args, **named: SetDevice(new_device(*args, **named))


@pytest.fixture
def pc(new_set_device: Callable[..., SetDevice]) -> SetDevice:
    return new_set_device("pc")


@pytest.fixture
def deck(new_set_device: Callable[..., SetDevice]) -> SetDevice:
    return new_set_device("deck")


@pytest.fixture(scope="session")
def fields_of() -> Callable[[httpx.Response], list[tuple[str, str]]]:
    """The places and messages of the problems in a refusal of validation."""

    def of(response: httpx.Response) -> list[tuple[str, str]]:
        assert response.status_code == 400, response.text
        errors = response.json()["errors"]
        assert {error["code"] for error in errors} == {"VALIDATION_ERROR"}
        return [(error["source"]["pointer"].removeprefix("/data/attributes/"), error["detail"]) for error in errors]

    return of


@pytest.fixture
async def set_policy(platform: Any) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Stores the policy of a product, as the Catalog's event does."""
    connection = await asyncpg.connect(platform.dsn)

    async def apply(product: UUID, revision: int = 1, **policy: Any) -> None:
        document = PolicyDocument.model_validate({"revision": revision, **policy})
        await PolicyStore(connection, utc_now).apply([PolicyFact(product, document, utc_now())])

    yield apply
    await connection.close()


@pytest.fixture
async def transactions(platform: Any, player: Any) -> AsyncIterator[tuple[httpx.AsyncClient, list[list[str]]]]:
    """An application in this process, and the statements of each transaction that it commits."""
    gateway = await build(load_settings(platform.service(LIBRARY_SERVICE_ROLES="api").environment))
    done: list[list[str]] = []
    take, watched = gateway.database.take_connection, set[Any]()

    def watch(connection: Any) -> None:
        running: list[str] = []

        def note(query: Any) -> None:
            nonlocal running
            if query.query.startswith("BEGIN"):
                running = []
            elif query.query.startswith("COMMIT"):
                done.append(running)
            elif not query.query.startswith(_CONTROL) and "typeinfo" not in query.query and "'jit'" not in query.query:
                running.append(query.query)

        connection.add_query_logger(note)

    async def take_connection() -> Any:
        connection = await take()
        if connection._con not in watched:
            watched.add(connection._con)
            watch(connection)
        return connection

    gateway.database.take_connection = take_connection  # type: ignore[method-assign]
    transport = httpx.ASGITransport(app=gateway.app())
    headers = {"Authorization": f"Bearer {player.token}"}
    base = "http://localhost/api/v1/library/savegames"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
        yield client, done
    await gateway.close()
