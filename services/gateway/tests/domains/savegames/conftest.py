"""Players with devices that save to a running service and a real object store, and the jobs about saves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, Service, StartedPlatform
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames.jobs import ObjectSweeper, SaveKeeper
from gameshelf.gateway.domains.savegames.list_writer import ListWriter
from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.object_store import object_store
from gameshelf.gateway.domains.savegames.sets import SetCommits, SetSigner, VerifiedUpload
from gameshelf.gateway.domains.savegames.settings import SavegameSection
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.gateway.wiring import EVENT_RULES, make_services
from gameshelf.kernel.clock import utc_now
from gameshelf.savegames import NewSet, SavegameSets, UploadQueries, user_prefix
from gameshelf.savegames.s3 import S3ObjectStore
from prometheus_client import CollectorRegistry

_PART = 8 * 1024**2


@pytest.fixture(scope="module")
def platform(create_platform: Callable[..., StartedPlatform], s3: Any) -> Iterator[StartedPlatform]:
    """A platform with a bucket."""
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(platform: StartedPlatform) -> Service:
    """A service without jobs: the tests themselves run the jobs that they test."""
    made = platform.service(LIBRARY_SERVICE_ROLES="api,consumer,relay")
    made.start()
    return made


class Device:
    """One device of a player who plays one game."""

    def __init__(self, player: Any, product: UUID, name: str, store: httpx.AsyncClient) -> None:
        self.player, self.product, self.name, self.store = player, product, name, store

    async def ask(self, content: bytes, slot: str = "slot", **more: Any) -> httpx.Response:
        headers = more.pop("headers", {})
        attributes = {
            "product_id": str(self.product),
            "save_slot_name": slot,
            "file_size_bytes": len(content),
            "file_hash_sha256": sha256(content).hexdigest(),
            "device_id": self.name,
            **more,
        }
        return await self.player.post("/savegames/upload-url", attributes, **headers)

    async def request_upload(self, content: bytes, slot: str = "slot", **more: Any) -> dict[str, Any]:
        """The attributes of a ``presignedUploadUrl``."""
        response = await self.ask(content, slot, **more)
        assert response.status_code == 200, response.text
        attributes: dict[str, Any] = response.json()["data"]["attributes"]
        return attributes

    async def put(self, upload: dict[str, Any], content: bytes) -> httpx.Response:
        return await self.store.request(
            upload["method"], upload["upload_url"], content=content, headers=upload["headers"]
        )

    async def confirm(self, upload: dict[str, Any], **headers: str) -> httpx.Response:
        response: httpx.Response = await self.player.post(
            "/savegames/confirm-upload", {"internal_save_id": upload["internal_save_id"]}, **headers
        )
        return response

    async def save(self, content: bytes, slot: str = "slot", **more: Any) -> httpx.Response:
        """Requests an upload, sends the bytes if the service needs them, and confirms."""
        upload = await self.request_upload(content, slot, **more)
        if upload["upload_required"]:
            sent = await self.put(upload, content)
            assert sent.status_code == 200, sent.text
        return await self.confirm(upload)

    async def fetch(self, savegame_id: str, version: int) -> bytes:
        """Downloads a version, and leaves what the device had last as it is."""
        found = await self.player.get(f"/savegames/{savegame_id}/download-url", version=version)
        answer = await self.store.get(found["data"]["attributes"]["download_url"])
        assert answer.status_code == 200, answer.text
        return answer.content

    async def load(self, savegame_id: str, version: int | None = None) -> bytes:
        """Downloads the head, or a version, and says that the device has it."""
        params = {"device_id": self.name} | ({"version": version} if version else {})
        found = await self.player.get(f"/savegames/{savegame_id}/download-url", **params)
        answer = await self.store.get(found["data"]["attributes"]["download_url"])
        assert answer.status_code == 200, answer.text
        synced = await self.synced(savegame_id, found["data"]["attributes"]["version"])
        assert synced.status_code == 204, synced.text
        return answer.content

    async def synced(self, savegame_id: str, version: int) -> httpx.Response:
        """Says that the device has the bytes of a version."""
        said = {"version": version, "device_id": self.name}
        response: httpx.Response = await self.player.post(f"/savegames/{savegame_id}/synced", said)
        return response


@pytest.fixture
async def new_device(player: Any, wait_until: Callable[..., Awaitable[Any]]) -> Any:
    """Makes devices of the player, who owns the game that they play."""
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as store:
        yield lambda name="pc", of=None, game=None: Device(of or player, game or product, name, store)


@pytest.fixture
def device(new_device: Callable[..., Device]) -> Device:
    return new_device()


class Jobs:
    """The jobs about saves as one instance runs them, in this process, with a clock that a test moves ahead."""

    def __init__(self, settings: Settings, pool: Any, objects: S3ObjectStore) -> None:
        self.ahead = timedelta()
        self.pool, self.objects = pool, objects
        section, metrics = settings.of(SavegameSection), Metrics([SavegameMetrics])
        limits = section.limits
        streams = UserStreams(settings.erasure_hash_key.get_secret_value().encode())
        self.transactions = Transactions(
            pool.acquire, streams, make_services(settings), EVENT_RULES, "events", lambda done: None, clock=self.now
        )
        self.saves = Saves(
            objects, self.transactions, metrics.of(SavegameMetrics), section.s3_url_ttl_seconds, limits.quota_bytes
        )
        self.keeper = SaveKeeper(pool.acquire, self.transactions, limits, self.now)
        self.sweeper = ObjectSweeper(pool.acquire, self.saves, metrics, limits, self.now)

    def now(self) -> datetime:
        """The time by the clock of these jobs."""
        return utc_now() + self.ahead

    async def run(self, ahead: timedelta = timedelta(), *, compare: bool = True) -> None:
        """A round of all of them, so much later than now. ``compare``: also where store and database were compared
        today.
        """
        self.ahead = ahead
        if compare:
            await self.pool.execute("DELETE FROM savegames.savegame_scans")
        await self.keeper.run_once()
        await self.sweeper.run_once()

    async def all_keys(self) -> set[str]:
        """The keys of all objects in the store, those of other tests too."""
        return {one.key for one in await self.objects.list("", limit=100_000)}

    async def keys(self, player: Any) -> set[str]:
        """The keys of the objects that the store has under a player's prefix."""
        return {one.key for one in await self.objects.list(user_prefix(player.id), limit=100_000)}

    async def live_keys(self, player: Any) -> set[str]:
        """The keys of the contents that a player has."""
        found = "SELECT s3_object_key FROM savegames.savegame_contents WHERE user_id = $1 AND state = 'live'"
        return {row["s3_object_key"] for row in await self.pool.fetch(found, player.id)}

    async def known_keys(self, player: Any) -> set[str]:
        """The keys of all of a player's contents in the database."""
        found = "SELECT s3_object_key FROM savegames.savegame_contents WHERE user_id = $1"
        return {row["s3_object_key"] for row in await self.pool.fetch(found, player.id)}


@pytest.fixture
async def new_jobs(service: Service) -> AsyncIterator[Callable[..., Awaitable[Jobs]]]:
    """Makes an instance that runs the jobs of the module's service, or of another one."""
    async with AsyncExitStack() as opened:

        async def make(of: Service = service) -> Jobs:
            settings = load_settings(of.environment)
            objects = object_store(settings)
            assert objects
            await objects.open()
            opened.push_async_callback(objects.close)
            dsn = settings.postgres_dsn.get_secret_value()
            pool = await opened.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=4))
            return Jobs(settings, pool, objects)

        yield make


@pytest.fixture
async def jobs(new_jobs: Callable[..., Awaitable[Jobs]]) -> Jobs:
    return await new_jobs()


@pytest.fixture(scope="session")
def data_of() -> Callable[[httpx.Response], Any]:
    """Id and attributes of an answer that must be one of success."""

    def of(response: httpx.Response, status: int = 200) -> Any:
        assert response.status_code == status, response.text
        data = response.json()["data"]
        return data["id"], data["attributes"]

    return of


@pytest.fixture(scope="session")
def refused() -> Callable[[httpx.Response], tuple[int, str]]:
    """Status and code of an answer that must be a refusal."""
    return lambda response: (response.status_code, response.json()["errors"][0]["code"])


class SetClient:
    """A device that saves a set, without REST between."""

    def __init__(self, device: Device, jobs: Jobs) -> None:
        self.device, self.jobs, self.player = device, jobs, device.player
        own = SavegameMetrics(CollectorRegistry())
        self.commits = SetCommits(
            jobs.saves, jobs.transactions, jobs.pool.acquire, own, lambda one: one.of(SavegameSets)
        )
        self.signer = SetSigner(jobs.saves, jobs.pool.acquire, UploadQueries, own)
        self.lists = ListWriter(jobs.pool.acquire, jobs.saves, Metrics([SavegameMetrics]))

    async def change(self, work: Any) -> Any:
        return await self.jobs.transactions.run(self.player.id, work)

    async def request(self, files: Mapping[str, bytes], base: int = 0, slot: str = "slot") -> Any:
        entries = [_entry(path, data) for path, data in files.items()]
        said = {"product_id": self.device.product, "save_slot_name": slot, "base_version": base, "device_id": "pc"}
        new = NewSet.model_validate({**said, "files": entries})
        return await self.change(lambda transaction: transaction.of(SavegameSets).request(self.player.id, new))

    async def sign(self, upload_id: UUID, reservation: Any) -> Any:
        about = (self.player.id, upload_id, reservation.missing, reservation.arrived_through)
        return await self.signer.sign_uploads(*about, may_play=True)

    async def send(self, signed: Any, files: Mapping[str, bytes]) -> None:
        contents = {sha256(data).digest(): data for data in files.values()}
        for file in signed.files:
            data = contents[file.file.sha256]
            whole = [(file.request, data)] if file.request else []
            parts = [(part.request, data[(part.number - 1) * _PART :][: part.size]) for part in file.parts]
            for request, body in whole + parts:
                answer = await self.device.store.put(request.url, content=body, headers=dict(request.headers))
                assert answer.status_code == 200, answer.text

    async def commit(self, upload_id: UUID) -> Any:
        assert await self.commits.verify(self.player.id, upload_id) == VerifiedUpload(None)
        finish = lambda transaction: transaction.of(SavegameSets).finish(self.player.id, upload_id)  # noqa: E731
        return await self.change(finish)

    async def save(self, files: Mapping[str, bytes], base: int = 0, slot: str = "slot") -> Any:
        reservation = await self.request(files, base, slot)
        await self.send(await self.sign(reservation.upload_id, reservation), files)
        return await self.commit(reservation.upload_id)


def _entry(path: str, data: bytes) -> dict[str, Any]:
    said: dict[str, Any] = {"path": path, "size_bytes": len(data), "sha256": sha256(data).hexdigest()}
    if len(data) > _PART:
        said["part_sha256"] = [sha256(data[at : at + _PART]).hexdigest() for at in range(0, len(data), _PART)]
    return said


@pytest.fixture
def set_client(device: Device, jobs: Jobs) -> SetClient:
    return SetClient(device, jobs)
