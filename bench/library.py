"""First page of a library of 500 games, beside a bare Quart route that returns the same bytes.

Then the first screen of a launcher, at a rate, rendered for each request and known to the process. Then what filters,
search and devices cost a page that is rendered for each request. With ``--before`` each query is asked in turn of a
version before this one, on the same database: the same query where it knows it, else its plain page, of the same user.
Requests per second depend on the machine's other load; the CPU time of service and PostgreSQL hardly does.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from _cpu import cpu_seconds
from _libraries import Library, seed
from _load import Run, load, paced
from _stack import code_of, start_bare
from gameshelf.devstack.pytest_plugin import Service, StartedPlatform
from gameshelf.devstack.servers import Kafka, Postgres, Valkey
from gameshelf.devstack.tokens import TokenIssuer
from rich.console import Console
from rich.table import Table

DEVICES = ("desktop", "laptop", "deck")
SHOWN = 20
FIRST_SCREEN = "first screen"
Query = Callable[[Library], str]


@dataclass(frozen=True, slots=True)
class Case:
    """A page that is measured: its query, and the query for the version before; both show 20 games."""

    query: Query
    before: Query
    devices: int = 0
    """The number of devices that have reported an installation status of each of the user's games."""

    @property
    def is_same(self) -> bool:
        """Whether both versions have to answer the same games."""
        return self.query is self.before


def text(query: str) -> Query:
    return lambda _: query


def in_category(library: Library) -> str:
    return f"?category_id={library.category}"


def some_of_100(others: Sequence[Library]) -> Query:
    """A hundred products, every fifth of which the user owns: the request of a store page."""

    def query(library: Library) -> str:
        stranger = next(other for other in others if other.products[0] not in library.products)
        wanted = [*library.products[:SHOWN], *stranger.products[: 100 - SHOWN]]
        return "?product_ids=" + ",".join(map(str, wanted))

    return query


PLAIN = text("")


def same(query: Query, devices: int = 0) -> Case:
    return Case(query, query, devices)


def cases(libraries: Sequence[Library]) -> dict[str, Case]:
    return {
        "plain": same(PLAIN),
        "by name": same(text("?sort_by=name_asc")),
        "search": same(text("?search=%D0%B8%D0%B3%D1%80%D0%B0%20%D0%BD%D0%BE%D0%BC%D0%B5%D1%80%201")),
        "a category": same(in_category),
        "not installed": same(text("?status=not_installed")),
        "hidden ones too": same(text("?include_hidden=true")),
        "only hidden": Case(text("?include_hidden=only"), PLAIN),
        "only games": Case(text("?product_type=game"), PLAIN),
        "uncategorised": Case(text("?uncategorized=true"), PLAIN),
        "ever played": Case(text("?played=true"), PLAIN),
        "which of 100": Case(some_of_100(libraries), PLAIN),
        "a device per game": same(PLAIN, 1),
        "three devices per game": same(PLAIN, 3),
        "installed on a device": Case(text("?status=installed&device_id=deck"), text("?status=installed"), 3),
    }


def request(token: str, query: str, path: str = "items") -> bytes:
    lines = [f"GET /api/v1/library/{path}{query} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "", ""]
    return "\r\n".join(lines).encode()


@dataclass(slots=True)
class Measured:
    """Runs of one kind of request, with the CPU time of a request in milliseconds."""

    runs: list[Run] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def middle(self, name: str) -> float:
        return statistics.median(getattr(run, name) for run in self.runs)

    @property
    def failed(self) -> int:
        return sum(run.failed for run in self.runs)


class Bench:
    """The servers, the services and the libraries of one run."""

    def __init__(self, options: argparse.Namespace, directory: Path) -> None:
        self.options, self.directory = options, directory
        self.postgres = Postgres(directory / "pg")
        self.postgres.durable = False
        valkey, kafka = Valkey(directory / "valkey"), Kafka(directory / "kafka")
        for server in (self.postgres, valkey, kafka):
            server.start()
        issuer = TokenIssuer(directory / "keys")
        self.platform = StartedPlatform(directory, self.postgres.dsn(), kafka, valkey, issuer)
        fresh = {"LIBRARY_SERVICE_ROLES": "api", "LIBRARY_PAGE_CACHE_BYTES": "0"}
        self.known = self.platform.service(LIBRARY_SERVICE_ROLES="api")
        self.fresh = self.platform.service(**fresh)
        self.before = self.platform.service(**fresh, **code_of(options.before)) if options.before else self.fresh
        self.libraries = [Library(DEVICES[:devices]) for devices in (0, 1, 3) for _ in range(options.users)]

    def prepare(self) -> None:
        self.known.migrate()
        asyncio.run(seed(self.platform.dsn, self.libraries))
        for service in {self.known, self.fresh, self.before}:
            service.start()

    def close(self) -> None:
        self.platform.close()
        self.postgres.stop()

    def requests(self, query: Query, devices: int = 0) -> list[bytes]:
        """The request of each user whose games have so many devices."""
        asking = [library for library in self.libraries if len(library.devices) == devices]
        return [request(self.platform.token(library.user), query(library)) for library in asking]

    def run(self, service: Service, requests: Sequence[bytes], measured: Measured) -> None:
        assert service.process
        assert self.postgres.process
        pids = service.process.pid, self.postgres.process.pid
        began = cpu_seconds(*pids)
        run = load(service.http_port, requests, self.options.connections, self.options.seconds)
        measured.runs.append(run)
        measured.cpu.append((cpu_seconds(*pids) - began) / run.answered * 1000)

    def beside_floor(self) -> Table:
        """The page, known and rendered for each request, beside a route that returns its bytes."""
        requests = self.requests(PLAIN)
        page = self.directory / "page.json"
        page.write_bytes(fetch(self.known, requests[0]))
        bare, port = start_bare(self.directory, "_bare.py", "hypercorn", str(page))
        found: dict[str, list[Run]] = {}
        ports = {
            "bare Quart route": port,
            "library, page known": self.known.http_port,
            "library, page rendered": self.fresh.http_port,
        }
        for _ in range(self.options.rounds):
            for name, port in ports.items():
                run = load(port, requests, self.options.connections, self.options.seconds)
                found.setdefault(name, []).append(run)
        bare.stop()
        table = new_table("what", "requests/s", "p50 ms", "p95 ms", "p99 ms", "failed", "of the floor")
        for name, runs in found.items():
            measured = Measured(runs)
            latencies = [f"{measured.middle(field):.1f}" for field in ("p50", "p95", "p99")]
            share = ratio([run.a_second for run in runs], [run.a_second for run in found["bare Quart route"]])
            table.add_row(name, f"{measured.middle('a_second'):.0f}", *latencies, str(measured.failed), f"{share:.2f}")
        return table

    def first_screen(self) -> Table:
        """The first screen at so many requests per second, whatever is answered."""
        tokens = [self.platform.token(library.user) for library in self.libraries]
        count = int(self.options.rate * self.options.seconds * self.options.rounds)
        requests = [request(tokens[number % len(tokens)], "?device_id=deck", "home") for number in range(count)]
        table = new_table(
            f"{FIRST_SCREEN}, {self.options.rate:.0f}/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "failed"
        )
        assert self.postgres.process
        for name, service in {"rendered": self.fresh, "known": self.known}.items():
            assert service.process
            # Once for each user before: their pages become known, and connections have prepared the statements.
            asyncio.run(paced(service.http_port, requests[: len(tokens)], self.options.rate))
            began = cpu_seconds(service.process.pid, self.postgres.process.pid)
            run = asyncio.run(paced(service.http_port, requests, self.options.rate))
            cpu = (cpu_seconds(service.process.pid, self.postgres.process.pid) - began) / run.answered * 1000
            figures = [f"{one:.1f}" for one in (run.p50, run.p95, run.p99)]
            table.add_row(name, *figures, f"{cpu:.2f}", str(run.failed))
        return table

    def beside_before(self) -> Table:
        """Each case in turn with the version before, or without one with the plain page of this one."""
        measured: dict[str, tuple[Measured, Measured]] = {}
        for name, case in self.cases().items():
            measured[name] = Measured(), Measured()
            now, before = self.requests(case.query, case.devices), self.requests(case.before, case.devices)
            self.check(name, case, now[0], before[0])
            for turn in range(self.options.rounds):
                pair = [(self.fresh, now, measured[name][0]), (self.before, before, measured[name][1])]
                # Each of the two comes first in every other round, so that a trend of the machine favours neither.
                for service, requests, found in pair if turn % 2 else pair[::-1]:
                    self.run(service, requests, found)
        return self.compared(measured)

    def cases(self) -> Mapping[str, Case]:
        found = cases(self.libraries)
        if self.options.only:
            found = {name: case for name, case in found.items() if name in self.options.only}
        if self.options.before:
            return found
        return {name: Case(case.query, PLAIN, case.devices) for name, case in found.items()}

    def check(self, name: str, case: Case, now: bytes, before: bytes) -> None:
        """Like is compared with like: both pages have 20 games, and the same ones where the query is the same."""
        shown, shown_before = products_of(self.fresh, now), products_of(self.before, before)
        if len(shown) != SHOWN or len(shown_before) != SHOWN or (case.is_same and shown != shown_before):
            sys.exit(f"{name}: {len(shown)} games, the version before {len(shown_before)}, or other ones")

    def compared(self, measured: Mapping[str, tuple[Measured, Measured]]) -> Table:
        base = "before" if self.options.before else "plain"
        table = new_table(
            "what", "requests/s", "p95 ms", "CPU ms", "failed", f"CPU ms {base}", "rate ratio", "CPU ratio"
        )
        for name, (now, before) in measured.items():
            table.add_row(
                name,
                f"{now.middle('a_second'):.0f}",
                f"{now.middle('p95'):.1f}",
                f"{statistics.median(now.cpu):.2f}",
                str(now.failed + before.failed),
                f"{statistics.median(before.cpu):.2f}",
                f"{ratio([run.a_second for run in now.runs], [run.a_second for run in before.runs]):.2f}",
                f"{ratio(before.cpu, now.cpu):.2f}",
            )
        return table


def ratio(some: Sequence[float], others: Sequence[float]) -> float:
    """The median of the shares round by round, so that a machine that slows down slows both."""
    return statistics.median(one / other for one, other in zip(some, others, strict=True))


def new_table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)


def products_of(service: Service, asked: bytes) -> list[str]:
    return [item["attributes"]["product_id"] for item in json.loads(fetch(service, asked))["data"]]


def fetch(service: Service, asked: bytes) -> bytes:
    """The answer to a raw request."""
    start, _, headers = asked.decode().partition("\r\n")
    token = headers.partition("Authorization: ")[2].strip()
    url = service.url + start.split(" ")[1]
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": token})) as response:
        body: bytes = response.read()
    return body


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench library", description=__doc__)
    parser.add_argument("--users", type=int, default=200, help="libraries that are asked for in turn (200)")
    parser.add_argument("--connections", type=int, default=32, help="requests in flight (32)")
    parser.add_argument("--seconds", type=float, default=5, help="length of a run (5)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (3)")
    parser.add_argument("--rate", type=float, default=100, help="first screens per second (100)")
    parser.add_argument("--before", type=Path, help="checkout of a version before, which runs on the same database")
    parser.add_argument(
        "--only", action="append", help="only this line of the last table, or `first screen`; may be repeated"
    )
    options = parser.parse_args()
    console = Console(width=110)
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as directory:
        bench = Bench(options, Path(directory))
        try:
            bench.prepare()
            if not options.only:
                console.print(bench.beside_floor())
            if not options.only or FIRST_SCREEN in options.only:
                console.print(bench.first_screen())
            if options.only != [FIRST_SCREEN]:
                console.print(bench.beside_before())
        finally:
            bench.close()


if __name__ == "__main__":
    main()
