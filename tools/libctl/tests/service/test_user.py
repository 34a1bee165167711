"""``libctl user``: a user at a glance, all that is stored of them, and their end."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import zipfile
from hashlib import sha256
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for

SETTINGS = {"quality": "высокое", "big": 2**63 - 1}

# Tests that run in the background have Ctrl-C ignored, and children inherit that.
LIBCTL = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from gameshelf.libctl.main import main; main()"
)


class Player:
    """Somebody who owns a game, and does things with it."""

    def __init__(self, platform, service):
        self.id, self.game = uuid4(), str(uuid4())
        self.platform = platform
        token = {"Authorization": f"Bearer {platform.token(self.id)}"}
        self.http = httpx.Client(base_url=service.api, headers=token, timeout=PATIENCE_SECONDS)

    def buys(self):
        data = {"userId": str(self.id), "orderId": f"o-{self.id}", "items": [{"productId": self.game}]}
        event = CloudEvent("com.platform.payment.purchase.completed.v1", data)
        asyncio.run(publish(self.platform.kafka.address, [event]))
        wait_for(lambda: self.http.get("/items").json()["data"])

    def post(self, path, attributes):
        answer = self.http.post(path, json={"data": {"attributes": attributes}})
        assert answer.status_code < 300, answer.text
        return answer.json()["data"]["attributes"]

    def saves(self, content, slot="a"):
        asked = {"product_id": self.game, "save_slot_name": slot, "file_size_bytes": len(content)}
        asked |= {"file_hash_sha256": sha256(content).hexdigest(), "device_id": "pc"}
        upload = self.post("/savegames/upload-url", asked)
        assert httpx.put(upload["upload_url"], content=content, headers=upload["headers"]).status_code == 200
        self.post("/savegames/confirm-upload", {"internal_save_id": upload["internal_save_id"]})

    def plays_a_bit_of_everything(self):
        self.buys()
        self.post("/categories", {"name": "Мои"})
        body = {"data": {"attributes": {"settings_payload": SETTINGS}}}
        put = self.http.put(f"/settings/{self.game}", json=body)
        assert put.status_code < 300, put.text
        self.post("/wishlist/items", {"product_id": str(uuid4())})
        self.saves(b"level 1")
        self.saves(b"level 2", "b")


@pytest.fixture(scope="module")
def player(platform, service):
    """A player that no test of this module changes."""
    made = Player(platform, service)
    made.plays_a_bit_of_everything()
    return made


def rows_of(archive, table):
    return [json.loads(line) for line in archive.read(f"{table}.jsonl").splitlines()]


def test_a_user_is_shown_at_a_glance_and_that_is_audited(support, player):
    found = support.data("user", "show", player.id)
    assert (found["games_owned"], found["wishlist_items"], found["games_with_settings"]) == (1, 1, 1)
    assert (found["saves"], found["saves_in_trash"], found["used_bytes"]) == (2, 0, 14)
    assert (found["limit_bytes"], found["erasure"], found["erased_at"]) == (1024**3, "", None)
    assert found["last_sequence"] > 0
    support.columns = 80
    shown = support.shows("user", "show", player.id)
    support.columns = 120
    assert "1 owned, 0 shared by others" in shown
    assert "14 B of 1.0 GiB" in shown
    entries = support.data("audit", "list", "--actor", support.id, "--kind", "read")["entries"]
    assert {(one["command"], one["actor_id"]) for one in entries} == {("user show", str(support.id))}


def test_of_an_unknown_user_there_is_nothing(support):
    assert support.data("user", "show", uuid4())["version"] == 0


def test_everything_is_exported_with_the_files(admin, player, tmp_path):
    target = tmp_path / "anna.zip"
    admin.data("user", "show", player.id)  # leaves a line in the audit
    exported = admin.data("user", "export", player.id, "--to", target)
    assert exported["missing_files"] == []
    assert not (tmp_path / "anna.zip.partial").exists()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert exported["sha256"] == sha256(target.read_bytes()).hexdigest()
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[-1] == "manifest.json"
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["tables"] == exported["tables"]
        for name, one in manifest["tables"].items():
            content = archive.read(f"{name}.jsonl")
            assert (len(content), content.count(b"\n")) == (one["bytes"], one["rows"])
            assert sha256(content).hexdigest() == one["sha256"]
        [settings] = rows_of(archive, "settings.game_specific_settings")
        assert settings["settings_payload"] == SETTINGS
        assert {row["name"] for row in rows_of(archive, "library.user_game_categories")} == {"Мои"}
        contents = rows_of(archive, "savegames.savegame_contents")
        assert {archive.read(f"files/{row['id']}") for row in contents} == {b"level 1", b"level 2"}
        audited = rows_of(archive, "gateway.audit")
        assert audited
        assert not any("actor_id" in row for row in audited)
    shown = admin.shows("user", "export", player.id, "--to", tmp_path / "again.zip")
    assert "library.user_library_items" in shown
    ran = admin.run("user", "export", player.id, "--to", target)
    assert ran.code == 2
    assert "already exists" in ran.err


def test_what_is_large_comes_in_parts_and_each_row_once(admin, platform, player, tmp_path, fetch):
    """More rows than a part has, and rows of which a part has but a few."""
    somebody = Player(platform, type("At", (), {"api": "http://nowhere"}))
    fetch(platform.dsn, "INSERT INTO gateway.user_streams (user_id) VALUES ($1)", somebody.id)
    fetch(
        platform.dsn,
        "INSERT INTO playtime.playtime_intervals SELECT $1, $2, now() + make_interval(hours => n), "
        "now() + make_interval(hours => n, mins => 5) FROM generate_series(1, 1234) n",
        somebody.id,
        uuid4(),
    )
    fetch(
        platform.dsn,
        "INSERT INTO settings.game_specific_settings SELECT $1, gen_random_uuid(), "
        "jsonb_build_object('x', repeat('я', 200000)), 1, now() FROM generate_series(1, 12) n",
        somebody.id,
    )
    exported = admin.data("user", "export", somebody.id, "--to", tmp_path / "large.zip")
    tables = {name: one["rows"] for name, one in exported["tables"].items() if name != "gateway.audit"}
    assert tables == {
        "gateway.user_streams": 1,
        "playtime.playtime_intervals": 1234,
        "settings.game_specific_settings": 12,
    }
    with zipfile.ZipFile(tmp_path / "large.zip") as archive:
        assert len({row["start_time"] for row in rows_of(archive, "playtime.playtime_intervals")}) == 1234


def test_a_family_is_exported_from_both_sides(admin, platform, tmp_path, fetch):
    owner, member, link = uuid4(), uuid4(), uuid4()
    rest = "'active', 'all', '{}', now(), now(), now(), now()"
    columns = "status, mode, product_ids, shared_at, active_since, created_at, updated_at"
    fetch(
        platform.dsn,
        f"INSERT INTO library.family_sharing_links (owner_user_id, id, shared_with_user_id, invited_at, {columns}) "
        f"VALUES ($1, $2, $3, '{{}}', {rest})",
        owner,
        link,
        member,
    )
    fetch(
        platform.dsn,
        f"INSERT INTO library.family_memberships (owner_user_id, id, user_id, {columns}) VALUES ($1, $2, $3, {rest})",
        owner,
        link,
        member,
    )
    fetch(
        platform.dsn,
        "INSERT INTO library.family_seats VALUES ($1, gen_random_uuid(), 1, $2, gen_random_uuid(), now())",
        owner,
        member,
    )
    family = {"library.family_memberships", "library.family_seats", "library.family_sharing_links"}
    for one in (owner, member):
        exported = admin.data("user", "export", one, "--to", tmp_path / f"{one}.zip")
        assert {name: exported["tables"][name]["rows"] for name in family} == dict.fromkeys(family, 1)
    shown = admin.data("user", "show", owner), admin.data("user", "show", member)
    assert [(one["family_members"], one["family_owners"]) for one in shown] == [(1, 0), (0, 1)]


@pytest.mark.long
def test_an_interrupted_export_resumes_with_the_same_command(create_platform, own_s3, tmp_path, fetch):
    """The store freezes, is away, and comes back. No row is in the export twice."""
    platform = create_platform(s3=own_s3)
    try:
        service = platform.service()
        service.start()
        somebody = Player(platform, service)
        somebody.plays_a_bit_of_everything()
        fetch(  # so many that a part ends among them, before the saves
            platform.dsn,
            "INSERT INTO playtime.playtime_syncs SELECT $1, n::text, now() FROM generate_series(1, 700) n",
            somebody.id,
        )
        target = tmp_path / "interrupted.zip"
        words = ["user", "export", str(somebody.id), "--to", str(target)]
        environment = {**os.environ, "LIBCTL_ENDPOINT": service.grpc, "LIBCTL_PROFILES": "/nowhere/profiles.toml"}
        environment["LIBCTL_TOKEN"] = platform.token(uuid4(), "admin")
        command = [sys.executable, "-c", LIBCTL, *words]
        state = tmp_path / "interrupted.zip.partial" / "state.json"

        def run():
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

        own_s3.freeze()
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        wait_for(state.exists)
        busy = run()
        assert busy.returncode == 4, busy.stderr
        assert "another process writes" in busy.stderr
        process.send_signal(signal.SIGINT)
        _, printed = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 130, printed
        assert "the same command to resume" in printed
        own_s3.thaw()
        own_s3.stop()
        rows = state.parent / "playtime.playtime_syncs.jsonl"
        rows.write_bytes(rows.read_bytes() + b'{"half": ')  # what a crash may leave
        away = run()
        assert away.returncode == 5, away.stderr
        assert "object store" in away.stderr
        assert not target.exists()
        own_s3.start()
        done = run()
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(target) as archive:
            devices = [row["device_id"] for row in rows_of(archive, "playtime.playtime_syncs")]
            assert len(devices) == len(set(devices)) == 700
            files = [name for name in archive.namelist() if name.startswith("files/")]
            assert {archive.read(name) for name in files} == {b"level 1", b"level 2"}
    finally:
        platform.close()


def test_a_file_that_the_store_has_lost_is_named(admin, platform, service, tmp_path, fetch):
    somebody = Player(platform, service)
    somebody.buys()
    somebody.saves(b"lost")
    [row] = fetch(platform.dsn, "SELECT id FROM savegames.savegame_contents WHERE user_id = $1", somebody.id)
    fetch(
        platform.dsn,
        "UPDATE savegames.savegame_contents SET s3_object_key = s3_object_key || 'x' WHERE user_id = $1",
        somebody.id,
    )
    ran = admin.run("--json", "user", "export", somebody.id, "--to", tmp_path / "lost.zip")
    assert ran.code == 0, ran.err
    assert ran.data["missing_files"] == [str(row["id"])]
    assert "lost 1 files" in ran.err


@pytest.mark.parametrize("cursor", ["x", "AAAA", "WyJhIiwiYiIsbnVsbCwwLDBd", "я"])
def test_an_invalid_cursor_is_refused(admin, player, tmp_path, cursor):
    target = tmp_path / "a.zip"
    (tmp_path / "a.zip.partial" / "files").mkdir(parents=True)
    state = {"user_id": str(player.id), "begun_at": "", "cursor": cursor, "is_whole": False, "tables": {}}
    (tmp_path / "a.zip.partial" / "state.json").write_text(json.dumps({**state, "missing_files": []}))
    ran = admin.run("user", "export", player.id, "--to", target)
    assert ran.code == 2
    assert "cursor" in ran.err
    ran = admin.run("user", "export", uuid4(), "--to", target)
    assert (ran.code, "is of user" in ran.err) == (4, True)


def test_an_account_is_erased_and_nothing_leads_back(admin, support, platform, service, wait_for_erasure, tmp_path):
    somebody = Player(platform, service)
    somebody.plays_a_bit_of_everything()
    support.applies("quota", "set", somebody.id, "2GiB", reason="a secret story")
    dry = admin.run("user", "erase", somebody.id)
    assert dry.code == 0
    assert f"--confirm {somebody.id}" in dry.err
    assert "games_owned" in dry.out
    assert somebody.http.get("/items").status_code == 200
    words = ("user", "erase", somebody.id, "--apply", "--reason", "asked for it")
    assert admin.refused(*words)[0] == 2
    assert admin.refused(*words, "--confirm", uuid4())[0] == 2
    assert somebody.http.get("/items").status_code == 200
    done = admin.data(*words, "--confirm", somebody.id)
    assert done["before"]["erased"] is False
    assert (done["before"]["games_owned"], done["before"]["saves"]) == (1, 2)
    assert (done["after"], done["can_undo"]) == ({"erased": True}, False)
    assert somebody.http.get("/items").status_code == 401
    seen = support.data("user", "show", somebody.id)
    assert seen["erasure"] in ("running", "done")
    assert seen["erased_at"]
    assert seen["games_owned"] == 0
    assert "erased" in support.shows("user", "show", somebody.id)
    repeated = admin.run(*words, "--confirm", somebody.id, "--revision", done["revision"])
    assert (repeated.code, "this account was erased" in repeated.err) == (3, True)
    assert admin.refused(*words, "--confirm", somebody.id) == (3, "NOT_FOUND")
    assert admin.refused("user", "export", somebody.id, "--to", tmp_path / "late.zip") == (3, "NOT_FOUND")
    assert admin.refused("audit", "undo", done["audit_id"]) == (4, "PRECONDITION_FAILED")

    wait_for_erasure(somebody.id)
    assert support.data("user", "show", somebody.id)["erasure"] == "done"
    assert "no data is left" in support.shows("user", "show", somebody.id)
    entries = support.data("audit", "list", "--user", somebody.id)["entries"]
    assert {"quota set", "user erase", "user show", "user export"} <= {entry["command"] for entry in entries}
    for entry in entries:
        assert (entry["user_id"], entry["reason"]) == ("", "")
        assert not entry["target"]
        assert not entry["before"]
        assert not entry["after"]


@pytest.fixture
def wait_for_erasure(platform, fetch):
    """Waits until the job has erased everything, and the tombstone, which other instances have had the time to see."""

    def wait(user_id):
        def is_empty():
            fetch(
                platform.dsn,
                "UPDATE gateway.user_streams SET erased_at = now() - interval '1 h' WHERE user_id = $1",
                user_id,
            )
            return not fetch(platform.dsn, "SELECT FROM gateway.user_streams WHERE user_id = $1", user_id)

        wait_for(is_empty)

    return wait


def test_only_admins_export_and_erase(support, staff, player, tmp_path):
    for somebody in (support, staff("user")):
        assert somebody.refused("user", "erase", player.id) == (1, "PERMISSION_DENIED")
        assert somebody.refused("user", "export", player.id, "--to", tmp_path / "no.zip") == (1, "PERMISSION_DENIED")
    assert staff("user").refused("user", "show", player.id) == (1, "PERMISSION_DENIED")
