"""Players with devices that save to a running service and a real object store."""

from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from gameshelf.devstack.pytest_plugin import Platform


@pytest.fixture(scope="module")
def platform(create_platform: Callable[..., Platform], s3: Any) -> Iterator[Platform]:
    """A platform with a bucket."""
    made = create_platform(s3=s3)
    yield made
    made.close()


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

    async def leave(self, content: bytes, slot: str = "slot", **more: Any) -> dict[str, Any]:
        """The attributes of a ``presignedUploadUrl``."""
        response = await self.ask(content, slot, **more)
        assert response.status_code == 200, response.text
        attributes: dict[str, Any] = response.json()["data"]["attributes"]
        return attributes

    async def put(self, leave: dict[str, Any], content: bytes) -> httpx.Response:
        return await self.store.request(leave["method"], leave["upload_url"], content=content, headers=leave["headers"])

    async def confirm(self, leave: dict[str, Any], **headers: str) -> httpx.Response:
        response: httpx.Response = await self.player.post(
            "/savegames/confirm-upload", {"internal_save_id": leave["internal_save_id"]}, **headers
        )
        return response

    async def save(self, content: bytes, slot: str = "slot", **more: Any) -> httpx.Response:
        """Asks, uploads if need be, and confirms."""
        leave = await self.leave(content, slot, **more)
        if leave["upload_required"]:
            sent = await self.put(leave, content)
            assert sent.status_code == 200, sent.text
        return await self.confirm(leave)

    async def load(self, savegame_id: str, version: int | None = None) -> bytes:
        """Downloads the head, or a version."""
        params = {"device_id": self.name} | ({"version": version} if version else {})
        found = await self.player.get(f"/savegames/{savegame_id}/download-url", **params)
        answer = await self.store.get(found["data"]["attributes"]["download_url"])
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture
async def new_device(player: Any, wait_until: Callable[..., Awaitable[Any]]) -> Any:
    """Makes devices of the player, who owns the game that they play."""
    product = uuid4()
    await player.buys(product)
    await wait_until(player.products)
    async with httpx.AsyncClient(timeout=30) as store:
        yield lambda name="pc", of=None, game=None: Device(of or player, game or product, name, store)


@pytest.fixture
def device(new_device: Callable[..., Device]) -> Device:
    return new_device()


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
