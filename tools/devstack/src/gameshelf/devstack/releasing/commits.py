"""The commits of releases, and the source that they have."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gameshelf.devstack.releasing.distributions import Distribution, read_distributions
from gameshelf.devstack.releasing.plan import subject_of, tag_of
from gameshelf.devstack.releasing.versions import Version

SERVICE = "gameshelf-gateway"
_OF_THE_SERVICE = ("configs", "packages", "protos", "services")


class ReleaseNotFound(Exception):
    """The history has no commit of a release; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ReleasedService:
    """The service of a release, with the packages and protobuf files of its commit, unpacked into a folder."""

    version: Version
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a Python that has the dependencies runs this code instead of the tree's. A release
        refuses the configuration file of a later one, which has settings that it does not know.
        """
        sources = [*sorted(self.folder.glob("*/*/src")), self.folder / "protos" / "src"]
        return {
            "PYTHONPATH": os.pathsep.join(map(str, sources)),
            "LIBRARY_SERVICE_CONFIG": str(self.folder / "configs" / "library_config.yaml"),
        }


def commit_of(root: Path, distribution: Distribution, version: Version) -> str:
    """Returns the commit of a release: that of its tag, or the one with its subject where tags were not cloned.

    Raises ReleaseNotFound.
    """
    git = ["git", "-C", str(root)]
    tag = subprocess.run(
        [*git, "rev-parse", "--quiet", "--verify", f"{tag_of(distribution, version)}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tag.returncode == 0:
        return tag.stdout.strip()
    subject = subject_of(distribution, version)
    found = subprocess.run(
        [*git, "log", "--format=%H %s", "--fixed-strings", f"--grep={subject}"],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in found.stdout.splitlines():
        commit, _, text = line.partition(" ")
        if text == subject:
            return commit
    raise ReleaseNotFound(f"no tag and no commit of {distribution.name} {version}: is the history complete?")


def unpack(root: Path, commit: str, paths: Sequence[str], folder: Path) -> None:
    """Writes some paths of the repository, as they are in a commit, into a folder."""
    archive = subprocess.run(["git", "-C", str(root), "archive", commit, *paths], stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)


def unpack_last_release(root: Path, folder: Path) -> ReleasedService:
    """Writes the service of the last release into an empty folder.

    It runs with the dependencies that are installed here: those that its ranges accept are the same as long as no
    range of a dependency has a new lower end. Raises ReleaseNotFound.
    """
    distribution = read_distributions(root)[SERVICE]
    version = distribution.changelog.last
    if version is None:
        raise ReleaseNotFound(f"{SERVICE} has no release yet")
    folder.mkdir(parents=True, exist_ok=True)
    unpack(root, commit_of(root, distribution, version), _OF_THE_SERVICE, folder)
    return ReleasedService(version, folder)
