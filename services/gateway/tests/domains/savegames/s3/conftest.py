"""The object store of saves on real servers: JuiceFS, which has no versions, and moto, which looks at no signature."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.servers import ObjectServer
from gameshelf.gateway.domains.savegames.s3.client import new_client
from gameshelf.gateway.domains.savegames.s3.store import S3Objects, connect
from gameshelf.gateway.runtime.settings import Settings, load_settings
from gameshelf.savegames import SignedRequest
from gameshelf.savegames.testing import Answer

REST = {
    "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
    "ERASURE_HASH_KEY": "0" * 32,
    "LIBRARY_SERVICE_ROLES": "jobs",
}


class Bucket:
    """A bucket on a server, with the adapter and a client of the test's own: a ``Subject`` of the suites."""

    def __init__(self, settings: Settings, objects: S3Objects, client: Any, http: httpx.AsyncClient) -> None:
        self.settings = settings
        self.name = settings.s3_bucket
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
        """The keys of all versions and markers that the store keeps."""
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
        return sorted(
            [
                entry["Key"]
                async for page in pages
                for entry in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            ]
        )


@pytest.fixture(scope="session")
def environment_of() -> Callable[..., dict[str, str]]:
    """Variables that lead to a bucket on a server, one of its own if it is not named."""

    def of(server: ObjectServer, bucket: str = "", **changed: str) -> dict[str, str]:
        return {**REST, **server.settings(bucket or f"b{uuid4().hex[:12]}"), **changed}

    return of


@pytest.fixture(scope="session")
def settings_of(environment_of: Callable[..., dict[str, str]]) -> Callable[..., Settings]:
    """The same as settings."""

    def of(server: ObjectServer, bucket: str = "", **changed: str) -> Settings:
        return load_settings(environment_of(server, bucket, **changed))

    return of


@pytest.fixture
async def new_bucket(settings_of: Callable[..., Settings]) -> AsyncIterator[Callable[..., Any]]:
    """Makes an empty bucket on a server."""
    async with AsyncExitStack() as opened:

        async def make(server: ObjectServer, **changed: str) -> Bucket:
            settings = settings_of(server, **changed)
            objects = connect(settings)
            assert objects
            await objects.open()
            opened.push_async_callback(objects.close)
            client = await opened.enter_async_context(new_client(settings, server.endpoint))
            http = await opened.enter_async_context(httpx.AsyncClient(timeout=30))
            await client.create_bucket(Bucket=settings.s3_bucket)
            return Bucket(settings, objects, client, http)

        yield make
