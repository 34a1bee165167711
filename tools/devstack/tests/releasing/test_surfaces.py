"""Releases of this repository's own packages, in a copy of it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from gameshelf.devstack.releasing import openapi
from gameshelf.devstack.releasing.distributions import read_distributions
from gameshelf.devstack.releasing.surfaces import ACCEPTED, OPENAPI, PROTOS, SURFACES, surface_of
from gameshelf.devstack.releasing.versions import Version

ROOT = Path(__file__).parents[4]


@pytest.fixture
def clone(repository):
    """The files of this repository as they are now, committed without tags."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    shutil.rmtree(repository.root / "packages")
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (repository.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, repository.root / name)
    repository.commit("chore: as it is now")
    return repository


def test_a_release_of_the_protos_keeps_their_image(clone, run):
    protos = read_distributions(ROOT)["gameshelf-protos"]
    version = protos.version.final if not protos.version.is_final else Version(protos.version.major + 1, 0, 0)
    if protos.changelog.unreleased.is_empty:
        log = clone.read("protos/CHANGELOG.md")
        clone.write("protos/CHANGELOG.md", log.replace("[Unreleased]\n", "[Unreleased]\n\n### Fixed\n\n- It.\n", 1))
        clone.commit("fix: it")
    (clone.root / PROTOS).write_bytes(b"")
    clone.commit("chore: no image")
    done = run("protos", str(version))
    assert done.exit_code == 0, done.output
    assert json.loads(clone.read("protos/asyncapi.json"))["info"]["version"] == str(version)
    assert (clone.root / PROTOS).stat().st_size > 0
    assert clone.git("status", "--porcelain") == ""
    changed = clone.git("show", "--name-only", "--format=").splitlines()
    assert {"protos/CHANGELOG.md", "protos/pyproject.toml", "protos/asyncapi.json", str(PROTOS)} <= set(changed)
    assert {f"{folder}/pyproject.toml" for folder in ("services/gateway", "tools/libctl")} <= set(changed)


def test_only_a_release_replaces_what_later_versions_are_compared_with():
    assert surface_of("gameshelf-gateway", Version.parse("0.2.0")).keys() == {OPENAPI, ACCEPTED}
    assert surface_of("gameshelf-gateway", Version.parse("0.2.0.dev0")) == {}
    assert PROTOS not in surface_of("gameshelf-protos", Version.parse("0.2.0.dev0"))
    assert surface_of("gameshelf-kernel", Version.parse("0.2.0")) == {}


def test_what_is_compared_with_is_that_of_the_last_release():
    gateway = read_distributions(ROOT)["gameshelf-gateway"]
    assert json.loads((ROOT / OPENAPI).read_text(encoding="utf-8"))["info"]["version"] == str(gateway.changelog.last)
    assert (ROOT / PROTOS).exists()
    assert (ROOT / ACCEPTED).exists()


def test_the_written_document_is_the_services_own():
    assert json.loads(openapi.text())["openapi"].startswith("3.1")
    assert SURFACES.keys() <= read_distributions(ROOT).keys()
