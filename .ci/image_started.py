"""The image runs as its user on a read-only root, and has nothing that it does not need. `.ci/image` runs this.

GAMESHELF_IMAGE_ROOT is the folder where the image is mounted, GAMESHELF_IMAGE_CONFIG what `buildah inspect` prints.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import Service, wait_for

PROJECT = Path(__file__).parents[1]
ROOT = Path(os.environ["GAMESHELF_IMAGE_ROOT"])
CONFIG = json.loads(os.environ["GAMESHELF_IMAGE_CONFIG"])["Docker"]["config"]
ENVIRONMENT = dict(variable.split("=", 1) for variable in CONFIG["Env"])
PURCHASE = "com.platform.payment.purchase.completed.v1"
MOUNTS = """
set -e
mount --bind "$ROOT" "$ROOT"
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$ROOT/tmp"
mount --bind "$KEYS" "$ROOT/run"
mount -o remount,bind,ro "$ROOT"
exec unshare --root "$ROOT" --wd "$FOLDER" --setgid "${OWNER#*:}" --setuid "${OWNER%:*}" "$@"
"""
"""What a runtime of containers does with a read-only root, a tmpfs, a volume with keys, and the network of the host."""


class ContainerService(Service):
    """A service of the image, with the image's environment and the settings of a test."""

    def _run(self, command):
        keys = Path(self.environment["AUTH_JWT_PUBLIC_KEY_FILE"])
        settings = {name: self.environment[name] for name in self.environment.keys() - os.environ.keys()}
        self.container = {
            **ENVIRONMENT,
            **settings,
            "AUTH_JWT_PUBLIC_KEY_FILE": f"/run/{keys.name}",
            "ROOT": str(ROOT),
            "KEYS": str(keys.parent),
            "FOLDER": CONFIG["WorkingDir"],
            "OWNER": CONFIG["User"],
        }
        return Process(self.command(*CONFIG["Entrypoint"], command), self.log, environ=self.container)

    def command(self, *inside):
        return ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", MOUNTS, "sh", *inside]

    def run(self, *inside):
        return subprocess.run(
            self.command(*inside), env=self.container, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture(scope="module")
def service(platform, token_issuer):
    token_issuer.public_key_file.parent.chmod(0o755)
    token_issuer.public_key_file.chmod(0o644)
    # The ports are its own.
    given = {name: value for name, value in platform.service().environment.items() if not name.endswith("_PORT")}
    made = ContainerService(platform.directory, given)
    made.start(outlives_test=True)
    yield made
    made.kill()


async def test_it_serves_what_was_bought(platform, service):
    user, game = str(uuid4()), str(uuid4())
    items = [{"productId": game, "productType": "game", "quantity": 1}]
    await publish(platform.kafka.address, [CloudEvent(PURCHASE, {"userId": user, "orderId": user, "items": items})])
    headers = {"Authorization": f"Bearer {platform.token(user, 'user')}"}

    def bought():
        answer = httpx.get(f"{service.api}/items", headers=headers).raise_for_status()
        return [item["attributes"]["product_id"] for item in answer.json()["data"]]

    assert wait_for(bought) == [game]


def test_it_runs_as_its_user_and_can_write_nowhere_but_in_tmp(service):
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", CONFIG["User"])
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    assert re.search(r"^Uid:\s+(\d+)\s", status, re.MULTILINE)[1] == CONFIG["User"].partition(":")[0]
    assert re.search(r"^CapEff:\s+(\w+)$", status, re.MULTILINE)[1] == "0" * 16
    tried = "import sys; open(sys.argv[1], 'w')"
    for path in ("/x", "/srv/gameshelf/x", "/opt/gameshelf/x", "/run/x"):
        refused = service.run("python", "-c", tried, path)
        assert re.search("Read-only file system|Permission denied", refused.stderr), (path, refused)
    assert service.run("python", "-c", tried, "/tmp/x").returncode == 0  # noqa: S108 the container's own


def test_its_check_succeeds_while_it_serves_and_fails_otherwise(service):
    assert CONFIG["Healthcheck"]["Test"][0] == "CMD"
    check = CONFIG["Healthcheck"]["Test"][1:]
    well = service.run(*check)
    assert well.returncode == 0, well
    service.container["LIBRARY_SERVICE_HTTP_PORT"] = "9"
    unwell = service.run(*check)
    assert unwell.returncode == 1
    assert unwell.stderr.count("\n") == 1
    assert "http://127.0.0.1:9/health/live" in unwell.stderr


def test_its_metrics_name_the_revision_and_the_loop(service):
    information = re.search(r"^build_info\{(.*)\} 1", httpx.get(service.metrics).text, re.MULTILINE)[1]
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()
    assert f'revision="{revision}"' in information
    assert 'event_loop="uvloop"' in information
    assert CONFIG["Labels"]["org.opencontainers.image.revision"] == revision


def test_it_has_libctl(service):
    asked = service.run("libctl", "--version")
    assert asked.returncode == 0, asked


def test_it_has_no_shell_no_compiler_and_nothing_of_the_tests():
    folders = [ROOT / "usr/bin", ROOT / "usr/sbin", ROOT / "opt/gameshelf/bin"]
    programs = {path.name for folder in folders for path in folder.iterdir()}
    assert "python3.11" in programs
    assert not {name for name in programs if re.match(r"(ba|da|)sh$|apt|dpkg|gcc|cc$|pip|pytest|mypy", name)}
    folder = ROOT / "opt/gameshelf/lib/python3.11/site-packages"
    installed = {path.name.partition("-")[0].lower().replace("_", "-") for path in folder.glob("*.dist-info")}
    lock = (PROJECT / "3rdparty/python/run-lock.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    assert "quart" in installed
    ours = {name for name in installed if name.startswith("gameshelf-")}
    assert installed - ours <= {name.replace(".", "-") for name in pinned}
    assert ours >= {"gameshelf-gateway", "gameshelf-libctl", "gameshelf-savegames"}
    assert "gameshelf-devstack" not in ours


def test_it_can_be_stopped_in_order(service):
    service.container.clear()
    assert service.stop() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(service.url)
