"""Downloads: whole, verified and never over another file, or nothing at all. A real HTTP server answers, badly."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.libctl.errors import Refused, Unavailable, Usage
from gameshelf.libctl.files import fetch, safe_file_name, safe_name

CONTENT = os.urandom(1_000_000)


class Store(BaseHTTPRequestHandler):
    """Answers by its path."""

    waits = threading.Event()

    def do_GET(self):
        status, announced, sent = {
            "/whole": (200, len(CONTENT), CONTENT),
            "/short": (200, len(CONTENT), CONTENT[:1000]),
            "/longer": (200, len(CONTENT) + 1, CONTENT + b"x"),
            "/other": (200, len(CONTENT), CONTENT[::-1]),
            "/hangs": (200, len(CONTENT), CONTENT[:400_000]),
        }.get(self.path, (int(self.path[1:]) if self.path[1:].isdigit() else 404, 0, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(sent)
        if self.path == "/hangs":
            self.wfile.flush()
            self.waits.wait(PATIENCE_SECONDS)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def store():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Store.waits.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def get(store, tmp_path) -> Callable[..., None]:
    digest = sha256(CONTENT).hexdigest()
    return lambda path, name="file", progress=lambda progress: None: fetch(
        store + path, tmp_path / name, len(CONTENT), digest, progress
    )


def test_a_file_is_there_once_it_is_whole(get, tmp_path):
    said = []
    get("/whole", progress=lambda progress: said.append((progress, (tmp_path / "file").exists())))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert said[-1] == ("100%", False)
    assert (tmp_path / "file").stat().st_mode & 0o077 == 0


def test_nothing_is_overwritten_not_even_what_came_meanwhile(get, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(Usage):
        get("/whole")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(Usage):
        get("/whole", "dangling")
    with pytest.raises(Usage):
        get("/whole", "late", progress=lambda progress: (tmp_path / "late").write_text("theirs"))
    assert (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / "late").read_text() == "theirs"
    assert {one.name for one in tmp_path.iterdir()} == {"file", "dangling", "late"}


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ("/other", Refused, 1),
        ("/longer", Refused, 1),
        ("/short", Unavailable, 5),
        ("/404", Refused, 1),
        ("/403", Refused, 1),
        ("/503", Unavailable, 5),
    ],
)
def test_of_what_went_wrong_nothing_stays(get, tmp_path, path, kind, code):
    with pytest.raises(kind) as error:
        get(path)
    assert (error.value.exit_code, bool(error.value.hint)) == (code, True)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_away_and_an_invalid_address(tmp_path):
    with pytest.raises(Unavailable):
        fetch("http://127.0.0.1:1/x", tmp_path / "file", 1, "")
    with pytest.raises(Refused):
        fetch("file:///etc/hostname", tmp_path / "file", 1, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_download_leaves_nothing(store, tmp_path, sent):
    script = (
        "import signal; from gameshelf.libctl import main, files; from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, main._terminate)\n"
        f"files.fetch({store + '/hangs'!r}, Path({str(tmp_path / 'file')!r}), {len(CONTENT)}, '', print)"
    )
    running = subprocess.Popen([sys.executable, "-uc", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert running.stdout.readline()  # some of it has come
    assert [one.suffix for one in tmp_path.iterdir()] == [".part"]
    running.send_signal(sent)
    assert running.wait(PATIENCE_SECONDS) != 0
    running.stdout.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("slot", "name"),
    [
        ("slot 1", "slot_1-v7.sav"),
        ("../../etc/passwd", "etc_passwd-v7.sav"),
        ("-rf", "rf-v7.sav"),
        ("\x1b[2J", "2J-v7.sav"),
        ("…", "save-v7.sav"),
        ("Глава «3»", "Глава__3-v7.sav"),
        ("ы" * 255, f"{'ы' * 60}-v7.sav"),
    ],
)
def test_a_file_is_called_after_its_slot_harmlessly(slot, name):
    assert safe_name(slot, 7) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("saves/w1/level.dat", "level-v7.dat"),
        ("saves/Мир 2/игрок.сейв", "игрок-v7.сейв"),
        ("saves/none", "none-v7"),
        ("saves/.hidden", "save-v7.hidden"),
        ("a/b.tar.gz", "b.tar-v7.gz"),
        ("a/x.; rm -rf", "x-v7.rmrf"),
        ("x" * 300 + "." + "y" * 300, "x" * 120 + "-v7." + "y" * 10),
    ],
)
def test_a_file_of_a_set_gets_a_safe_name(path, name):
    assert safe_file_name(path, 7) == name
