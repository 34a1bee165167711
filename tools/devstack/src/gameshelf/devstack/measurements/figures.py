"""Figures of benchmarks: what was measured in each round, beside the floor of the same round."""

import statistics
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Frozen):
    """One quantity, measured once per round."""

    what: str
    unit: str
    rounds: tuple[float, ...]
    floor_name: str = ""
    """What the floor is: the least that a program with the same result could do. Empty where there is none."""
    floor: tuple[float, ...] = ()
    """The floor in each of the rounds."""
    remark: str = ""

    @model_validator(mode="after")
    def _has_all_rounds(self) -> "Figure":
        if not self.rounds:
            raise ValueError(f"{self.what}: no round")
        if len(self.floor) != (len(self.rounds) if self.floor_name else 0):
            raise ValueError(f"{self.what}: the floor has other rounds")
        return self

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest of the rounds."""
        return min(self.rounds), max(self.rounds)

    @property
    def floor_median(self) -> float | None:
        return statistics.median(self.floor) if self.floor else None

    @property
    def ratio(self) -> float | None:
        """The median of the shares round by round, so that a machine that slows down slows both."""
        if not self.floor:
            return None
        return statistics.median(one / least for one, least in zip(self.rounds, self.floor, strict=True))


class MeasuredOn(_Frozen):
    """What the figures were measured on."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    load: float
    """The load average at the beginning: what else the machine did."""


class Results(_Frozen):
    """The figures of one run of all scenarios, which have unique names."""

    taken: str
    """The day, as in 2026-11-28."""
    commit: str
    command: str
    note: str
    """What a reader has to know before comparing the figures, such as that the machine was loaded."""
    machine: MeasuredOn
    figures: tuple[Figure, ...]
    before: tuple[Figure, ...] = ()
    """Figures of a version before, from the same run. Empty without `--before`."""
    commit_before: str = ""
    options_before: dict[str, str] = {}
    """The options of scenarios that were shorter or smaller for the version before."""

    @model_validator(mode="after")
    def _has_unique_names(self) -> "Results":
        for figures in (self.figures, self.before):
            names = [figure.what for figure in figures]
            if len(set(names)) < len(names):
                raise ValueError(f"measured twice: {sorted({name for name in names if names.count(name) > 1})}")
        return self


_FIGURES = TypeAdapter(tuple[Figure, ...])


def write_figures(path: Path, figures: tuple[Figure, ...]) -> None:
    """Writes what one scenario has measured."""
    path.write_bytes(_FIGURES.dump_json(figures))


def read_figures(path: Path) -> tuple[Figure, ...]:
    """Reads what one scenario has measured."""
    return _FIGURES.validate_json(path.read_bytes())
