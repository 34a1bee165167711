"""The example of cloud saves synchronises machines by a running service, with faults on the way to the store."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

EXAMPLE = Path(__file__).parents[1] / "examples" / "save_sync.py"


class Passage(ThreadingHTTPServer):
    """A proxy before the object store that damages the next requests of a kind: ``PUT`` and ``GET`` of clients, and
    the service's ``copy``.
    """

    daemon_threads = True

    def __init__(self, store):
        super().__init__(("127.0.0.1", 0), Relay)
        self.store = store
        self.faults = {"PUT": [], "GET": [], "copy": []}
        self.stalled, self.resume = threading.Event(), threading.Event()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_port}"


class Relay(BaseHTTPRequestHandler):
    def relay(self):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        faults = self.server.faults.get(self.kind(), [])
        fault = faults.pop(0) if faults else None
        if fault == "busy":
            self.send_response(503)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if fault == "damage":
            content = bytes(reversed(content))
        status, headers, content = self.asked(content)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if fault == "cut":
            content = content[: len(content) // 2]
        if fault == "stall":
            self.wfile.write(content[:1])
            self.wfile.flush()
            content = content[1:]
            self.server.stalled.set()
            assert self.server.resume.wait(PATIENCE_SECONDS)
        return self.wfile.write(content)

    def kind(self):
        if "x-amz-copy-source" in self.headers:
            return "copy"
        return self.command if "X-Amz-Signature" in self.path else None

    def asked(self, content):
        connection = HTTPConnection(self.server.store, timeout=PATIENCE_SECONDS)
        try:
            connection.request(self.command, self.path, content or None, dict(self.headers))
            answer = connection.getresponse()
            own = ("connection", "transfer-encoding", "server", "date")
            return answer.status, [pair for pair in answer.getheaders() if pair[0].lower() not in own], answer.read()
        finally:
            connection.close()

    do_PUT = do_GET = do_HEAD = do_DELETE = do_POST = relay

    def log_message(self, *arguments):
        pass


class Machine:
    """A folder with a save, in which the example runs."""

    def __init__(self, folder, service, token, product):
        folder.mkdir()
        self.folder, self.file = folder, folder / "save"
        self.service, self.token, self.product = service, token, product
        self.device = ("--device", folder.name)

    def start(self, *options):
        return subprocess.Popen(
            [sys.executable, EXAMPLE, self.token, str(self.product), self.file, *self.device, *options],
            env={**os.environ, "LIBRARY_API": self.service.api},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sync(self, *options, said=""):
        """Returns the last line of its output; it must have succeeded."""
        running = self.start(*options)
        out, complaint = running.communicate(said, timeout=PATIENCE_SECONDS)
        assert running.returncode == 0, complaint
        return out.splitlines()[-1]

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture(scope="module")
def platform(create_platform, s3):
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def passage(s3):
    server = Passage(s3.address)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def service(platform, passage):
    made = platform.service(S3_ENDPOINT=passage.endpoint)
    made.start()
    return made


@pytest.fixture
async def player(platform, service):
    """A token and a game that its player owns."""
    user, product = uuid4(), uuid4()
    data = {"userId": str(user), "orderId": "order", "items": [{"productId": str(product)}]}
    await publish(platform.kafka.address, [CloudEvent("com.platform.payment.purchase.completed.v1", data)])
    token = platform.token(user)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not asked(service, token, "items")["data"]:
        assert time.monotonic() < deadline
    return token, product


@pytest.fixture
def machine(service, player, tmp_path):
    return lambda name: Machine(tmp_path / name, service, *player)


def asked(service, token, path):
    request = urllib.request.Request(f"{service.api}/{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


@contextmanager
def stalled(passage):
    """The next download waits in its middle until the block has ended."""
    passage.stalled.clear()
    passage.resume.clear()
    passage.faults["GET"].append("stall")
    try:
        yield
    finally:
        passage.resume.set()


@pytest.fixture
def apart(machine):
    """Two machines that played on from the same save; the first one has uploaded its own."""
    pc, deck = machine("pc"), machine("deck")
    pc.file.write_bytes(b"start")
    pc.sync()
    deck.sync()
    pc.file.write_bytes(b"pc resumed")
    pc.sync()
    deck.file.write_bytes(b"deck resumed")
    return pc, deck


def test_a_changed_save_goes_from_one_machine_to_another(machine):
    pc, deck = machine("pc"), machine("deck")
    assert pc.sync() == "nothing has changed"
    pc.file.write_bytes(b"one")
    assert pc.sync() == "uploaded: head, version 1"
    assert (deck.sync(), deck.file.read_bytes()) == ("downloaded: version 1", b"one")
    for one in (pc, deck):
        before = one.file.stat().st_mtime_ns, one.file.stat().st_ino
        assert one.sync() == "nothing has changed"
        assert (one.file.stat().st_mtime_ns, one.file.stat().st_ino) == before
        assert one.files() == ["save", "save.sync"]
    deck.file.write_bytes(b"")
    assert deck.sync("--playtime", "90") == "uploaded: head, version 2"
    assert (pc.sync(), pc.file.read_bytes()) == ("downloaded: version 2", b"")
    deck.file.unlink()
    assert (deck.sync(), deck.file.read_bytes()) == ("downloaded: version 2", b"")


@pytest.mark.long
def test_a_machine_without_notes_does_not_ask_about_what_the_cloud_knows(machine):
    pc, deck = machine("pc"), machine("deck")
    pc.file.write_bytes(b"one")
    pc.sync()
    deck.file.write_bytes(b"one")
    assert deck.sync() == "uploaded: identical, version 1"  # and number 2 is gone
    pc.file.write_bytes(b"two")
    pc.sync()
    (deck.folder / "save.sync").unlink()
    assert (deck.sync(), deck.file.read_bytes()) == ("downloaded: version 3", b"two")


@pytest.mark.long
def test_copies_on_machines_with_one_name_are_separate_devices(service, player, machine):
    copies = [machine("one"), machine("other")]
    for number, copy in enumerate(copies):
        copy.device = ()
        copy.file.write_bytes(b"%d" % number)
        copy.sync(said="\n")  # conflicts with the other one's version, and stays undecided
    ids = [json.loads((copy.folder / "save.sync").read_text())["device_id"] for copy in copies]
    assert len(set(ids)) == 2
    [conflict] = asked(service, player[0], "savegames/conflicts")["data"]
    sides = [conflict["attributes"][side]["attributes"]["device_id"] for side in ("head", "branch")]
    assert sides == ids
    copies[0].file.write_bytes(b"resumed")
    copies[0].sync()
    assert json.loads((copies[0].folder / "save.sync").read_text())["device_id"] == ids[0]


@pytest.mark.long
@pytest.mark.parametrize(
    ("choice", "printed", "kept"),
    [
        ("keep_local", "resolved: keep_local; version 4", b"deck resumed"),
        ("keep_cloud", "resolved: keep_cloud; downloaded: version 4", b"pc resumed"),
        ("keep_both", "resolved: keep_both; downloaded: version 2", b"pc resumed"),
    ],
)
def test_a_conflict_is_resolved_as_the_player_says(machine, apart, choice, printed, kept):
    pc, deck = apart
    assert deck.sync("--on-conflict", choice) == printed
    pc.sync()
    assert [one.file.read_bytes() for one in apart] == [kept, kept]
    assert [one.sync() for one in apart] == ["nothing has changed"] * 2
    if choice == "keep_both":
        third = machine("third")
        third.sync("--slot", "save (conflict v3)")
        assert third.file.read_bytes() == b"deck resumed"


@pytest.mark.long
def test_a_player_sees_both_sides_and_may_decide_later(service, player, apart):
    _, deck = apart
    running = deck.start("--playtime", "3720")
    out, _ = running.communicate("\n", timeout=PATIENCE_SECONDS)
    here, there, last = out.splitlines()
    assert here.startswith("this machine's save: deck, 20")
    assert here.endswith(", 12 bytes, played: 1 h 2 min")
    assert there.startswith("the cloud's save: pc, 20")
    assert there.endswith(", 10 bytes, played: unknown")
    assert last.endswith("undecided: the cloud keeps both")
    assert deck.sync(said="\n").endswith("undecided: the cloud keeps both")
    deck.file.write_bytes(b"deck resumed, undecided")
    assert deck.sync(said="\n").endswith("undecided: the cloud keeps both")
    assert len(asked(service, player[0], "savegames/conflicts")["data"]) == 1
    assert deck.sync(said="keep_local\n").endswith("resolved: keep_local; version 5")
    assert deck.file.read_bytes() == b"deck resumed, undecided"


@pytest.mark.long
def test_a_player_who_thinks_while_the_cloud_changes_is_asked_again(apart):
    pc, deck = apart
    thinking = deck.start()
    thinking.stdout.readline()
    assert thinking.stdout.readline().endswith("10 bytes, played: unknown\n")
    pc.file.write_bytes(b"pc went even further")
    pc.sync()
    out, complaint = thinking.communicate("keep_cloud\nkeep_cloud\n", timeout=PATIENCE_SECONDS)
    assert "20 bytes" in out, complaint
    assert deck.file.read_bytes() == b"pc went even further"


@pytest.mark.long
def test_who_is_away_is_waited_for_and_what_was_damaged_is_sent_again(passage, machine):
    pc, deck = machine("pc"), machine("deck")
    pc.file.write_bytes(b"abc")
    passage.faults["PUT"] += ["busy", "damage"]
    assert pc.sync() == "uploaded: head, version 2"  # number 1 was given to the damaged upload
    pc.file.write_bytes(b"abcd")
    passage.faults["copy"] += ["busy", "busy"]  # the service asks the store twice, and then answers 503
    assert pc.sync() == "uploaded: head, version 3"
    passage.faults["GET"] += ["busy"]
    assert (deck.sync(), deck.file.read_bytes()) == ("downloaded: version 3", b"abcd")
    assert not any(passage.faults.values())


@pytest.mark.long
def test_an_interrupted_download_leaves_the_old_file(passage, machine):
    pc, deck = machine("pc"), machine("deck")
    pc.file.write_bytes(b"old")
    pc.sync()
    deck.sync()
    pc.file.write_bytes(b"new" * 100_000)
    pc.sync()
    passage.faults["GET"] += ["cut"]
    cut = deck.start()
    _, complaint = cut.communicate(timeout=PATIENCE_SECONDS)
    assert (cut.returncode, complaint.endswith("the file is as it was\n")) == (1, True)
    assert (deck.file.read_bytes(), deck.files()) == (b"old", ["save", "save.sync"])
    with stalled(passage):
        killed = deck.start()
        assert passage.stalled.wait(PATIENCE_SECONDS)
        killed.kill()
        killed.communicate()
    assert deck.file.read_bytes() == b"old"
    assert (deck.sync(), deck.file.read_bytes()) == ("downloaded: version 2", b"new" * 100_000)


@pytest.mark.long
def test_a_file_that_changes_during_a_download_is_not_overwritten(passage, machine):
    pc, deck = machine("pc"), machine("deck")
    pc.file.write_bytes(b"old")
    pc.sync()
    deck.sync()
    pc.file.write_bytes(b"new")
    pc.sync()
    with stalled(passage):
        running = deck.start()
        assert passage.stalled.wait(PATIENCE_SECONDS)
        deck.file.write_bytes(b"played meanwhile")
    out, _ = running.communicate("\n", timeout=PATIENCE_SECONDS)
    assert out.endswith("undecided: the cloud keeps both\n")
    assert deck.file.read_bytes() == b"played meanwhile"
