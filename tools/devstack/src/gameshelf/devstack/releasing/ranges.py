"""Each distribution with the lowest versions that it accepts, and with the last released ones.

``python -m gameshelf.devstack.releasing.ranges WHEELS`` in the repository's root: WHEELS has a wheel of each
distribution. Those of earlier releases that are still accepted are built from the commits of their releases.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gameshelf.devstack.releasing.commits import ReleaseNotFound, commit_of, unpack
from gameshelf.devstack.releasing.distributions import Distribution, read_distributions
from gameshelf.devstack.releasing.versions import Version

RESOLUTIONS = ("lowest-direct", "highest")
_IMPORT_ALL = Path(".ci") / "import-all"
_UV = Path(sys.executable).with_name("uv")


class RangeIsWrong(Exception):
    """A version that is accepted and does not work, or can't be had."""


def accepted_releases(distributions: Mapping[str, Distribution]) -> Iterator[tuple[Distribution, Version]]:
    """Every release that the tree's distributions accept of one another."""
    for distribution in distributions.values():
        ranges = [
            requirement
            for dependant in distributions.values()
            for requirement in dependant.own_requirements
            if requirement.name == distribution.name
        ]
        for section in distribution.changelog.released:
            version = section.version
            if version is not None and any(requirement.accepts(version) for requirement in ranges):
                yield distribution, version


def requirements_of(distribution: Distribution, distributions: Mapping[str, Distribution]) -> Sequence[str]:
    """All that it needs, and what those of ours need of each other: "lowest" means nothing for what isn't named."""
    named = dict.fromkeys(distribution.requirements)
    for requirement in distribution.own_requirements:
        needed = distributions[requirement.name]
        named |= dict.fromkeys(map(str, needed.own_requirements))
    return list(named)


def check_metadata(wheel: Path, license_text: bytes) -> None:
    """Raises RangeIsWrong for a wheel without our license or without addresses of its documentation."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name.partition(".dist-info/")[2]: name for name in archive.namelist()}
        if "licenses/LICENSE" not in files or archive.read(files["licenses/LICENSE"]) != license_text:
            raise RangeIsWrong(f"{wheel.name} does not carry the LICENSE")
        if archive.read(files["METADATA"]).count(b"\nProject-URL: ") < 3:
            raise RangeIsWrong(f"{wheel.name} carries no addresses of its documentation")


def build_release(root: Path, distribution: Distribution, version: Version, wheels: Path) -> None:
    """Builds the wheel of a release from its tag, or from its commit where tags were not cloned."""
    commit = commit_of(root, distribution, version)
    with tempfile.TemporaryDirectory() as folder:
        unpack(root, commit, [str(distribution.folder)], Path(folder))
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        _run([*pip, "--wheel-dir", str(wheels), str(Path(folder) / distribution.folder)])


def _try(wheel: Path, distribution: Distribution, requirements: Sequence[str], resolution: str) -> str:
    """Installs the wheel alone with one choice of versions, and imports all of it."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        _run([str(_UV), "venv", "--quiet", "--python", sys.executable, folder])
        install = [str(_UV), "pip", "install", "--quiet", "--python", str(python), "--resolution", resolution]
        _run([*install, "--find-links", str(wheel.parent), str(wheel), *requirements])
        said = _run([str(python), str(_IMPORT_ALL.resolve()), distribution.short_name])
    return f"{said.strip()} ({resolution})"


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RangeIsWrong(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def main(wheels: Path) -> None:
    root = Path.cwd()
    distributions = read_distributions(root)
    trees = {
        distribution.name: next(wheels.glob(f"{distribution.name.replace('-', '_')}-{distribution.version}-*.whl"))
        for distribution in distributions.values()
    }
    for wheel in trees.values():
        check_metadata(wheel, (root / "LICENSE").read_bytes())
    for distribution, version in accepted_releases(distributions):
        build_release(root, distribution, version, wheels)
    tries = [(distribution, resolution) for distribution in distributions.values() for resolution in RESOLUTIONS]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(
            lambda each: _try(trees[each[0].name], each[0], requirements_of(each[0], distributions), each[1]), tries
        )
        for line in said:
            print(line, flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]).resolve())
    except (RangeIsWrong, ReleaseNotFound) as wrong:
        sys.exit(f"ranges: {wrong}")
