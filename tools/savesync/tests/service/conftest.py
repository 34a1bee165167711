"""Machines of a player with the command line, a running service and a real store."""

import asyncio
import json
import os
import signal
import subprocess
from functools import partial
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for
from gameshelf.savesync import cli, crash

PURCHASE, PRODUCT_UPDATED = "com.platform.payment.purchase.completed.v1", "com.platform.catalog.product.updated.v1"
POLICY = {
    "revision": 1,
    "mode": "sync",
    "merge": "never",
    "conflict_policy": "manual",
    "roots": {
        "saves": {
            "where": [{"path": "<home>/.local/share/Дракон/saves"}],
            "include": ["**"],
            "exclude": ["**/*.log"],
        }
    },
    "units": [{"name": "{world}", "match": ["saves/worlds/{world}/**"]}],
    "settle_seconds": 1,
}


class Game:
    """A game that a player owns."""

    def __init__(self, platform, service):
        self.platform, self.service = platform, service
        self.user, self.product = uuid4(), uuid4()
        self.token = platform.token(self.user)
        self.api = httpx.Client(
            base_url=f"{service.api}/", headers={"Authorization": f"Bearer {self.token}"}, timeout=PATIENCE_SECONDS
        )

    def publish(self, kind, **data):
        asyncio.run(publish(self.platform.kafka.address, [CloudEvent(kind, data)]))

    def buy(self):
        items = [{"productId": str(self.product)}]
        self.publish(PURCHASE, userId=str(self.user), orderId="order", items=items)
        wait_for(lambda: self.get("items"))

    def follow(self, **changes):
        """Publishes a policy of the game, and waits until the service has it."""
        self.policy = {**POLICY, **changes}
        self.publish(PRODUCT_UPDATED, productId=str(self.product), savegamePolicy=self.policy)
        path = f"savegames/policy/{self.product}"
        wait_for(lambda: self.get(path)["attributes"]["revision"] == self.policy["revision"])

    def get(self, path, **query):
        answer = self.api.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    @property
    def save(self):
        """The head of the save, as the cloud has it."""
        return self.save_of("main")

    def save_of(self, name):
        found = self.get("savegames", product_id=str(self.product))
        [save] = [one for one in found if one["attributes"]["slot_name"] == name]
        return save

    @property
    def versions(self):
        return [one["attributes"]["version"] for one in self.get(f"savegames/{self.save['id']}/versions")]

    @property
    def conflicts(self):
        return self.get("savegames/conflicts", product_id=str(self.product))


class Machine:
    """A machine with a home folder, on which a player types commands."""

    def __init__(self, game, home):
        self.game, self.home = game, home
        self.saves = home / ".local" / "share" / "Дракон" / "saves"
        self.saves.mkdir(parents=True)
        self.screen = home.with_name(f"{home.name}.screen")
        """What the last command in a process of its own has shown."""
        self.variables = {
            "HOME": str(home),
            "LIBRARY_API": game.service.api,
            "LIBRARY_TOKEN": game.token,
            "SAVESYNC_PRODUCT": str(game.product),
            "COLUMNS": "80",
            **dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")),
        }

    def run(self, *words, code=0):
        """Types a command, which ends with ``code`` or one of several; returns its output."""
        done = CliRunner().invoke(cli.main, words, env=self.variables)
        assert done.exit_code in (code if isinstance(code, tuple) else (code,)), (words, done.output, done.exception)
        return done.output

    def report(self, *words, code=0):
        return json.loads(self.run(*words, "--json", code=code))

    def started(self, *words, point="", before=None):
        """Types a command in a process of its own; returns its id."""
        child = os.fork()
        if not child:
            for name, value in self.variables.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
            crash._WANTED, code = point, 1
            try:
                if before:
                    before()
                done = CliRunner().invoke(cli.main, words, env=self.variables)
                self.screen.write_text(done.output)
                code = done.exit_code
            finally:
                os._exit(code)
        return child

    def killed(self, *words, point="", before=None):
        """Types a command in a process that is killed at a point; False if it has passed none of that name."""
        return self.ended(self.started(*words, point=point, before=before)) == -signal.SIGKILL

    def ended(self, process):
        """Waits for a process; its exit code, or the negative number of the signal that has ended it."""
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    def put(self, path, content):
        file = self.saves / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    @property
    def files(self):
        """All files below the folder of the saves, by name; nothing of the client may be left there."""
        return {
            file.relative_to(self.saves).as_posix(): file.read_bytes()
            for file in self.saves.rglob("*")
            if file.is_file() and not file.is_symlink()
        }


@pytest.fixture(scope="module")
def platform(create_platform, s3):
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(platform):
    made = platform.service(MAX_SAVEGAME_SIZE_BYTES=str(100 * 1024**2))  # one scenario has a file of 60 MB
    made.start()
    return made


@pytest.fixture
def game(platform, service):
    made = Game(platform, service)
    made.buy()
    made.follow()
    yield made
    made.api.close()


@pytest.fixture
def machine(game, disk):
    return lambda name: Machine(game, disk / name)


@pytest.fixture
def mount():
    """Mounts a folder at another one, or a volume of a megabyte; returns what unmounts it."""
    mounted = []

    def unmount(target):
        subprocess.run(["umount", target], check=True)
        mounted.remove(target)

    def mount(target, source=None):
        target.mkdir(parents=True, exist_ok=True)
        how = ["--bind", source] if source else ["-t", "tmpfs", "-o", "size=1m", "tmpfs"]
        if subprocess.run(["mount", *how, target], check=False, capture_output=True).returncode:
            pytest.skip("no file system can be mounted here")
        mounted.append(target)
        return partial(unmount, target)

    yield mount
    for target in mounted[:]:
        unmount(target)


@pytest.fixture
def deck(machine):
    return machine("deck")


@pytest.fixture
def desktop(machine):
    return machine("desktop")
