"""The environment in .venv: what is in it, and how it is made and extended. Only the standard library."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from gameshelf.devstack.disk import free_mib
from gameshelf.devstack.installation_failures import what_to_do

LOCKS = {"devstack": "devstack-lock.txt", "all": "lock.txt"}
"""What `./dev up` needs, and what all commands need. The second has all of the first, in the same versions."""
MIB_NEEDED = {"devstack": 800, "all": 1400}
"""Free space on the disk: the environment, and what was downloaded for it until the installation has succeeded."""
_UNFINISHED = "unfinished"
"""What the stamp says between the first change and the last one. Fingerprints are never that."""


class InstallationFailed(Exception):
    """The message is one line, and says what to do."""


class VirtualEnvironment:
    """The environment of one checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.python = self.venv / "bin" / "python"
        self.log = root / ".local" / "log" / "install.log"
        self._stamp = self.venv / "installed"
        self._downloads = root / ".local" / "downloads"
        found = (
            path
            for folder in ("packages", "services", "tools", "clients")
            for path in (root / folder).glob("*/pyproject.toml")
        )
        self._projects = [root / "protos", *sorted(path.parent for path in found)]

    def has(self, level: str) -> bool:
        """Returns whether everything of a level is installed, in the pinned versions, and our packages as they are."""
        return self._pinned() in (level, "all") and self._has_projects()

    def can_extend(self) -> bool:
        """Returns whether the pinned packages are right as far as they go: none of them changes when more is added."""
        return self._pinned() is not None

    def ensure(self, level: str) -> None:
        """Installs what is missing; a second caller waits for the first. Raises InstallationFailed."""
        if self.has(level):
            return
        with self._alone():
            if not self.has(level):
                self._install(level)

    def _stamped(self) -> list[str]:
        """The fingerprints of the pinned packages and of our own."""
        stamp = self._stamp.read_text().split() if self._stamp.exists() else []
        return stamp if len(stamp) == 2 else [_UNFINISHED, _UNFINISHED]

    def _pinned(self) -> str | None:
        """Returns the level whose pinned packages are installed."""
        pins, _ = self._stamped()
        return next((level for level in ("all", "devstack") if pins == self._pins(level)), None)

    def _has_projects(self) -> bool:
        return self._stamped()[1] == self._declared()

    def _pins(self, level: str) -> str:
        """Changes when there are other packages to install, or another package of ours."""
        names = [str(project.relative_to(self.root)) for project in self._projects]
        found = hashlib.sha256(f"{self.root}{self._python_version()}{names}".encode())
        found.update(self._lock(level).read_bytes())
        return found.hexdigest()

    def _declared(self) -> str:
        """Changes when one of our packages says something else of itself, such as its version."""
        return hashlib.sha256(b"".join((one / "pyproject.toml").read_bytes() for one in self._projects)).hexdigest()

    def _python_version(self) -> tuple[int, ...]:
        """That of the environment, as long as its Python is still there: `./dev` may be started by another one."""
        file = self.venv / "pyvenv.cfg"
        lines = file.read_text().splitlines() if file.exists() else []
        config = dict(line.split(" = ", 1) for line in lines if " = " in line)
        if self.python.exists() and str(self.python.resolve()) == config.get("executable"):
            return tuple(int(part) for part in re.findall(r"[0-9]+", config.get("version", ""))[:3])
        return sys.version_info[:3]

    def _lock(self, level: str) -> Path:
        return self.root / "3rdparty" / "python" / LOCKS[level]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        path = self.root / ".local" / "install.lock"
        path.parent.mkdir(exist_ok=True)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say("waiting for another ./dev that installs")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _install(self, level: str) -> None:
        pinned = self._pinned()
        lacks_pins = pinned not in (level, "all")
        if lacks_pins:
            self._check_place(level, extends=pinned is not None)
        started = time.monotonic()
        pins = sum(1 for line in self._lock(level).read_text().splitlines() if re.match(r"[a-z0-9].*==", line))
        if not lacks_pins:
            _say("installing our packages into .venv again: they say something else of themselves, such as a version")
        elif pinned:
            _say(f"adding to .venv: {pins} packages (once, and when the pins change)")
        else:
            _say(f"installing into .venv: {pins} packages (once, and when the pins change)")
        has_projects = pinned is not None and self._has_projects()
        if pinned:
            # An interrupted addition may leave a package by halves: without a stamp the next try begins from scratch.
            self._stamp.write_text(_UNFINISHED)
        else:
            self._make_empty()
        if lacks_pins:
            self._run_installer(["--require-hashes", "--requirement", str(self._lock(level))])
        if not has_projects:
            local = [part for project in self._projects for part in ("--editable", str(project))]
            self._run_installer(["--no-deps", "--no-build-isolation", *local])
        self._stamp.write_text(f"{self._pins(level if lacks_pins else pinned or level)} {self._declared()}")
        shutil.rmtree(self._downloads, ignore_errors=True)
        _say(f"installed in {time.monotonic() - started:.0f} s")

    def _check_place(self, level: str, extends: bool) -> None:
        if not extends and self.venv.exists() and not self._stamp.exists():
            raise InstallationFailed(f"{self.venv} was not made by ./dev; move it away, or delete it")
        free = free_mib(self.root)
        if free < MIB_NEEDED[level] - (MIB_NEEDED["devstack"] if extends else 0):
            raise InstallationFailed(
                f"{MIB_NEEDED[level]} MiB are needed on the disk of {self.root}, {free} MiB are free; make room"
            )
        if find_spec("ensurepip") is None and not shutil.which("uv"):
            wanted = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
            raise InstallationFailed(f"this Python can't make environments; on Debian and Ubuntu: apt install {wanted}")

    def _make_empty(self) -> None:
        if self.venv.exists():
            # In one step: half of it, after an interruption, would look like an environment that is not ours.
            replaced = self.root / ".local" / "replaced-venv"
            shutil.rmtree(replaced, ignore_errors=True)
            self.venv.rename(replaced)
            shutil.rmtree(replaced)
        self.venv.mkdir()
        self._stamp.write_text(_UNFINISHED)  # says also that the folder is ours
        try:
            venv.create(self.venv, with_pip=find_spec("ensurepip") is not None, symlinks=True)
        except subprocess.CalledProcessError as error:
            output = (error.output or b"").decode(errors="replace")
            raise InstallationFailed(
                what_to_do(output, self.root) or f"ensurepip failed with {sys.executable}"
            ) from None

    def _run_installer(self, arguments: list[str]) -> None:
        """With uv where it is at hand, since it is much faster, else (or when that fails) with pip."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        uv = shutil.which("uv")
        if uv and self._succeeds(
            [uv, "pip", "install", "--compile-bytecode", "--python", str(self.python), *arguments]
        ):
            return
        reason = what_to_do(self.log.read_text(errors="replace"), self.root)
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", *arguments]
        if reason is None and self._succeeds(pip):
            return
        said = self.log.read_text(errors="replace")
        raise InstallationFailed(reason or what_to_do(said, self.root) or f"the installation failed; see {self.log}")

    def _succeeds(self, command: list[str]) -> bool:
        """Runs an installer, its output in the log; who watches sees the last line of it."""
        watched = sys.stderr.isatty()
        width = shutil.get_terminal_size().columns - 1
        with self.log.open("a") as log:
            installer = subprocess.Popen(
                command,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            assert installer.stdout
            for line in installer.stdout:
                log.write(line)
                log.flush()
                if watched:
                    sys.stderr.write(f"\r\x1b[K{line.strip()[:width]}")
                    sys.stderr.flush()
        if watched:
            sys.stderr.write("\r\x1b[K")
        return installer.wait() == 0

    def _environment(self) -> dict[str, str]:
        """That of the caller, but nothing is written to the home folder, and nothing installed elsewhere.

        What was downloaded is kept until the installation has succeeded, so that one that was interrupted has not to
        download it again.
        """
        here = {name: str(self._downloads / name) for name in ("PIP_CACHE_DIR", "UV_CACHE_DIR", "TMPDIR")}
        environ = {**here, **os.environ, "PIP_USER": "0"}  # pip.conf may say `user = true`
        Path(environ["TMPDIR"]).mkdir(parents=True, exist_ok=True)
        return {name: value for name, value in environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _say(text: str) -> None:
    print(f"dev: {text}", file=sys.stderr, flush=True)
