"""Versions of our distributions, and the ranges in which one of them accepts another."""

import re
from dataclasses import dataclass
from typing import Self

_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(\.dev0)?")
_REQUIREMENT = re.compile(
    r"(?P<name>gameshelf-[a-z]+)(?P<extras>\[[a-z0-9,-]+\])?>=(?P<lowest>[^,]+),<(?P<below>[0-9]+(?:\.[0-9]+)?)"
)


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """``MAJOR.MINOR.PATCH``, or the same with ``.dev0``: what leads to that version and comes before it."""

    major: int
    minor: int
    patch: int
    is_final: bool = True

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for anything else."""
        found = _VERSION.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no version: write MAJOR.MINOR.PATCH, or MAJOR.MINOR.PATCH.dev0")
        major, minor, patch = (int(found[part]) for part in (1, 2, 3))
        return cls(major, minor, patch, found[4] is None)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}{'' if self.is_final else '.dev0'}"

    @property
    def final(self) -> "Version":
        return Version(self.major, self.minor, self.patch)

    @property
    def below(self) -> str:
        """The first version that may break what works with this one: by semantic versioning, minor ones before 1.0."""
        return f"0.{self.minor + 1}" if self.major == 0 else str(self.major + 1)

    def follows(self, last: "Version") -> bool:
        """Returns whether this is one of the three versions that may follow ``last``."""
        return self.final in (
            Version(last.major, last.minor, last.patch + 1),
            Version(last.major, last.minor + 1, 0),
            Version(last.major + 1, 0, 0),
        )


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of one of our distributions on another one: ``gameshelf-kernel>=0.2.0,<0.3``."""

    name: str
    extras: str
    lowest: Version
    below: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for a distribution that is not ours. Raises ValueError for one of ours without a range of this form."""
        if not text.startswith("gameshelf-"):
            return None
        found = _REQUIREMENT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} has to be written like gameshelf-kernel>=0.2.0,<0.3")
        return cls(found["name"], found["extras"] or "", Version.parse(found["lowest"]), found["below"])

    def accepts(self, version: Version) -> bool:
        major, _, minor = self.below.partition(".")
        bound = (int(major), int(minor or 0))
        return self.lowest <= version and (version.major, version.minor) < bound

    def __str__(self) -> str:
        return f"{self.name}{self.extras}>={self.lowest},<{self.below}"
