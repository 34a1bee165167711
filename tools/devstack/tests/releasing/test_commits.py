"""The source of the last release, with and without its tag."""

import os
from pathlib import Path

import pytest
from gameshelf.devstack.releasing.commits import ReleaseNotFound, unpack_last_release


@pytest.fixture
def service(repository, run):
    """A service of version 0.2.0 that has changed since."""
    repository.add_package("gateway")
    path = "packages/gateway"
    (repository.root / "services").mkdir()
    (repository.root / path).rename(repository.root / "services/gateway")
    repository.write("protos/README.md", "messages\n")
    repository.write("configs/library_config.yaml", "{}\n")
    repository.commit("feat: a service")
    done = run("gateway", "0.2.0")
    assert done.exit_code == 0, done.output
    repository.write("services/gateway/src/gameshelf/gateway/__init__.py", "__version__ = 'later'\n")
    repository.commit("feat: go further")
    return repository


def test_the_last_release_is_unpacked_as_it_was(service, tmp_path):
    """By its tag, and by its commit where tags were not cloned. One release for both: it takes seconds."""
    for source in ("tag", "commit"):
        released = unpack_last_release(service.root, tmp_path / source)
        assert str(released.version) == "0.2.0"
        assert (released.folder / "configs" / "library_config.yaml").exists()
        folders = released.environment["PYTHONPATH"].split(os.pathsep)
        [module] = [Path(folder) / "gameshelf/gateway/__init__.py" for folder in folders if "gateway" in folder]
        assert module.read_text() == '__version__ = "0.2.0"\n'
        if source == "tag":
            service.git("tag", "--delete", "gameshelf-gateway-v0.2.0")


def test_a_service_without_a_release_has_none(repository, tmp_path):
    repository.add_package("gateway")
    repository.write("packages/gateway/CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- All of it.\n")
    with pytest.raises(ReleaseNotFound, match="no release yet"):
        unpack_last_release(repository.root, tmp_path / "released")
