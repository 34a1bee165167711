"""``libctl saves reconcile`` after a real restore: a copy of the database takes its place, and the bucket stays."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from uuid import uuid4

import asyncpg
import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames.object_store import s3_config
from gameshelf.savegames import object_key, object_metadata
from gameshelf.savegames.s3 import new_client

from ..shown_tables import WIDE, tables_of

# The shell that started the tests may have set processes to ignore Ctrl-C.
INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from gameshelf.libctl.main import main; main()"
)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


class Player:
    """Somebody with a game that saves."""

    def __init__(self, platform):
        self.platform, self.id, self.game = platform, uuid4(), uuid4()
        self.headers = {"Authorization": f"Bearer {platform.issuer.issue(str(self.id), ('user',), ttl=3600)}"}
        bought = {
            "userId": str(self.id),
            "orderId": str(uuid4()),
            "items": [{"productId": str(self.game), "productType": "game", "quantity": 1}],
            "purchaseTimestamp": "2026-05-20T12:00:00Z",
        }
        event = CloudEvent("com.platform.payment.purchase.completed.v1", bought)
        asyncio.run(publish(platform.kafka.address, [event]))

    def comes_to(self, service):
        """Uses that service from now on; waits until the game is in the library."""
        self.http = httpx.Client(base_url=service.api, headers=self.headers, timeout=PATIENCE_SECONDS)
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.http.get("/items").json()["data"]:
            assert time.monotonic() < until
            time.sleep(0.05)

    def save(self, content, slot="slot", **more):
        attributes = {
            "product_id": str(self.game),
            "save_slot_name": slot,
            "file_size_bytes": len(content),
            "file_hash_sha256": sha256(content).hexdigest(),
            "device_id": "pc",
            **more,
        }
        upload = self.post("/savegames/upload-url", attributes).json()["data"]["attributes"]
        if upload["upload_required"]:
            httpx.request(upload["method"], upload["upload_url"], content=content, headers=upload["headers"])
        return self.post("/savegames/confirm-upload", {"internal_save_id": upload["internal_save_id"]}).status_code

    def post(self, path, attributes):
        return self.http.post(path, json={"data": {"attributes": attributes}})

    def sees(self):
        """For each save the head's number, and the content of every version."""
        found = {}
        for save in self.http.get("/savegames").json()["data"]:
            path = f"/savegames/{save['id']}"
            versions = [one["attributes"]["version"] for one in self.http.get(f"{path}/versions").json()["data"]]
            found[save["attributes"]["slot_name"], save["attributes"]["version"]] = {
                version: self.download(path, version) for version in versions
            }
        return found

    def download(self, path, version):
        url = self.http.get(f"{path}/download-url", params={"version": version}).json()["data"]["attributes"]
        return httpx.get(url["download_url"]).content


@pytest.fixture
def lost(create_platform, postgres, s3):
    """A platform whose database was restored: its running service, a player, what they had, and the database."""
    platform = create_platform(s3=s3)
    try:
        first = platform.service()
        first.start()
        player = Player(platform)
        player.comes_to(first)
        assert player.save(b"before") == 200
        first.stop()
        name = f"copy{uuid4().hex[:12]}"
        postgres.create_database(name, template=platform.dsn.rpartition("/")[2].partition("?")[0])
        first.start()
        player.comes_to(first)
        assert player.save(b"after" * 1000) == 200
        assert player.save(b"beside", base_version=1) == 409
        assert player.save("другое".encode(), "Слот / 2") == 200
        had = player.sees()
        first.stop()
        dsn = postgres.dsn(name)
        asyncio.run(restore(dsn))
        # Nothing but a comparison may wait for a player's row: consumer and jobs would.
        second = platform.service(POSTGRES_DSN=dsn, LIBRARY_SERVICE_ROLES="api")
        second.start()
        player.comes_to(second)
        yield second, player, had, dsn
    finally:
        platform.close()


async def restore(dsn):
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        await connection.execute("SELECT savegames.mark_restored(), settings.mark_restored()")
        await connection.execute("SELECT gateway.mark_restored(now(), 'a copy', 'a test', 'the disk burned')")
    await connection.close()


@pytest.fixture
def somebody(lost, new_libctl):
    """Makes staff of the restored service."""
    service, player, *_ = lost
    return partial(made_staff, new_libctl, service, player.platform)


@pytest.fixture
def anybody(platform, service, new_libctl):
    """Makes staff of the module's service, whose database was never restored."""
    return partial(made_staff, new_libctl, service, platform)


def made_staff(new_libctl, service, platform, *roles, columns=120):
    staff = uuid4()
    return new_libctl(service, platform.issuer.issue(str(staff), roles, ttl=3600), staff, columns)


def test_saves_of_the_lost_time_are_there_again(lost, somebody):
    _, player, had, _ = lost
    admin = somebody("admin", columns=WIDE)
    assert {(slot, number): len(held) for (slot, number), held in player.sees().items()} == {("slot", 1): 1}

    # Only looked at, as a table and as data.
    shown = admin.run("saves", "reconcile")
    assert shown.code == 0
    assert "to be adopted     3 (" in shown.out
    [adopted] = tables_of(shown.out)
    assert adopted[0] == ["outcome", "user", "save", "version", "size"]
    assert ["branch", str(player.id), "slot"] in [row[:3] for row in adopted[1]]
    assert "Nothing was changed" in shown.err
    looked = admin.data("saves", "reconcile")
    assert (looked["applied"], looked["counts"]) == (False, {"adopted": 3, "missing": 0, "refused": 0})
    assert looked["outcomes"] == {"branch": 1, "head": 2}
    assert looked["is_restore_open"]
    assert len(player.sees()) == 1

    # Done, and downloaded byte for byte.
    done = admin.data("saves", "reconcile", "--apply", "--reason", "the disk burned")
    assert (done["applied"], done["outcomes"], done["is_restore_open"]) == (True, {"branch": 1, "head": 2}, False)
    assert {one["user_id"] for one in done["adopted"]} == {str(player.id)}
    assert player.sees() == had
    assert len(player.http.get("/savegames/conflicts").json()["data"]) == 1

    # One entry for the player, one for the end of the restore.
    of_user, of_restore = (admin.data("audit", "show", entry) for entry in done["audit_ids"])
    assert of_user["user_id"] == str(player.id)
    assert of_user["before"]["heads"][f"{player.game}/slot"] == 1
    assert of_user["after"]["heads"][f"{player.game}/slot"] == 2
    assert not of_user["can_undo"]
    assert of_restore["after"] == {"is_restore_open": False}

    # Once is enough.
    again = admin.run("saves", "reconcile", "--apply", "--reason", "once more, please")
    assert again.code == 0
    assert "Nothing to adopt" in again.out
    assert "all objects have been compared" in again.err
    assert player.sees() == had


def test_an_applied_comparison_needs_a_reason_and_an_administrator(anybody):
    admin, support = anybody("admin"), anybody("support")
    assert admin.refused("saves", "reconcile", "--apply")[0] == 2
    assert admin.refused("saves", "reconcile", "--reason", "why it is done")[0] == 2
    assert support.refused("saves", "reconcile")[1] == "PERMISSION_DENIED"


def test_a_cursor_that_would_leave_something_out_is_refused(anybody):
    admin = anybody("admin")
    assert admin.refused("saves", "reconcile", "--cursor", "nonsense")[1] == "VALIDATION_ERROR"


@pytest.mark.long
def test_an_interrupted_comparison_says_how_to_continue(lost, somebody):
    service, player, _, dsn = lost
    admin = somebody("admin")
    printed = asyncio.run(interrupted_on_the_second_page(service, player, dsn, admin))
    cursor = printed.partition("libctl saves reconcile --cursor ")[2].split()[0]
    resumed, whole = admin.data("saves", "reconcile", "--cursor", cursor), admin.data("saves", "reconcile")
    assert resumed["adopted"] == whole["adopted"] != []
    assert whole["objects"] == resumed["objects"] + 100
    applied = ("saves", "reconcile", "--cursor", cursor, "--apply", "--reason", "why it is done")
    assert admin.refused(*applied)[1] == "PRECONDITION_FAILED"  # what is before it was only looked at


async def interrupted_on_the_second_page(service, player, dsn, admin):
    """Returns what it prints. The first page is of somebody else's objects; the second waits for the player's lock."""
    config = s3_config(load_settings(service.environment))
    key = object_key(player.id, player.game, "lost", 1, uuid4(), datetime.now(UTC))
    metadata = object_metadata(player.id, player.game, "lost", 1, 0, sha256(b"lost").digest())
    async with new_client(config) as client:
        put = partial(client.put_object, Bucket=config.bucket)
        await asyncio.gather(*(put(Key=f"!/{number:03}", Body=b"") for number in range(100)))
        await put(Key=key, Body=b"lost", Metadata=metadata)
    connection, watching = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", player.id)
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", INTERRUPTIBLE, "saves", "reconcile"),
            env={**os.environ, **admin.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await watching.fetchval(WAITING):
                await asyncio.sleep(0.02)
        running.send_signal(signal.SIGINT)
        out, printed = await running.communicate()
    await connection.close()
    await watching.close()
    assert (running.returncode, out) == (130, b"")
    return printed.decode()
