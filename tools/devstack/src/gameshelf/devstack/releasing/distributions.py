"""The distributions that this repository releases: folders with a pyproject.toml."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gameshelf.devstack.releasing.changelog import Changelog
from gameshelf.devstack.releasing.versions import Requirement, Version

_FOLDERS = ("packages/*", "protos", "services/*", "tools/*", "clients/*")


@dataclass(frozen=True, slots=True)
class Distribution:
    """``gameshelf-kernel`` and what its pyproject.toml says; ``folder`` is relative to the repository's root."""

    name: str
    folder: Path
    version: Version
    requirements: Sequence[str]
    """As they are written, those of its extras included."""
    urls: Mapping[str, str]
    changelog: Changelog

    @property
    def short_name(self) -> str:
        return self.name.removeprefix("gameshelf-")

    @property
    def own_requirements(self) -> Sequence[Requirement]:
        """Those that are released here."""
        parsed = map(Requirement.parse, self.requirements)
        return [requirement for requirement in parsed if requirement is not None]

    @property
    def module(self) -> Path:
        """The file that has ``__version__``, where the distribution has one."""
        return self.folder / "src" / "gameshelf" / self.short_name / "__init__.py"


def read_distributions(root: Path) -> Mapping[str, Distribution]:
    """All distributions by name. Raises ValueError that names the file which can't be read."""
    folders = sorted(path.parent for pattern in _FOLDERS for path in root.glob(f"{pattern}/pyproject.toml"))
    found = [_read(root, folder.relative_to(root)) for folder in folders]
    return {distribution.name: distribution for distribution in found}


def read_home(root: Path) -> str:
    """The address under which the documentation is published, from the root's pyproject.toml."""
    home: str = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["gameshelf"]["home"]
    return home.rstrip("/")


def urls_of(short_name: str, home: str) -> Mapping[str, str]:
    """The ``[project.urls]`` of a distribution: pages of the documentation's site."""
    return {
        "Homepage": f"{home}/",
        "Documentation": f"{home}/packages/{short_name}/",
        "Changelog": f"{home}/changelogs/{short_name}/",
    }


def _read(root: Path, folder: Path) -> Distribution:
    path = folder
    try:
        path = folder / "pyproject.toml"
        project = tomllib.loads((root / path).read_text(encoding="utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        requirements = [*project["dependencies"], *(text for extra in extras for text in extra)]
        version = Version.parse(project["version"])
        for requirement in requirements:
            Requirement.parse(requirement)
        path = folder / "CHANGELOG.md"
        changelog = Changelog((root / path).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from error
    return Distribution(project["name"], folder, version, requirements, project.get("urls", {}), changelog)
