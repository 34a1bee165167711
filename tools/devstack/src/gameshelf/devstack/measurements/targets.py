"""What the figures are compared with: those of before, and those to reach."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A figure by its name, what it was on 2026-11-26 on a quiet machine, and what it has to be."""

    what: str
    before: str
    wanted: str


TARGETS = (
    Target("page known, Hypercorn", "0.62 of the floor", "0.75 of the floor"),
    Target("page known, Granian", "2,900/s", "3,500/s, 0.5 of the floor"),
    Target("PUT /settings, Hypercorn", "620/s", "1,000/s, 0.6 of the floor"),
    Target("PUT /settings, Granian", "760/s", "1,600/s, 0.6 of the floor"),
    Target("unlock at 500/s, p99", "226 ms", "below 50 ms"),
    Target("unlock at 1000/s, p99", "not measured", "below 100 ms"),
    Target("purchases, all cores", "600/s", "3,000/s"),
    Target("notifications of a sale", "5,182/s", "8,000/s"),
    Target("heartbeats at 16,667/s, p99", "22 ms", "no worse"),
    Target("first page of cold users at 100/s, p95", "not measured", "below 20 ms"),
    Target("start to ready", "not measured", "below 3 s"),
    Target("memory, at most", "384 MiB", "below 280 MiB, flat"),
)
