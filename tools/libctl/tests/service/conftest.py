"""Support at work: the command line against a real service, with the tokens of several people."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import boto3
import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, Service, StartedPlatform
from gameshelf.libctl.main import main
from gameshelf.savegames import user_prefix

from ..checked_shapes import check_shape


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)["error"]


class Libctl:
    """Somebody at the command line."""

    def __init__(self, service: Service, token: str, user_id: UUID, columns: int = 120) -> None:
        self.id = user_id
        self.columns = columns
        self.environment = {"LIBCTL_ENDPOINT": service.grpc, "LIBCTL_TOKEN": token, "LIBCTL_PROFILES": os.devnull}
        self.environment["LIBCTL_SHOWN"] = os.devnull

    def run(self, *words: object, merged: bool = False, **environment: str) -> Ran:
        """Types a command, in this very process: nothing but ``main`` and the service is between.

        ``merged``: ``out`` has what is said beside the data too, in the order of a terminal.
        """
        arguments = [str(word) for word in words]
        out = io.StringIO()
        err = out if merged else io.StringIO()
        before, argv, handler = dict(os.environ), sys.argv, signal.getsignal(signal.SIGTERM)
        os.environ.update(self.environment, COLUMNS=str(self.columns), **environment)
        sys.argv = ["libctl", *arguments]
        try:
            with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
                main(arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)
            sys.argv = argv
            signal.signal(signal.SIGTERM, handler)
        return Ran(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def process(self, *words: object) -> int:
        """Types a command in a process of its own; its exit code."""
        command = [sys.executable, "-m", "gameshelf.libctl", *map(str, words)]
        return subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True).returncode

    def shows(self, *words: object) -> str:
        """The table of a command that must succeed."""
        ran = self.run(*words)
        assert ran.code == 0, ran.err
        return ran.out

    def data(self, *words: object) -> Any:
        """The JSON of a command that must succeed."""
        ran = self.run("--json", *words)
        assert ran.code == 0, ran.err
        check_shape(words, ran.data)
        return ran.data

    def applies(self, *words: object, reason: str = "ticket 4711") -> Any:
        """The JSON of a change that must be made."""
        done = self.data(*words, "--apply", "--reason", reason)
        assert done["applied"]
        assert done["audit_id"]
        return done

    def refused(self, *words: object) -> tuple[int, str]:
        """Exit code and contract's code of a command that must be refused."""
        ran = self.run("--json", *words)
        assert ran.code != 0, ran.out
        assert ran.out == ""
        assert ran.error["try"]
        return ran.code, ran.error["code"]


@pytest.fixture(scope="session")
def new_libctl() -> type[Libctl]:
    """Makes somebody at the command line of any service."""
    return Libctl


@pytest.fixture(scope="module")
def platform(create_platform: Callable[..., StartedPlatform], s3: Any) -> Iterator[StartedPlatform]:
    """A platform with a bucket, for the tests of a module: each has users of its own."""
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(platform: StartedPlatform) -> Service:
    made = platform.service()
    made.start()
    return made


@pytest.fixture(scope="module")
def staff(platform: StartedPlatform, service: Service) -> Callable[..., Libctl]:
    """Makes somebody with these roles."""

    def make(*roles: str, user_id: UUID | None = None) -> Libctl:
        somebody = user_id or uuid4()
        return Libctl(service, platform.issuer.issue(str(somebody), roles, ttl=3600), somebody)

    return make


@pytest.fixture
def support(staff: Callable[..., Libctl]) -> Libctl:
    return staff("support")


@pytest.fixture
def admin(staff: Callable[..., Libctl]) -> Libctl:
    return staff("admin")


def _upload(http: httpx.Client, product: UUID, content: bytes, slot: str, device: str, **more: Any) -> Any:
    """Requests an upload, sends the bytes and confirms; returns the attributes of the save, or the refusal."""

    def post(path: str, **attributes: Any) -> Any:
        return http.post(path, json={"data": {"attributes": attributes}}).json()

    attributes = {
        "product_id": str(product),
        "save_slot_name": slot,
        "file_size_bytes": len(content),
        "file_hash_sha256": sha256(content).hexdigest(),
        "device_id": device,
        **more,
    }
    upload = post("/savegames/upload-url", **attributes)["data"]["attributes"]
    if upload["upload_required"]:
        sent = httpx.request(upload["method"], upload["upload_url"], content=content, headers=upload["headers"])
        assert sent.status_code == 200, sent.text
    document = post("/savegames/confirm-upload", internal_save_id=upload["internal_save_id"])
    return document["errors"][0] if "errors" in document else document["data"]["attributes"]


@pytest.fixture(scope="session")
def upload() -> Callable[..., Any]:
    """Saves bytes of a game into a slot from a device, with a player's own client."""
    return _upload


class Saver:
    """A player who owns a game, and saves it from several devices into the real store."""

    def __init__(self, platform: StartedPlatform, service: Service) -> None:
        self.id, self.product = uuid4(), uuid4()
        self.platform = platform
        headers = {"Authorization": f"Bearer {platform.token(self.id)}"}
        self.http = httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS)

    def buys(self) -> "Saver":
        """Waits until the game is in the library."""
        items = [{"productId": str(self.product), "productType": "game", "quantity": 1}]
        data = {"userId": str(self.id), "orderId": f"order-{self.id}", "items": items}
        bought = CloudEvent("com.platform.payment.purchase.completed.v1", data)
        asyncio.run(publish(self.platform.kafka.address, [bought]))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.http.get("/items").json()["data"]:
            assert time.monotonic() < deadline, "the game didn't come"
            time.sleep(0.05)
        return self

    def save(self, content: bytes, slot: str = "slot", device: str = "pc", **more: Any) -> Any:
        """Saves; returns the attributes of the save, or the refusal."""
        return _upload(self.http, self.product, content, slot, device, **more)

    def saves(self, *contents: bytes, slot: str = "slot") -> str:
        """Saves one after the other; the save's id."""
        for content in contents:
            self.save(content, slot)
        found = self.http.get("/savegames").json()["data"]
        [savegame_id] = [one["id"] for one in found if one["attributes"]["slot_name"] == slot]
        return str(savegame_id)

    def diverges(self, slot: str = "slot", **branch: Any) -> tuple[str, str]:
        """Two devices save over the same version: the save and its conflict."""
        save = self.saves(f"{slot} one".encode(), f"{slot} two".encode(), slot=slot)
        self.save(f"{slot} three".encode(), slot, "deck", base_version=1, **branch)
        found = self.http.get("/savegames/conflicts").json()["data"]
        [conflict] = [one["id"] for one in found if save in str(one)]
        return save, conflict

    def post(self, path: str, **attributes: Any) -> httpx.Response:
        return self.http.post(path, json={"data": {"attributes": attributes}})


@pytest.fixture(scope="module")
def new_saver(platform: StartedPlatform, service: Service) -> Iterator[Callable[[], Saver]]:
    """Makes players who own a game."""
    made: list[Saver] = []

    def make() -> Saver:
        made.append(Saver(platform, service))
        return made[-1].buys()

    yield make
    for one in made:
        one.http.close()


@pytest.fixture
def saver(new_saver: Callable[[], Saver]) -> Saver:
    return new_saver()


class Bucket:
    """Access to the store without the service, to damage it as an accident does."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.name = settings["S3_BUCKET_SAVEGAMES"]
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://{settings['S3_ENDPOINT'].removeprefix('http://')}",
            region_name="us-east-1",
            aws_access_key_id=settings["S3_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["S3_SECRET_ACCESS_KEY"],
        )

    def keys_of(self, user_id: UUID) -> set[str]:
        """The keys of a user's objects."""
        found = self.client.list_objects_v2(Bucket=self.name, Prefix=user_prefix(user_id))
        return {one["Key"] for one in found.get("Contents", ())}

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)


@pytest.fixture(scope="module")
def bucket(platform: StartedPlatform) -> Bucket:
    return Bucket(platform.store)
