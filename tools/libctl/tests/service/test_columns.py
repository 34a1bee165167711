"""The columns of all tables about a player: each has its heading, and below it the value that the service has.

``test_pure_columns.py`` demands that a new column is named here, or beside a test of the same kind.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import wait_for

from ..shown_tables import WIDE, headings_of, tables_of

DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=20)
TITLE, WISHED, HUNDRED = "Far Horizon", "Paper Fleet", "A hundred wins"


def minute(time):
    """A time of JSON as tables have it."""
    return time[:16].replace("T", " ")


class Owned:
    """A player with something of all that there is."""

    def __init__(self, saver, platform):
        self.saver, self.platform = saver, platform
        self.id, self.http = saver.id, saver.http
        self.game, self.wished, self.achievement = uuid4(), uuid4(), uuid4()

    def says(self, what, **data):
        asyncio.run(publish(self.platform.kafka.address, [CloudEvent(f"com.platform.{what}.v1", data)]))

    def does(self, method, path, **attributes):
        answer = self.http.request(method, path, json={"data": {"attributes": attributes}})
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def fills(self):
        defined = [{"id": str(self.achievement), "apiName": "HUNDRED", "name": {"en": HUNDRED}, "targetProgress": 100}]
        game = {"productId": str(self.game), "newTitle": TITLE, "achievements": defined}
        self.says("catalog.product.updated", **game)
        self.says("catalog.product.updated", productId=str(self.saver.product), newTitle=TITLE)
        self.says("catalog.product.updated", productId=str(self.wished), newTitle=WISHED)
        self.says("catalog.price.updated", productId=str(self.wished), priceMinor=50000, currency="RUB")
        items = [{"productId": str(self.game), "productType": "game", "quantity": 1}]
        bought = (DAY - timedelta(days=20)).isoformat()
        order = {"userId": str(self.id), "orderId": f"old-{self.id}", "items": items, "purchaseTimestamp": bought}
        self.says("payment.purchase.completed", **order)
        wait_for(lambda: len(self.http.get("/items").json()["data"]) == 2)
        wait_for(lambda: self.http.get(f"/achievements/status/{self.game}").json()["data"])
        self.does("POST", f"/achievements/by-name/{self.game}/HUNDRED/progress", current_progress=50)
        self.does("POST", "/playtime/sessions/import", sessions=[self._session("one", 0), self._session("two", 4)])
        self.does("POST", "/wishlist/items", product_id=str(self.wished), min_discount_percent=50)
        for volume in (1, 2):
            self.does("PUT", f"/settings/{self.game}", settings_payload={"volume": volume})
        return self

    def _session(self, name, hour):
        start = DAY + timedelta(hours=hour)
        return {
            "client_session_id": name,
            "product_id": str(self.game),
            "start_time": start.isoformat(),
            "end_time": (start + timedelta(hours=20)).isoformat(),
            "device_id": "deck",
        }


@pytest.fixture(scope="module")
def player(new_saver, platform):
    return Owned(new_saver(), platform).fills()


@pytest.fixture
def wide(support):
    support.columns = WIDE
    return support


def test_playtime(wide, player):
    data = wide.data("playtime", "show", player.id, "--product", player.game, "--imports")
    imported, last = minute(data["imports"][0]["recorded_at"]), data["products"][0]["last_played_at"][:10]
    shown = tables_of(wide.shows("playtime", "show", player.id, "--product", player.game, "--imports"))
    total = [TITLE, "24h 00m 00s", "█" * 14, last, "2", str(player.game)]
    assert shown[0] == (["product", "total", "last (UTC)", "sessions", "product id"], [total])
    days = f"{DAY:%Y-%m-%d} to {DAY + timedelta(days=1):%Y-%m-%d}"
    assert shown[1] == (
        ["imported (UTC)", "device", "sessions", "days", "played", "counted"],
        [[imported, "deck", "2", days, "40h 00m 00s", "24h 00m 00s"]],
    )
    second, first = ([f"{DAY:%Y-%m-%d} {hour}", "20h 00m 00s", "deck"] for hour in ("04:00", "00:00"))
    ends = [f"imported {imported}, two"], [f"imported {imported}, one"]
    assert shown[2] == (["start (UTC)", "played", "device", "how it ended"], [second + ends[0], first + ends[1]])
    of_all = tables_of(wide.shows("playtime", "show", player.id))[1]
    second.insert(2, TITLE)
    assert of_all[0] == ["start (UTC)", "played", "product", "device", "how it ended"]
    assert of_all[1][0] == second + ends[0]


def test_what_cannot_be(wide, player):
    [one] = wide.data("playtime", "anomalies", "--user", player.id)["anomalies"]
    row = [minute(one["found_at"]), "long_day", f"{DAY:%Y-%m-%d}", "40h 00m 00s"]
    [shown] = tables_of(wide.shows("playtime", "anomalies", "--user", player.id))
    assert shown == (["found (UTC)", "what", "which", "played"], [row])
    [(headings, rows)] = tables_of(wide.shows("playtime", "anomalies"))
    assert headings == ["found (UTC)", "user", "what", "which", "played"]
    assert [row[0], str(player.id), *row[1:]] in rows


def test_a_correction_its_difference_and_its_entry(wide, new_saver):
    other = new_saver()
    words = ("playtime", "correct", other.id, other.product, "--add", "1h")
    [shown] = tables_of(wide.shows(*words))
    assert shown == (["what", "before", "after"], [["corrected_seconds", "0", "3600"]])
    done = wide.applies(*words, reason="it was lost in the outage")
    corrected = wide.data("playtime", "show", other.id)["corrections"][0]
    products, corrections = tables_of(wide.shows("playtime", "show", other.id))
    assert products[0] == ["product", "total", "corrected", "last (UTC)", "sessions"]
    assert products[1][0][1:3] == ["1h 00m 00s", "+1h 00m 00s"]
    assert corrections[0] == ["corrected (UTC)", "by", "product", "why"]
    time = minute(corrected["created_at"])
    assert corrections[1] == [[time, "+1h 00m 00s", str(other.product), "it was lost in the outage"]]
    [entry] = tables_of(wide.shows("audit", "list", "--user", other.id))
    assert entry[0] == ["id", "what, when (UTC)", "kind", "user, why"]
    assert entry[1][0] == [str(done["audit_id"]), "playtime correct", "change", str(other.id)]
    assert entry[1][1] == [time, "it was lost in the outage"]


def test_achievements(wide, player):
    [one] = wide.data("achievements", "show", player.id, player.game)["achievements"]
    share = one["status"]["rarity_percentage"]
    owners = [] if share is None else [f"{share:.1f}%"]
    [shown] = tables_of(wide.shows("achievements", "show", player.id, player.game))
    row = [HUNDRED, "-", "50 of 100", "██████░░░░░░", *owners, str(player.achievement)]
    assert shown == (["achievement", "unlocked (UTC)", "progress", "owners", "id"], [row])


def test_saves_conflicts_and_uploads(wide, new_saver):
    saver = new_saver()
    save, conflict = saver.diverges(comment="после босса", playtime_seconds=7260)
    [one] = wide.data("saves", "list", saver.id)["saves"]
    head, time = one["head"], minute(one["head"]["server_uploaded_at"])
    [shown] = tables_of(wide.shows("saves", "list", saver.id))
    assert shown[0] == ["save", "slot, product", "uploaded"]
    assert shown[1][0] == [save, "slot", time]
    tree, contents = tables_of(wide.shows("saves", "versions", saver.id, save, "--content"))
    assert tree[0] == ["tree", "version", "status", "size", "uploaded", "device", "played", "comment"]
    assert tree[1][0][1:4] == ["v3", "branch", "10 B"]
    assert tree[1][0][5:] == ["deck", "2h 01m", "после босса"]
    assert contents[0] == ["version", "identity of the content"]
    assert ["v2", head["file_hash_sha256"]] in contents[1]
    [files] = tables_of(wide.shows("saves", "files", saver.id, save))
    assert files[0] == ["path", "size", "changed", "SHA-256"]
    assert (files[1][0][0], files[1][0][-1]) == ("slot", head["file_hash_sha256"][:12])
    own, everybody = (
        tables_of(wide.shows("conflicts", "list", *words))[0] for words in (("--user", saver.id), ("--limit", "100"))
    )
    opened = minute(wide.data("conflicts", "list", "--user", saver.id)["conflicts"][0]["conflict"]["opened_at"])
    assert own[0] == ["conflict", "slot, product", "open since"]
    assert own[1][0] == [conflict, "slot", opened]
    assert everybody[0] == ["conflict, and whose", "slot, product", "open since"]
    assert [conflict, "slot", opened] in everybody[1]
    sides, of_sides = tables_of(wide.shows("conflicts", "show", saver.id, conflict))
    assert sides[0] == ["cloud (the head)", "local (the branch)"]
    assert ["≠", "device", "pc", "deck"] in sides[1]
    assert of_sides == tree
    size = {"file_size_bytes": 5, "file_hash_sha256": "0" * 64, "device_id": "pc"}
    saver.post("/savegames/upload-url", product_id=str(saver.product), save_slot_name="other", **size)
    [open_one] = wide.data("uploads", "list", saver.id)["uploads"]
    [uploads] = tables_of(wide.shows("uploads", "list", saver.id))
    of = open_one["upload"]
    assert uploads[0] == ["upload", "slot, product", "asked, until"]
    assert uploads[1][0] == [of["upload_id"], "other", minute(of["created_at"])]
    assert uploads[1][1][0] == "5 B to be sent"
    assert uploads[1][1][-1] == minute(of["expires_at"])


def test_the_storage_and_the_trash(wide, new_saver):
    saver = new_saver()
    save = saver.saves(b"x" * 1024)
    [shown] = tables_of(wide.shows("quota", "show", saver.id))
    assert shown[0] == ["product", "used", "of the limit"]
    assert shown[1] == [[str(saver.product), "1.0 KiB", "░" * 24, "0%"]]
    [top] = tables_of(wide.shows("quota", "top"))
    assert top[0] == ["user", "used", "limit", "of the limit"]
    assert [str(saver.id), "1.0 KiB", "1.0 GiB", "░" * 8, "0%"] in top[1]
    [sums] = tables_of(wide.shows("quota", "recalculate", saver.id))
    assert sums[0] == ["objects", "bytes"]
    assert sums[1][0] == ["counted", "1", "1.0 KiB", "as in quota show"]
    assert saver.http.delete(f"/savegames/{save}").status_code == 204
    [one] = wide.data("saves", "list", saver.id, "--trash")["saves"]
    [trash] = tables_of(wide.shows("saves", "list", saver.id, "--trash"))
    assert trash[0] == ["save", "slot, product", "deleted"]
    assert trash[1][0] == [save, "slot", minute(one["deleted_at"])]


def test_settings(wide, player):
    [game] = wide.data("settings", "list", player.id)["games"]
    changed = minute(game["settings"]["last_updated_at"])
    [games] = tables_of(wide.shows("settings", "list", player.id))
    assert games[0] == ["product", "layers", "changed (UTC)", "last read (UTC)"]
    assert games[1][0][:3] == [TITLE, "account", changed]
    data = wide.data("settings", "history", player.id, player.game)
    [kept] = data["kept"]
    layers, history = tables_of(wide.shows("settings", "history", player.id, player.game))
    assert layers[0] == ["layer now", "revision", "changed (UTC)", "used (UTC)"]
    assert layers[1][0][:3] == ["account", "2", changed]
    assert history == (
        ["revision", "layer", "written (UTC)", "ended (UTC)", "by", "size"],
        [["1", "account", minute(kept["written_at"]), minute(kept["ended_at"]), "replaced", f"{kept['size_bytes']} B"]],
    )


def test_wishes_and_the_timeline(wide, player):
    [wish] = wide.data("wishlist", "show", player.id)["items"]
    [shown] = tables_of(wide.shows("wishlist", "show", player.id))
    assert shown[0] == ["product", "notify of", "price now"]
    assert shown[1][0] == [WISHED, "50% off or more", "500.00 RUB"]
    assert shown[1][1:] == [[str(player.wished)], [f"added {wish['added_at'][:10]}"]]
    [timeline] = tables_of(wide.shows("user", "timeline", player.id, "--kind", "wish_added"))
    assert timeline == (
        ["time (UTC)", "what happened", "product"],
        [[minute(wish["added_at"]), "put it on the wishlist", WISHED]],
    )


def test_an_export(admin, player, tmp_path):
    admin.columns = WIDE
    [shown] = tables_of(admin.shows("user", "export", player.id, "--to", tmp_path / "made.zip"))
    assert shown[0] == ["table", "rows", "size"]
    assert [row[:2] for row in shown[1] if row[0] == "wishlist.wishlist_items"] == [["wishlist.wishlist_items", "1"]]


def test_headings_of_what_is_narrow(support, player):
    support.columns = 80
    assert headings_of(support.shows("achievements", "show", player.id, player.game)) == [
        ["achievement", "unlocked (UTC)", "progress"]
    ]
    assert headings_of(support.shows("playtime", "show", player.id))[0] == ["product", "total"]
