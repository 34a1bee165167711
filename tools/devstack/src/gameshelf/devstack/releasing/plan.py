"""The plan of a release: all of its changes, decided before anything is written."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from gameshelf.devstack.releasing.distributions import Distribution, read_distributions, read_home, urls_of
from gameshelf.devstack.releasing.surfaces import surface_of
from gameshelf.devstack.releasing.versions import Requirement, Version


class ReleaseRefused(Exception):
    """A release is refused; the message is the reason."""


@dataclass(slots=True)
class ReleasePlan:
    """Files (relative to the root) with their new text, and the commit. A version in development has no tag.

    ``surface`` has files that are made by a command once the others are written.
    """

    message: str
    tag: str | None = None
    notes: str = ""
    files: dict[Path, str] = field(default_factory=dict)
    surface: Mapping[Path, Sequence[str]] = field(default_factory=dict)


def tag_of(distribution: Distribution, version: Version) -> str:
    return f"{distribution.name}-v{version}"


def subject_of(distribution: Distribution, version: Version) -> str:
    """The first line of the commit of a release: it is found by it where tags were not cloned."""
    return f"chore({distribution.short_name}): release {version}"


def find(distributions: Mapping[str, Distribution], name: str) -> Distribution:
    """By its name, with or without ``gameshelf-``."""
    found = distributions.get(name) or distributions.get(f"gameshelf-{name}")
    if found is None:
        names = ", ".join(distribution.short_name for distribution in distributions.values())
        raise ReleaseRefused(f"there is no package {name}; there are {names}")
    return found


def plan(root: Path, name: str, version: Version, day: date) -> ReleasePlan:
    """Plans the release of a version, or the begin of one (``.dev0``). Raises ReleaseRefused."""
    try:
        distributions = read_distributions(root)
    except ValueError as error:
        raise ReleaseRefused(str(error)) from error
    distribution = find(distributions, name)
    if reason := next(_reasons_against(distribution, distributions, version), None):
        raise ReleaseRefused(reason)
    planned = _release(distribution, version) if version.is_final else _begin(distribution, version)
    planned.surface = surface_of(distribution.name, version)
    project = distribution.folder / "pyproject.toml"
    text = (root / project).read_text(encoding="utf-8")
    text = _replaced(f'version = "{distribution.version}"', f'version = "{version}"', text)
    planned.files[project] = with_urls(text, urls_of(distribution.short_name, read_home(root)))
    if (root / distribution.module).exists():
        module = (root / distribution.module).read_text(encoding="utf-8")
        before = f'__version__ = "{distribution.version}"'
        if before in module:
            planned.files[distribution.module] = module.replace(before, f'__version__ = "{version}"')
    if version.is_final:
        planned.files[distribution.folder / "CHANGELOG.md"] = distribution.changelog.with_release(version, day)
    for dependant, needed, then_needed in _ranges(distributions, distribution, version):
        path = dependant.folder / "pyproject.toml"
        text = planned.files.get(path) or (root / path).read_text(encoding="utf-8")
        planned.files[path] = _replaced(f'"{needed}"', f'"{then_needed}"', text)
    return planned


def with_urls(text: str, urls: Mapping[str, str]) -> str:
    """A pyproject.toml with this ``[project.urls]``, in place of what it had."""
    without = re.sub(r"^\[project\.urls\]\n(?:[^\[\n].*\n)*\n?", "", text, flags=re.MULTILINE)
    section = "[project.urls]\n" + "".join(f'{label} = "{url}"\n' for label, url in urls.items()) + "\n"
    head, rest = without.split("[tool.", 1)
    # After what else the project says, where entry points may stand, too.
    return f"{head}{section}[tool.{rest}"


def _reasons_against(
    distribution: Distribution, distributions: Mapping[str, Distribution], version: Version
) -> Iterator[str]:
    name, changelog, last = distribution.name, distribution.changelog, distribution.changelog.last
    if version <= distribution.version:
        yield f"{name} is at {distribution.version}, so {version} does not come after it"
    if last is not None and not version.follows(last):
        yield f"the last release of {name} is {last}: next comes a patch, a minor or a major version, not {version}"
    if version.is_final and changelog.unreleased.is_empty:
        yield f"{distribution.folder}/CHANGELOG.md has nothing under [Unreleased]"
    if version.patch and not changelog.unreleased.fits_a_patch():
        yield f"{version} is a patch, and {distribution.folder}/CHANGELOG.md has more than Fixed and Security"
    for requirement in distribution.own_requirements:
        needed = distributions[requirement.name]
        if version.is_final and not requirement.lowest.is_final:
            yield f"{name} needs {requirement}: release {needed.short_name} first"


def _release(distribution: Distribution, version: Version) -> ReleasePlan:
    tag = tag_of(distribution, version)
    notes = f"{distribution.name} {version}\n\n{distribution.changelog.unreleased.text}\n"
    message = (
        f"{subject_of(distribution, version)}\n\n"
        f"{tag}: what {distribution.folder}/CHANGELOG.md had under [Unreleased]. Packages here that need\n"
        f"{distribution.name} accept this version.\n"
    )
    return ReleasePlan(message, tag, notes)


def _begin(distribution: Distribution, version: Version) -> ReleasePlan:
    last = distribution.changelog.last
    released = f"than {last}, the last release," if last else "from any release, since there was none,"
    message = (
        f"chore({distribution.short_name}): begin {version.final}\n\n"
        f"What is built from here is other {released} and must not pass for it.\n"
    )
    return ReleasePlan(message)


def _ranges(
    distributions: Mapping[str, Distribution], distribution: Distribution, version: Version
) -> Iterator[tuple[Distribution, Requirement, Requirement]]:
    """Returns the distributions that need this one, with their range before and after."""
    for dependant in distributions.values():
        for before in dependant.own_requirements:
            if before.name != distribution.name:
                continue
            lowest = before.lowest
            if not lowest.is_final or not before.accepts(version.final):
                # The tree is tested with the tree alone, so what is before this version was never tried.
                lowest = version
            after = Requirement(before.name, before.extras, lowest, version.below)
            if after != before:
                yield dependant, before, after


def _replaced(before: str, after: str, text: str) -> str:
    if before not in text:
        raise ReleaseRefused(f"{before} does not stand where it should")
    return text.replace(before, after)
