"""`./dev` in a checkout that was never used: what installs nothing, and what is said about a bad start."""

import ast
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gameshelf.devstack.arguments import _parser
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]
COMMANDS = sorted(set(_parser()[1]) - {"keep"})
BACKEND = """
import base64, hashlib, zipfile

def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return name
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


class Checkout:
    """A repository of one small project and no pins, with our `./dev`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "tools" / "devstack").mkdir(parents=True)
        (root / "tools" / "devstack" / "src").symlink_to(ROOT / "tools" / "devstack" / "src")
        shutil.copy(ROOT / "dev", root)
        for path, text in (
            ("3rdparty/python/devstack-lock.txt", "# nothing"),
            ("3rdparty/python/lock.txt", "# nothing"),
            ("protos/pyproject.toml", PROJECT),
            ("protos/backend.py", BACKEND),
        ):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        self.environ = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "PIP_NO_INDEX": "1"}

    def start(self, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
        """Starts a command with nothing but the standard library, and without a home folder."""
        python = Path(sys.base_prefix) / "bin" / "python3"
        return subprocess.Popen(
            [python, "-I", self.root / "dev", *arguments],
            env={**self.environ, **environ},
            cwd=self.root.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments, **environ)
        said, complaint = process.communicate(timeout=PATIENCE_SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, said, complaint)

    def pin(self, lock: str, text: str) -> None:
        (self.root / "3rdparty" / "python" / lock).write_text(text)

    def files(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.glob("**/*")}


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "checkout")


def one_line(done, code=1):
    """The complaint of a command that was refused."""
    assert done.returncode == code, done.stderr
    assert not done.stdout
    [*_, last] = lines = done.stderr.splitlines()
    assert not [line for line in lines if not line.startswith("dev: ")]
    return last


def test_help_status_down_and_env_install_nothing(checkout):
    before = checkout.files()
    assert "usage: ./dev" in checkout.run().stdout
    assert checkout.run("--help").stdout == checkout.run("-h").stdout == checkout.run().stdout
    status = checkout.run("status")
    assert (status.returncode, status.stderr) == (3, "nothing runs; `./dev up` starts it\n")
    assert checkout.run("status", "--json").stdout == '{"parts": []}\n'
    assert checkout.run("down").stderr == "nothing runs\n"
    assert "./dev up" in one_line(checkout.run("env"))
    assert "./dev up" in one_line(checkout.run("publish", "a.type", "{}"))
    assert checkout.files() == before


def test_the_help_of_each_command_installs_nothing(checkout):
    before = checkout.files()
    listed = checkout.run("--help").stdout
    started = {command: checkout.start(command, "--help", COLUMNS="80") for command in COMMANDS}
    for command, process in started.items():
        said, complaint = process.communicate(timeout=PATIENCE_SECONDS)
        assert (process.returncode, complaint) == (0, "")
        assert said.startswith(f"usage: ./dev {command}")
        assert max(map(len, said.splitlines())) <= 80
        assert f"    {command} " in listed
    assert checkout.files() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("statsu",), "there is no statsu, but status"),
        (("up", "--deatch"), "there is no --deatch; see `./dev up --help`"),
        (("token", "--user", "anna"), "anna is no UUID"),
        (("release", "kernel", "1"), "is no version"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_line(checkout, arguments, said):
    assert said in one_line(checkout.run(*arguments), code=2)


def test_bad_ports_are_refused_before_anything_is_installed(checkout):
    before = checkout.files()
    assert "is no port" in one_line(checkout.run("up", LIBRARY_SERVICE_HTTP_PORT="70000"))
    assert "are both 9094" in one_line(checkout.run("up", LIBRARY_SERVICE_HTTP_PORT="9094"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert f"port {port} is taken" in one_line(checkout.run("up", LIBRARY_SERVICE_HTTP_PORT=port))
    assert checkout.files() == before


def test_an_older_python_can_read_the_script_and_is_refused(checkout):
    text = (ROOT / "dev").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 7))
    is_older = "import sys; sys.version_info = (3, 8, 18); sys.version = '3.8.18 (main)'"
    started = [sys.executable, "-c", f"{is_older}; exec({text!r}, {{'__file__': 'dev'}})"]
    done = subprocess.run(started, capture_output=True, text=True, check=False)
    assert one_line(done).startswith("dev: Python 3.11 to 3.14 is needed, this is 3.8.18")


def test_an_environment_that_we_did_not_make_is_left_alone(checkout):
    (checkout.root / ".venv").mkdir()
    (checkout.root / ".venv" / "mine").write_text("kept")
    assert "was not made by ./dev" in one_line(checkout.run("install"))
    assert (checkout.root / ".venv" / "mine").read_text() == "kept"


@pytest.mark.long
def test_an_environment_is_extended_not_made_again(checkout):
    assert checkout.run("install").returncode == 0
    pip = (checkout.root / ".venv" / "bin" / "pip").stat()
    assert checkout.run("install").stderr == ""
    checkout.pin("lock.txt", "# more")
    assert "adding to .venv" in checkout.run("install", "--all").stderr
    assert checkout.run("install").stderr == checkout.run("install", "--all").stderr == ""
    assert (checkout.root / ".venv" / "bin" / "pip").stat() == pip
    left = sorted(path.name for path in (checkout.root / ".local").iterdir())
    assert left == ["install.lock", "log"]


@pytest.mark.long
def test_a_package_of_ours_that_changes_is_installed_alone(checkout):
    assert checkout.run("install", "--all").returncode == 0
    (checkout.root / "protos" / "pyproject.toml").write_text(PROJECT + '[project]\nname = "tiny"\nversion = "1"\n')
    marker = checkout.root / ".venv" / "kept"
    marker.touch()
    said = checkout.run("install").stderr
    assert "installing our packages into .venv again" in said
    assert marker.exists()
    assert checkout.run("install", "--all").stderr == ""


@pytest.mark.long
def test_a_half_made_environment_is_made_again(checkout):
    checkout.pin("devstack-lock.txt", f"other==1 --hash=sha256:{'0' * 64}")
    installing = checkout.start("install")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (checkout.root / ".venv" / "pyvenv.cfg").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(installing.pid, signal.SIGINT)
    _, complaint = installing.communicate(timeout=PATIENCE_SECONDS)
    assert installing.returncode == 130
    assert complaint.splitlines()[-1] == "dev: interrupted; run the command again to continue"
    assert "Traceback" not in complaint
    # Nothing listens on port 1, so pip finds no registry.
    index = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "1"}
    again = checkout.run("install", **index)
    assert "installing into .venv" in again.stderr
    assert "no package registry can be reached" in one_line(again)
