"""The command line as a player types it, and as a launcher reads it."""

import base64
import json

import pytest
from gameshelf.savesync import cli
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.asking import Asking
from gameshelf.savesync.errors import ServiceAway
from gameshelf.savesync.installation import account_of, cache_home, device_file, state_home, system_of
from gameshelf.savesync.paths import System
from gameshelf.savesync.report import SyncIntent

PRODUCT = "9e107d9d-372b-4cb6-8a5b-6d1f6f3f6c11"


@pytest.fixture
def deck(commands_on):
    return commands_on("deck")


@pytest.fixture
def desktop(commands_on):
    return commands_on("desktop")


def test_a_player_synchronises_two_machines(deck, desktop):
    (deck.saves / "w1").mkdir()
    (deck.saves / "w1" / "level.sav").write_text("one")
    planned = deck("status")
    assert (planned.exit_code, planned.stdout) == (0, "main: to be uploaded, 1 file\n")
    sent = deck("sync", "--now")
    assert (sent.exit_code, sent.stdout) == (0, "main: uploaded, version 1, 1 file, 3 B sent\n")
    received = desktop("sync")
    assert received.stdout == "main: downloaded, version 1, 1 file, 3 B received\n"
    assert (desktop.saves / "w1" / "level.sav").read_text() == "one"
    assert deck("sync").stdout == "main: up to date, version 1, 1 file\n"


def diverge(deck, desktop):
    (deck.saves / "a.sav").write_text("one")
    assert deck("sync", "--now").exit_code == 0
    assert desktop("sync").exit_code == 0
    (deck.saves / "a.sav").write_text("deck")
    assert deck("sync", "--now").exit_code == 0
    (desktop.saves / "a.sav").write_text("desktop")


def test_a_conflict_is_shown_and_needs_a_decision(deck, desktop):
    diverge(deck, desktop)
    open_conflict = desktop("sync", "--now")
    assert open_conflict.exit_code == 3
    lines = open_conflict.stdout.splitlines()
    assert lines[0] == "main: conflict, version 2"
    assert lines[1].startswith("  here   version 3, ")
    assert lines[2].startswith("  cloud  version 2, ")
    assert lines[3] == "    saves/ (no unit): changed on both sides, 1 file"
    assert all(len(line) <= 80 for line in lines)
    decided = desktop("sync", "--now", "--on-conflict", "keep_cloud")
    assert (decided.exit_code, decided.stdout.splitlines()[0]) == (
        0,
        "main: conflict resolved (keep_cloud), version 4, 1 file, 4 B received",
    )
    assert (desktop.saves / "a.sav").read_text() == "deck"


def test_a_player_is_asked(deck, desktop, monkeypatch):
    diverge(deck, desktop)
    answers = iter(["what?", "m", "l"])
    asked = []

    def read(question):
        asked.append(question)
        return next(answers)

    monkeypatch.setattr(cli, "Asking", lambda out: Asking(out, read))
    decided = desktop("sync", "--now")
    assert decided.exit_code == 0
    assert (desktop.saves / "a.sav").read_text() == "desktop"
    assert asked[0] == asked[1] == "keep (l)ocal, (c)loud, (b)oth, (m)erge by unit, or nothing to decide later: "
    assert asked[2] == "  (l)ocal or (c)loud, or nothing to decide later: "
    assert "saves/ (no unit): changed on both sides" in decided.stderr


def test_a_launcher_reads_one_object(deck, desktop):
    diverge(deck, desktop)
    said = json.loads(desktop("sync", "--now", "--json").stdout)
    assert set(said) == {
        *("product", "device_id", "proceed", "slots", "others", "queued", "queued_since", "deferred", "uncovered"),
        *("retry_after_seconds", "rescued", "links", "skipped", "emptied", "auto_sync"),
    }
    [slot] = said["slots"]
    assert (slot["slot"], slot["action"], slot["version"], slot["files"]) == ("main", "conflict", 2, 0)
    assert slot["conflict"]["units"][0]["name"] == "saves/"
    assert slot["conflict"]["branch"]["version"] == 3


def test_history_and_restore(deck):
    for text in ("one", "two"):
        (deck.saves / "a.sav").write_text(text)
        deck("sync", "--now", "--comment", text)
    shown = deck("history")
    assert shown.stdout.splitlines()[0].split() == ["version", "saved", "from", "files", "size"]
    assert [line.split()[0] for line in shown.stdout.splitlines()[2:]] == ["2", "1"]
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    assert [one["version"] for one in json.loads(deck("history", "--json").stdout)] == [2, 1]
    restored = deck("restore", "--version", "1")
    assert restored.stdout == "main: restored, version 3, 1 file, 3 B received\n"
    assert (deck.saves / "a.sav").read_text() == "one"


def test_a_guard_names_the_option_that_answers_it(deck):
    for name in "abcd":
        (deck.saves / f"{name}.sav").write_text(name)
    deck("sync", "--now")
    for name in "abc":
        (deck.saves / f"{name}.sav").unlink()
    asked = deck("sync", "--now")
    assert asked.exit_code == 3
    assert "  if that is what you want: --confirm-removals 3\n" in asked.stdout
    assert deck("sync", "--now", "--confirm-removals", "3").exit_code == 0


def test_a_policy_and_folders_of_the_launcher(deck, tmp_path):
    folder = tmp_path / "anywhere"
    folder.mkdir()
    (folder / "x.dat").write_text("x")
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"roots": {}}))
    done = deck("sync", "--now", "--policy", str(policy), "--root", f"mine={folder}")
    assert (done.exit_code, done.stdout) == (0, "main: uploaded, version 1, 1 file, 1 B sent\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sync", "--root", "Saves=/tmp"), "NAME=FOLDER is needed"),
        (("sync", "--root", "saves"), "NAME=FOLDER is needed"),
        (("sync", "--policy", "/does/not/exist"), "/does/not/exist"),
        (("sync", "--confirm-removals", "0"), "--confirm-removals"),
        (("sync", "--on-conflict", "newest"), "--on-conflict"),
        (("restore",), "--version"),
        (("sync", "--product", "7"), "--product"),
        (("sync", "--api", "http://library.example/api"), "https:// is needed"),
        (("sync", "--api", "http://127.0.0.1.example/api"), "https:// is needed"),
        (("sync", "--api", "library.example"), "https:// is needed"),
        (("sync", "--api", "https://:x"), "--api"),
    ],
)
def test_wrong_usage_names_the_option(deck, arguments, message):
    refused = deck(*arguments)
    assert refused.exit_code == 2
    assert message in refused.stderr


@pytest.mark.parametrize("address", ["https://library.example/api", "http://localhost:8084/x", "http://[::1]:8084/x"])
def test_the_token_goes_to_encrypted_addresses_and_this_machine(deck, address):
    assert deck("status", "--api", address).exit_code == 0


def test_a_policy_that_is_refused_names_the_field(deck, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"roots": {"saves": {"where": [{"path": "<home>"}]}}}))
    refused = deck("sync", "--policy", str(policy))
    assert refused.exit_code == 2
    assert "place_too_wide" in refused.stderr


def test_without_a_token_it_is_wrong_usage(deck):
    refused = deck("sync", token="")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "LIBRARY_TOKEN is not set" in refused.stderr


def test_a_missing_folder_is_named(deck):
    (deck.saves / "a.sav").write_text("one")
    deck("sync", "--now")
    deck.saves.rename(deck.saves.with_name("unmounted"))
    failed = deck("sync", "--now")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr.splitlines() == [
        f"savesync: {deck.saves}: the folder does not exist",
        "  this machine had files of the save there: is the disk mounted?",
        "  an empty folder there gets the files of the cloud",
    ]
    error = json.loads(deck("sync", "--now", "--json").stderr)["error"]
    assert error["code"] == "RootUnreadable"
    assert error["message"].endswith("; an empty folder there gets the files of the cloud")


@pytest.fixture
def planned(cloud):
    """Changes the answer of the service to every plan."""

    def change(**values):
        original = cloud.advice

        def advice(*arguments):
            return {**original(*arguments), **values}

        cloud.advice = advice

    return change


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("auto_sync_off", "main: not synchronised, since that is switched off, version 1, 1 file"),
        ("policy_off", "main: not synchronised, since the policy of the game says so, version 1, 1 file"),
        ("backup", "main: the cloud's version is not taken, unless you ask for it, version 1, 1 file"),
        ("identical", "main: up to date, version 1, 1 file"),
    ],
)
def test_only_what_is_the_same_is_up_to_date(deck, planned, reason, line):
    (deck.saves / "a.sav").write_text("one")
    deck("sync", "--now")
    planned(action="none", reason=reason)
    assert deck("sync", "--now").stdout.splitlines() == [line]


def test_a_save_that_was_deleted_elsewhere_says_what_follows(deck, planned):
    (deck.saves / "a.sav").write_text("one")
    deck("sync", "--now")
    planned(action="deleted", reason="deleted_elsewhere")
    shown = deck("sync", "--now")
    assert shown.stdout.splitlines() == [
        "main: deleted elsewhere, version 1, 1 file",
        "  the files stay here; as soon as they change, they are a new save",
        "  to have the deleted one again: savesync sync --undelete",
    ]
    assert (deck.saves / "a.sav").read_text() == "one"


def test_a_player_without_any_save_is_not_up_to_date(deck, cloud):
    assert deck("sync").stdout == "main: no files here, and none in the cloud\n"


def test_a_save_of_a_newer_game_is_named(deck, planned, cloud):
    (deck.saves / "a.sav").write_text("one")
    deck("sync", "--now")
    planned(written_by_newer_version="1.5\x1b[2J")
    shown = deck("sync", "--now", "--game-version", "1.4").stdout
    assert shown.splitlines()[1] == "  a newer version of the game wrote the cloud's save: 1.5\\x1b[2J"
    assert cloud.plans[-1]["game_version_id"] == "1.4"
    said = json.loads(deck("status", "--json", "--game-version", "1.4").stdout)
    assert said["slots"][0]["written_by_newer_version"] == "1.5\x1b[2J"


def test_an_action_that_is_not_known_is_an_error(deck, planned):
    (deck.saves / "a.sav").write_text("one")
    deck("sync", "--now")
    planned(action="dance")
    failed = deck("sync", "--now")
    assert (failed.exit_code, "dance" in failed.stderr) == (1, True)
    assert failed.stderr.startswith("savesync: plan: ")


def test_a_path_in_a_pipe_is_in_one_piece(deck):
    long = "x" * 90
    (deck.saves / f"{long}.sav").symlink_to("/etc/passwd")
    assert f"{long}.sav" not in deck("sync").stdout
    assert f"a link is not followed: {deck.saves / long}.sav\n" in deck("sync", env={"COLUMNS": None}).stdout


def test_both_histories_have_a_heading(deck, cloud):
    root = {"where": [{"path": "<home>/game/engine"}], "scope": "os"}
    cloud.policy = {**cloud.policy, "roots": {**cloud.policy["roots"], "engine": root}}
    (deck.saves / "a.sav").write_text("one")
    folder = deck.saves.with_name("engine")
    folder.mkdir()
    (folder / "x").write_text("x")
    deck("sync", "--now")
    shown = deck("history").stdout.splitlines()
    assert [line for line in shown if line.endswith(":")] == ["main:", "main (linux):"]
    assert [one["slot_name"] for one in json.loads(deck("history", "--json").stdout)] == ["main", "main (linux)"]
    refused = deck("restore", "--version", "1", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stderr)["error"]["code"] == "VersionAmbiguous"
    (folder / "x").write_text("y")
    assert "main (linux): restored" in deck("restore", "--version", "1", "--slot", "main (linux)").stdout
    assert (folder / "x").read_text() == "x"


@pytest.mark.parametrize("token", ["two words", "new\nline", "имя"])
def test_a_token_with_other_characters_is_not_sent_and_not_shown(deck, service, token):
    refused = deck("sync", token=token)
    assert (refused.exit_code, token in refused.stderr, service.requests) == (2, False, [])
    assert deck("sync", token="token\n").exit_code == 0


def test_a_launcher_gets_the_values_of_a_refusal(deck, cloud, monkeypatch):
    meta = {"limit": "file", "path": "saves/a.sav", "size_bytes": 3, "max_bytes": 2}

    def refuse(_said):
        raise cloud.refusal(413, "SAVEGAME_FILE_TOO_LARGE", meta)

    monkeypatch.setattr(cloud, "check", refuse)
    (deck.saves / "a.sav").write_text("one")
    failed = deck("sync", "--now", "--json")
    message = "SAVEGAME_FILE_TOO_LARGE: saves/a.sav has 3 B, and 2 B are allowed"
    error = {"code": "SAVEGAME_FILE_TOO_LARGE", "message": message, "meta": meta}
    assert (failed.exit_code, json.loads(failed.stderr)) == (1, {"error": error})
    assert deck("sync", "--now").stderr == f"savesync: {message}\n"


def test_a_watch_prints_a_line_per_run(deck, monkeypatch):
    (deck.saves / "a.sav").write_text("one")

    class Once:
        """A watch that looks, runs once, and ends."""

        def __init__(self, look, run, *_):
            self.look, self.run = look, run

        async def watch(self):
            assert (await self.look()).games == ()
            assert (await self.run(SyncIntent.EXIT)).exit_code == 0
            deck.saves.rename(deck.saves.with_name("unmounted"))
            assert await self.run(SyncIntent.BACKGROUND) is None
            assert "does not exist" in (await self.look()).files

    monkeypatch.setattr(cli, "FolderWatcher", Once)
    done = deck("watch", "--json")
    assert done.exit_code == 0
    [line] = done.stdout.splitlines()
    assert json.loads(line)["slots"][0]["action"] == "upload"
    assert "RootUnreadable" in done.stderr


def test_a_watch_survives_errors_and_waits_for_the_network(deck, monkeypatch):
    (deck.saves / "a.sav").write_text("one")
    waited, policy = [], SaveApi.policy_document

    async def sleep(seconds):
        waited.append(seconds)

    async def away_at_first(api, product):
        if not waited:
            raise ServiceAway("no route to host")
        return await policy(api, product)

    class Twice:
        """A watch whose first look and run fail."""

        def __init__(self, look, run, *_):
            self.look, self.run = look, run

        async def watch(self):
            lock = next(deck.saves.parents[1].rglob("savesync")) / "default" / PRODUCT / "lock"
            lock.mkdir(parents=True)
            assert await self.run(SyncIntent.BACKGROUND) is None
            lock.rmdir()
            assert (await self.run(SyncIntent.BACKGROUND)).exit_code == 0

    monkeypatch.setattr(cli, "FolderWatcher", Twice)
    monkeypatch.setattr(cli.asyncio, "sleep", sleep)
    monkeypatch.setattr(SaveApi, "policy_document", away_at_first)
    done = deck("watch", "--json")
    assert done.exit_code == 0
    codes = [json.loads(line)["error"]["code"] for line in done.stderr.splitlines()]
    assert codes == ["ServiceAway", "IsADirectoryError"]
    assert waited == [30.0]


OTHERS = [
    {
        "device_id": "d",
        "device_name": "Deck",
        "state": "upload_pending",
        "since": "2026-05-20T19:30:02Z",
        "unsynced_playtime_seconds": 7800,
    }
]


def test_another_device_that_did_not_upload_is_named(deck, service):
    original = service.route

    def route(method, parts, said, query):
        status, answer = original(method, parts, said, query)
        if parts == ["plan"]:
            answer["data"]["attributes"] |= {"others": OTHERS, "proceed": "ask"}
        return status, answer

    service.route = route
    asked = deck("sync", "--now")
    assert asked.exit_code == 3
    lines = asked.stdout.splitlines()[1:]
    assert all(len(line) <= 80 for line in lines)
    assert "".join(lines).startswith("Deck has played and not uploaded since 2026-05-2")
    assert "".join(lines).endswith(": 2 h 10 min that were never uploaded")


def test_what_others_wrote_cannot_command_the_terminal(deck, desktop, cloud):
    name = "\x1b]0;owned\x07\u202e.sav"
    (deck.saves / name).write_text("one")
    (deck.saves / "a.sav").symlink_to("/etc/passwd")
    done = deck("sync", "--now")
    assert "\x1b" not in done.stdout + done.stderr
    assert "a link is not followed" in done.stdout


def token_of(**claims):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


@pytest.mark.parametrize(
    ("token", "account"),
    [
        (token_of(sub="8f14e45f-ceea-467f-9575-3f0b2a9d6c11", exp=1), "8f14e45f-ceea-467f-9575-3f0b2a9d6c11"),
        (token_of(sub="8f14e45f-ceea-467f-9575-3f0b2a9d6c11", exp=2), "8f14e45f-ceea-467f-9575-3f0b2a9d6c11"),
        (token_of(sub="../../etc"), "default"),
        (token_of(sub=7), "default"),
        (token_of(), "default"),
        ("opaque", "default"),
        ("a.%.c", "default"),
    ],
)
def test_the_state_of_an_account_stays_when_its_token_is_renewed(token, account):
    assert account_of(token) == account


@pytest.mark.parametrize(
    ("system", "variables", "state", "device"),
    [
        (System.LINUX, {}, "/h/.local/state/gameshelf/savesync", "/h/.config/gameshelf/device.json"),
        (System.LINUX, {"XDG_STATE_HOME": "relative"}, "/h/.local/state/gameshelf/savesync", None),
        (System.LINUX, {"XDG_STATE_HOME": "/s"}, "/s/gameshelf/savesync", "/h/.config/gameshelf/device.json"),
        (System.MACOS, {}, "/h/Library/Application Support/gameshelf/savesync", None),
        (System.WINDOWS, {"LOCALAPPDATA": "/l"}, "/l/gameshelf/savesync", "/l/gameshelf/device.json"),
    ],
)
def test_where_this_client_keeps_its_files(tmp_path, system, variables, state, device):
    home = tmp_path.__class__("/h")
    assert str(state_home(variables, home, system)) == state
    if device:
        assert str(device_file(variables, home, system)) == device
    assert cache_home(variables, home, system).name == "savesync"


def test_systems():
    assert [system_of(one) for one in ("win32", "darwin", "linux")] == [System.WINDOWS, System.MACOS, System.LINUX]
