"""Buckets on real servers: JuiceFS, which has no versions of objects, and moto, which verifies no signature."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers import ObjectServer
from gameshelf.savegames import SignedRequest
from gameshelf.savegames.s3 import S3Config, S3ObjectStore, new_client
from gameshelf.savegames.testing import Answer


class Bucket:
    """A bucket on a server, with the store under test and a client of its own: a ``StoreUnderTest``."""

    def __init__(self, config: S3Config, objects: S3ObjectStore, client: Any, http: httpx.AsyncClient) -> None:
        self.config = config
        self.name = config.bucket
        self.objects = self.signer = objects
        self.client = client
        self.http = http
        self.skips: Mapping[str, str] = {}

    async def put(self, key: str, data: bytes) -> None:
        await self.client.put_object(Bucket=self.name, Key=key, Body=data)

    async def read(self, key: str) -> bytes | None:
        try:
            answer = await self.client.get_object(Bucket=self.name, Key=key)
        except self.client.exceptions.NoSuchKey:
            return None
        async with answer["Body"]:
            return await answer["Body"].read()

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        return (await self.client.head_object(Bucket=self.name, Key=key))["Metadata"]

    async def send(self, request: SignedRequest, body: bytes = b"") -> Answer:
        content = body if body or request.method == "PUT" else None
        answer = await self.http.request(request.method, request.url, headers=dict(request.headers), content=content)
        return Answer(answer.status_code, answer.content, dict(answer.headers))

    async def wait(self, seconds: int) -> None:
        await asyncio.sleep(seconds)

    async def versions(self, prefix: str = "") -> list[str]:
        """The keys of all versions and deletion markers that the store keeps."""
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
        return sorted(
            [
                entry["Key"]
                async for page in pages
                for entry in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            ]
        )


@pytest.fixture(scope="session")
def config_of() -> Callable[..., S3Config]:
    """The config of a bucket on a server, of a new name unless it is given."""

    def of(server: ObjectServer, **changed: Any) -> S3Config:
        config = {
            "bucket": f"b{uuid4().hex[:12]}",
            "endpoint": server.endpoint,
            "access_key_id": server.access_key,
            "secret_access_key": server.secret_key,
            **changed,
        }
        return S3Config(**config)

    return of


@pytest.fixture(scope="session")
def opened() -> Callable[..., Any]:
    """The open store of a config."""

    @asynccontextmanager
    async def of(config: S3Config, **options: Any) -> AsyncIterator[S3ObjectStore]:
        objects = S3ObjectStore(config, **options)
        await objects.open()
        try:
            yield objects
        finally:
            await objects.close()

    return of


class Versity(ObjectServer):
    """The gateway of versitygw over a folder: an S3 code of its own, which verifies signatures and checksums."""

    name: ClassVar[str] = "versity"

    def __init__(self, directory: Path, program: str) -> None:
        super().__init__(directory)
        self._program = program

    def launch(self) -> Process:
        objects = self.directory / "objects"
        objects.mkdir(exist_ok=True)
        keys = ["--access", self.access_key, "--secret", self.secret_key]
        return Process([self._program, *keys, "--port", f"{HOST}:{self.port}", "posix", str(objects)], self.log)


@pytest.fixture(scope="session")
def versity(server_directory: Path) -> Iterator[Versity]:
    """A versitygw of this test run; the test is skipped where the program is not at hand."""
    program = os.environ.get("VERSITYGW") or shutil.which("versitygw")
    if not program:
        pytest.skip("no versitygw on PATH, and VERSITYGW names none")
    server = Versity(server_directory / "versity", program)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def new_bucket(
    config_of: Callable[..., S3Config], opened: Callable[..., Any]
) -> AsyncIterator[Callable[..., Any]]:
    """Creates an empty bucket on a server."""
    async with AsyncExitStack() as stack:

        async def create(server: ObjectServer, **changed: Any) -> Bucket:
            config = config_of(server, **changed)
            objects = await stack.enter_async_context(opened(config))
            client = await stack.enter_async_context(new_client(config))
            http = await stack.enter_async_context(httpx.AsyncClient(timeout=PATIENCE_SECONDS))
            await client.create_bucket(Bucket=config.bucket)
            return Bucket(config, objects, client, http)

        yield create
