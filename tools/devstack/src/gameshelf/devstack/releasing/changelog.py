"""Changelogs in the form of Keep a Changelog, read and given a version."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from gameshelf.devstack.releasing.versions import Version

KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_IN_PATCHES = frozenset(("Fixed", "Security"))
_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_RELEASED = re.compile(r"\[([0-9.]+)\] - ([0-9]{4}-[0-9]{2}-[0-9]{2})")
_UNRELEASED = "[Unreleased]"


@dataclass(frozen=True, slots=True)
class Section:
    """One ``## `` heading with what stands under it. Unreleased: no version and no day."""

    version: Version | None
    day: date | None
    text: str

    @property
    def kinds(self) -> Sequence[str]:
        return re.findall(r"^### (.*)$", self.text, re.MULTILINE)

    @property
    def is_empty(self) -> bool:
        return re.search(r"^- ", self.text, re.MULTILINE) is None

    def fits_a_patch(self) -> bool:
        return set(self.kinds) <= _IN_PATCHES


class Changelog:
    """The sections of a changelog, newest first. Raises ValueError where the text has another form."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sections = tuple(_sections(text))
        if not self.sections or self.sections[0].version is not None:
            raise ValueError(f"the first heading has to be '## {_UNRELEASED}'")
        for section in self.sections:
            name = section.version or _UNRELEASED
            for kind in section.kinds:
                if kind not in KINDS:
                    raise ValueError(f"{name} has the heading '{kind}', which is not one of {', '.join(KINDS)}")
                if section.kinds.count(kind) > 1:
                    raise ValueError(f"{name} has the heading '{kind}' twice")
        versions = [section.version for section in self.released]
        if versions != sorted(versions, reverse=True):  # type: ignore[type-var]
            raise ValueError("the newest version has to come first")

    @property
    def unreleased(self) -> Section:
        return self.sections[0]

    @property
    def released(self) -> Sequence[Section]:
        return self.sections[1:]

    @property
    def last(self) -> Version | None:
        """The last released version; None where nothing was ever released."""
        return self.released[0].version if self.released else None

    def with_release(self, version: Version, day: date) -> str:
        """The text in which what was unreleased stands under the version, and nothing is unreleased any more."""
        head, rest = self.text.split(f"## {_UNRELEASED}\n", 1)
        return f"{head}## {_UNRELEASED}\n\n## [{version}] - {day.isoformat()}\n{rest}"


def _sections(text: str) -> Iterator[Section]:
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings]
    for heading, end in zip(headings, [*ends[1:], len(text)], strict=False):
        body = text[heading.end() : end].strip("\n")
        if heading[1] == _UNRELEASED:
            yield Section(None, None, body)
        elif found := _RELEASED.fullmatch(heading[1]):
            yield Section(Version.parse(found[1]), date.fromisoformat(found[2]), body)
        else:
            raise ValueError(f"'## {heading[1]}' has to be written like '## [0.1.0] - 2026-11-23'")
