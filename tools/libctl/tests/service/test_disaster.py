"""The database is lost: an earlier backup restores every domain, and later changes are recovered."""

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for

PLACES = (
    "/items",
    "/categories",
    "/playtime",
    "/playtime/sessions",
    "/achievements/summary",
    "/wishlist/items",
    "/savegames",
    "/family/links",
)


class Player:
    """A player with data in each domain."""

    def __init__(self, platform, service):
        self.id, self.platform = uuid4(), platform
        self.at(service)

    def at(self, service):
        headers = {"Authorization": f"Bearer {self.platform.token(self.id)}"}
        self.http = httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS)

    def post(self, path, **attributes):
        answered = self.http.post(path, json={"data": {"attributes": attributes}})
        assert answered.status_code < 300, answered.text
        return answered.json()["data"] if answered.content else None

    def has(self):
        """All that the player sees, by path."""
        return {path: self.http.get(path).json()["data"] for path in PLACES}

    def products(self):
        return {item["attributes"]["product_id"] for item in self.http.get("/items").json()["data"]}

    def buys(self, product, order):
        yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        items = [{"productId": str(product)}]
        data = {"userId": str(self.id), "orderId": order, "items": items, "purchaseTimestamp": yesterday}
        publish_event(self.platform, "com.platform.payment.purchase.completed.v1", data)
        wait_for(lambda: str(product) in self.products())

    def imports(self, product, name, hours_ago):
        start = datetime.now(UTC) - timedelta(hours=hours_ago)
        times = {"start_time": start.isoformat(), "end_time": (start + timedelta(minutes=30)).isoformat()}
        session = {"client_session_id": name, "product_id": str(product), **times}
        [result] = self.post("/playtime/sessions/import", sessions=[session])
        assert result["attributes"]["result"] == "accepted"

    def sets(self, product, **payload):
        body = {"data": {"attributes": {"settings_payload": payload}}}
        assert self.http.put(f"/settings/{product}", json=body).status_code in (200, 201)

    def saves(self, product, slot, content, **more):
        digest = sha256(content).hexdigest()
        asked = {"product_id": str(product), "save_slot_name": slot, "file_size_bytes": len(content), **more}
        upload = self.post("/savegames/upload-url", **asked, file_hash_sha256=digest, device_id="pc")["attributes"]
        sent = httpx.request(upload["method"], upload["upload_url"], headers=upload["headers"], content=content)
        assert sent.status_code == 200, sent.text
        return self.post("/savegames/confirm-upload", internal_save_id=upload["internal_save_id"])

    def content(self, save_id, version):
        found = self.http.get(f"/savegames/{save_id}/download-url", params={"version": version})
        return httpx.get(found.json()["data"]["attributes"]["download_url"]).content


def publish_event(platform, kind, data):
    asyncio.run(publish(platform.kafka.address, [CloudEvent(kind, data)]))


@pytest.fixture
def disaster(create_platform, s3):
    """A platform of this test's own: its database is going to be dropped."""
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.mark.long
def test_a_backup_brings_everything_back_and_the_store_what_came_later(
    disaster, postgres, staff, fetch, tmp_path, monkeypatch
):
    # Without the open restore, objects that the restored database does not know would be deleted at once.
    service = disaster.service(S3_DELETE_GRACE_DAYS="0")
    service.start()
    player, friend = Player(disaster, service), Player(disaster, service)
    game, later, wished, achievement = uuid4(), uuid4(), uuid4(), uuid4()
    catalog_product = {"productId": str(game), "newTitle": "Old game", "achievements": [{"id": str(achievement)}]}
    publish_event(disaster, "com.platform.catalog.product.updated.v1", catalog_product)
    player.buys(game, "order-1")
    player.post("/categories", name="Best")
    player.imports(game, "before", 5)
    wait_for(lambda: player.http.post(f"/achievements/{achievement}/unlock").status_code == 200)
    player.post("/wishlist/items", product_id=str(wished))
    player.sets(game, volume=1)
    player.post("/family/links", shared_with_user_id=str(friend.id))
    first = player.saves(game, "slot", b"level one")
    as_it_was, settings = player.has(), player.http.get(f"/settings/{game}").json()["data"]["attributes"]

    monkeypatch.setenv("POSTGRES_DSN", disaster.dsn)
    monkeypatch.setenv("LIBCTL_LOG", str(tmp_path / "libctl.log"))
    libctl = staff("admin")
    libctl.environment["LIBCTL_ENDPOINT"] = service.grpc
    backup = tmp_path / "backup"
    libctl.data("backup", "create", backup)
    assert libctl.data("backup", "verify", backup)["well"]

    # More changes, which the database is going to lose.
    player.buys(later, "order-2")
    player.imports(game, "after", 2)
    player.sets(game, volume=2)
    second = player.saves(game, "slot", b"level two")
    other = player.saves(game, "another", b"a new beginning")
    service.stop()
    name = disaster.dsn.rpartition("/")[2]
    fetch(postgres.dsn("postgres"), f'DROP DATABASE "{name}"')

    restored = libctl.data("backup", "restore", backup, "--apply", "--reason", "the disk burned")
    assert restored["applied"]
    assert restored["differences"] == []

    # As at the backup, in every domain, before any event comes again.
    quiet = disaster.service(LIBRARY_SERVICE_ROLES="api")
    quiet.start()
    player.at(quiet)
    assert player.has() == as_it_was
    now = player.http.get(f"/settings/{game}").json()["data"]["attributes"]
    assert now["settings_payload"] == settings["settings_payload"]
    assert now["revision"] > settings["revision"] + 1000
    quiet.stop()

    # Purchases since the backup are applied again, and earlier ones are not granted twice.
    service.start()
    player.at(service)
    wait_for(lambda: player.products() == {str(game), str(later)})
    grants = fetch(disaster.dsn, "SELECT source_id FROM library.ownership_grants WHERE user_id = $1", player.id)
    assert sorted(row["source_id"] for row in grants) == ["order-1", "order-2"]

    # The store is compared: it has the saves that the database has lost, and none was deleted.
    assert fetch(disaster.dsn, "SELECT 1 FROM gateway.restores WHERE reconciled_at IS NULL")
    dry = libctl.data("saves", "reconcile")
    assert {one["version"] for one in dry["adopted"]} == {1, 2}
    assert player.has()["/savegames"] == as_it_was["/savegames"]
    libctl.data("saves", "reconcile", "--apply", "--reason", "after the fire")
    assert not fetch(disaster.dsn, "SELECT 1 FROM gateway.restores WHERE reconciled_at IS NULL")
    heads = {save["attributes"]["slot_name"]: save for save in player.has()["/savegames"]}
    assert heads.keys() == {"slot", "another"}
    assert heads["slot"]["id"] == first["id"] == second["id"]
    assert player.content(first["id"], 1) == b"level one"
    assert player.content(first["id"], second["attributes"]["version"]) == b"level two"
    assert heads["slot"]["attributes"]["version"] == second["attributes"]["version"]
    assert heads["another"]["attributes"]["file_hash_sha256"] == other["attributes"]["file_hash_sha256"]
    assert player.content(heads["another"]["id"], 1) == b"a new beginning"

    # The player plays on, from the save that the device has of the lost time.
    third = player.saves(game, "slot", b"level three", base_version=second["attributes"]["version"])
    assert third["attributes"]["parent_version"] == second["attributes"]["version"]
    assert third["attributes"]["version"] > second["attributes"]["version"]
