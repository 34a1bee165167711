"""Devices that save sets of files over REST and straight to the store, and the floor of what they send."""

import asyncio
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from botocore.config import Config
from botocore.session import get_session
from gameshelf.devstack.pytest_plugin import Service
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.wiring import build

CONNECTIONS = 4
"""How many requests a device sends to the store at a time, as the folder client does."""
_VERIFIED = re.compile(r"savegame_verify_seconds_count (\S+)")
_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET LOCAL")
_BLOCK = os.urandom(8 * 1024**2)

Files = Mapping[str, tuple[str, int]]
"""A name of the content, and its size, by path."""


def content(name: str, size: int) -> bytes:
    """Bytes that differ by name, cheap to make twice."""
    return sha256(name.encode()).digest() + _BLOCK[: size - 32]


def new_files(number: int, size: int) -> dict[str, tuple[str, int]]:
    return {f"saves/{one:05}": (uuid4().hex, size) for one in range(number)}


def changed(files: Files, number: int) -> dict[str, tuple[str, int]]:
    """The same files with so many new contents."""
    return {**files, **{path: (uuid4().hex, size) for path, (_, size) in list(files.items())[:number]}}


@dataclass(slots=True)
class Costs:
    """What saving one set has cost."""

    urls: int = 0
    objects_read: int = 0
    statements: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - began


class Device:
    """A device of a player who saves sets."""

    def __init__(self, service: Service, token: str, product: UUID) -> None:
        self.http = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=120)
        self.store = httpx.AsyncClient(timeout=600)
        self.service, self.product = service, product
        self.base = f"{service.api}/savegames"
        self.costs = Costs()

    async def close(self) -> None:
        await self.http.aclose()
        await self.store.aclose()

    async def post(self, path: str, attributes: Any = None) -> httpx.Response:
        sent = None if attributes is None else {"data": {"attributes": attributes}}
        response = await self.http.post(self.base + path, json=sent)
        response.raise_for_status()
        return response

    async def save(self, files: Files, base: int, costs: Costs) -> str:
        """Plans, requests, uploads; returns the id of the upload, which is ready for its commit."""
        hashes = await asyncio.to_thread(_hashes, files)
        with costs.timed("plan"):
            slot = {"slot_name": "world", "content_hash": _hash_of_list(files, hashes)}
            if base:
                slot["base_version"] = base
            about = {"product_id": str(self.product), "device_id": "pc"}
            await self.post("/plan", {**about, "intent": "exit", "slots": [slot]})
        entries = [{"path": path, "size_bytes": size, "sha256": hashes[name]} for path, (name, size) in files.items()]
        with costs.timed("begin"):
            asked = {**about, "save_slot_name": "world", "base_version": base, "files": entries}
            begun = (await self.post("/uploads", asked)).json()["data"]
        contents = {hashes[name]: (name, size) for name, size in files.values()}
        with costs.timed("upload"):
            attributes = begun["attributes"]
            while attributes["uploads"]:
                requests = [(one, contents[one["sha256"]]) for one in attributes["uploads"]]
                costs.urls += len(requests)
                await send_all(self.store, requests)
                if attributes["missing_count"] == len(requests):
                    break
                answer = await self.http.get(f"{self.base}/uploads/{begun['id']}")
                answer.raise_for_status()
                attributes = answer.json()["data"]["attributes"]
        upload_id: str = begun["id"]
        return upload_id

    async def commit(self, upload_id: str, costs: Costs) -> int:
        """Returns the number of the version."""
        with costs.timed("commit"):
            while (response := await self.post(f"/uploads/{upload_id}/commit")).status_code == 202:
                pass
        version: int = response.json()["data"]["attributes"]["version"]
        return version

    async def verified(self) -> int:
        """How many objects the service has read to verify them."""
        found = _VERIFIED.search((await self.http.get(self.service.metrics)).text)
        return int(float(found[1])) if found else 0


def _hashes(files: Files) -> dict[str, str]:
    return {name: sha256(content(name, size)).hexdigest() for name, size in files.values()}


def _hash_of_list(files: Files, hashes: Mapping[str, str]) -> str:
    lines = (f"{hashes[name]} {path}\n" for path, (name, _) in sorted(files.items()))
    return sha256("".join(lines).encode()).hexdigest()


async def send_all(
    store: httpx.AsyncClient,
    requests: Sequence[tuple[Mapping[str, Any], tuple[str, int]]],
    connections: int = CONNECTIONS,
) -> None:
    """Sends contents by presigned requests, so many at a time."""
    waiting = iter(requests)

    async def send() -> None:
        for request, (name, size) in waiting:
            answer = await store.request(
                request["method"], request["upload_url"], content=content(name, size), headers=request["headers"]
            )
            answer.raise_for_status()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(send())


async def floor(settings: Mapping[str, str], sets: Sequence[Files]) -> float:
    """Seconds in which the same bytes are sent to the store and nothing else is done, over as many connections."""
    client = get_session().create_client(
        "s3",
        endpoint_url=f"http://{settings['S3_ENDPOINT'].removeprefix('http://')}",
        aws_access_key_id=settings["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["S3_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    bucket = settings["S3_BUCKET_SAVEGAMES"]

    def request(name: str) -> dict[str, Any]:
        url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": f"floor/{name}"}, 3600)
        return {"method": "PUT", "upload_url": url, "headers": {}}

    # Other contents, so that nothing is stored already.
    wanted = [
        [(request(f"{name}-floor"), (f"{name}-floor", size)) for name, size in {*files.values()}] for files in sets
    ]
    async with httpx.AsyncClient(timeout=600, limits=httpx.Limits(max_connections=None)) as store:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for requests in wanted:
                tasks.create_task(send_all(store, requests))
        return time.perf_counter() - began


async def statements_of_commit(service: Service, token: str, upload_id: str) -> int:
    """Commits by an application in this process, and returns how many statements its last transaction has run."""
    gateway = await build(load_settings({**service.environment, "LIBRARY_SERVICE_ROLES": "api"}))
    transactions: list[int] = []
    take, watched = gateway.database.take_connection, set[int]()

    def watch(connection: Any) -> None:
        running = 0

        def note(query: Any) -> None:
            nonlocal running
            if query.query.startswith("BEGIN"):
                running = 0
            elif query.query.startswith("COMMIT"):
                transactions.append(running)
            elif not query.query.startswith(_CONTROL) and "typeinfo" not in query.query and "'jit'" not in query.query:
                running += 1

        connection.add_query_logger(note)

    async def take_connection() -> Any:
        connection = await take()
        if id(connection._con) not in watched:
            watched.add(id(connection._con))
            watch(connection)
        return connection

    gateway.database.take_connection = take_connection  # type: ignore[method-assign]
    try:
        transport = httpx.ASGITransport(app=gateway.app())
        headers = {"Authorization": f"Bearer {token}"}
        base = "http://localhost/api/v1/library/savegames"
        async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers, timeout=120) as client:
            while (response := await client.post(f"/uploads/{upload_id}/commit")).status_code == 202:
                pass
            response.raise_for_status()
            await asyncio.sleep(0)  # what was done before is noted in the next round of the loop
    finally:
        await gateway.close()
    return transactions[-1]


def memory(pid: int, what: str) -> float:
    """MiB of a process: ``VmRSS`` now, ``VmHWM`` at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith(what)]
    return int(line.split()[1]) / 1024
