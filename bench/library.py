"""First page of a library of 500 games, beside a bare Quart route that returns the same bytes.

Then what devices, filters and search cost the page, each rendered anew in turn with the plain one; with ``--before``
also beside a version before this one, on the same database.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from _load import Run, load
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import Platform, Service
from gameshelf.devstack.servers import Kafka, Postgres, Valkey
from gameshelf.devstack.servers.base import free_port, listens
from gameshelf.devstack.tokens import TokenIssuer
from gameshelf.kernel.folding import fold_title
from gameshelf.library import Installation, InstallationStatus
from gameshelf.library.installations import Installations, dump
from rich.console import Console
from rich.table import Table

GAMES = 500
PLAIN = "library, page rendered anew"
BEFORE = "the version before, page rendered anew"
NOT_INSTALLED = ("not_installed", None, None, None, None)
DEVICES = ("desktop", "laptop", "deck")


async def seed(dsn: str, devices_of: dict[UUID, Sequence[str]]) -> None:
    """A catalog, and a library of 500 games for each user, every one of them known on all of the user's devices."""
    connection = await asyncpg.connect(dsn)
    products = [(uuid4(), f"Игра номер {number}") for number in range(2 * GAMES)]
    await connection.copy_records_to_table(
        "products",
        schema_name="library",
        columns=["product_id", "product_type", "title_ru", "sort_key_ru", "sort_key_en", "cover_image_url"],
        records=[
            (
                product,
                "dlc" if number % 5 == 0 else "game",
                title,
                fold_title(title),
                fold_title(title),
                f"https://cdn.gameshelf.example/covers/{product}.jpg",
            )
            for number, (product, title) in enumerate(products)
        ],
    )
    now = datetime.now(UTC)
    for index, (user, devices) in enumerate(devices_of.items()):
        await connection.copy_records_to_table(
            "user_library_items",
            schema_name="library",
            columns=[
                *("user_id", "id", "product_id", "added_at", "acquisition_type", "last_played_at", "is_hidden"),
                *("installation_status", "installed_version_id", "installation_changed_at", "installations"),
                "installations_at",
            ],
            records=[
                (user, uuid4(), product, now, "purchase", played, False, *installed)
                for number in range(GAMES)
                for product in [products[(index + 2 * number) % len(products)][0]]
                for played in [now - timedelta(hours=number) if number % 3 else None]
                for installed in [installations(number, now, devices) if devices else NOT_INSTALLED]
            ],
        )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def installations(number: int, now: datetime, devices: Sequence[str]) -> tuple[Any, ...]:
    """The columns of a game that these devices have said something of."""
    known = Installations()
    for place, device in enumerate(devices):
        status = InstallationStatus.INSTALLED if (number + place) % 4 == 0 else InstallationStatus.NOT_INSTALLED
        known = known.with_fact(Installation(device, status, "1.0", now - timedelta(minutes=place)))
    summary, at = known.summary, known.newest_at
    return summary.installation_status, summary.installed_version_id, at, dump(known.entries), at


def request(token: str, query: str = "") -> bytes:
    lines = [f"GET /api/v1/library/items{query} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "", ""]
    return "\r\n".join(lines).encode()


QUERIES = {
    "only games": "?product_type=game",
    "uncategorised": "?uncategorized=true",
    "only hidden": "?include_hidden=only",
    "do I have these 100": "?product_ids=" + ",".join(str(uuid4()) for _ in range(100)),
    "folded search": "?search=nomer%20-%2012",
    "folded search that finds": "?search=%D0%B8%D0%B3%D1%80%D0%B0%20%D0%BD%D0%BE%D0%BC%D0%B5%D1%80%201",
}
ON_ONE = {"with a device a game": ""}
ON_DEVICES = {
    "with three devices a game": "",
    "installed on a device": "?status=installed&device_id=deck",
}


def measure(options: argparse.Namespace, directory: Path) -> tuple[dict[str, list[Run]], dict[str, list[Run]]]:
    """The runs beside the floor, and those beside the plain page."""
    postgres, valkey, kafka = Postgres(directory / "pg"), Valkey(directory / "valkey"), Kafka(directory / "kafka")
    postgres.durable = False
    for server in (postgres, valkey, kafka):
        server.start()
    platform = Platform(directory, postgres.dsn(), kafka, valkey, TokenIssuer(directory / "keys"))
    anew = {"LIBRARY_SERVICE_ROLES": "api", "LIBRARY_PAGE_CACHE_BYTES": "0"}
    services = {"library, page known": platform.service(LIBRARY_SERVICE_ROLES="api"), PLAIN: platform.service(**anew)}
    try:
        next(iter(services.values())).migrate()
        users, on_one, on_three = ([uuid4() for _ in range(options.users)] for _ in range(3))
        devices = ((users, ()), (on_one, DEVICES[-1:]), (on_three, DEVICES))
        asyncio.run(seed(platform.dsn, {user: of for some, of in devices for user in some}))
        tokens = [platform.token(user) for user in users]
        requests = [request(token) for token in tokens]
        runs: dict[str, list[Run]] = {"bare Quart route": [], **{name: [] for name in services}}
        ports = {name: start(service) for name, service in services.items()}
        bare, ports["bare Quart route"] = start_bare(directory, next(iter(services.values())), tokens[0])
        for _ in range(options.rounds):
            for name, found in runs.items():
                found.append(asyncio.run(load(ports[name], requests, options.connections, options.seconds)))
        bare.stop()
        asked = {PLAIN: (ports[PLAIN], requests)}
        if options.before:
            asked[BEFORE] = start(platform.service(**anew, PYTHONPATH=sources(options.before))), requests
        asked |= {
            name: (ports[PLAIN], [request(platform.token(user), query) for user in some])
            for queries, some in ((QUERIES, users), (ON_ONE, on_one), (ON_DEVICES, on_three))
            for name, query in queries.items()
        }
        beside: dict[str, list[Run]] = {name: [] for name in asked}
        for _ in range(options.rounds):
            for name, (port, what) in asked.items():
                beside[name].append(asyncio.run(load(port, what, options.connections, options.seconds)))
    finally:
        platform.close()
        postgres.stop()
    return runs, beside


def sources(checkout: Path) -> str:
    """The code of another checkout, which this environment's interpreter runs instead of its own."""
    folders = [*checkout.glob("packages/*/src"), *checkout.glob("services/*/src"), checkout / "protos/src"]
    return os.pathsep.join(str(folder.resolve()) for folder in folders)


def start(service: Service) -> int:
    service.start()
    return service.http_port


def start_bare(directory: Path, service: Service, token: str) -> tuple[Process, int]:
    """The floor: the very bytes that the service answers, from a route that does nothing else."""
    asked = urllib.request.Request(service.api + "/items", headers={"Authorization": f"Bearer {token}"})
    page, port = directory / "page.json", free_port()
    with urllib.request.urlopen(asked) as response:
        page.write_bytes(response.read())
    script = str(Path(__file__).with_name("_bare.py"))
    process = Process([sys.executable, script, str(port), str(page)], directory / "bare.log")
    while not listens(port):
        asyncio.run(asyncio.sleep(0.05))
    return process, port


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench library", description=__doc__)
    parser.add_argument("--users", type=int, default=200, help="libraries that are asked for in turn (200)")
    parser.add_argument("--connections", type=int, default=32, help="requests in flight (32)")
    parser.add_argument("--seconds", type=float, default=5, help="length of a run (5)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (3)")
    parser.add_argument("--before", type=Path, help="checkout of a version before, which runs on the same database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as directory:
        runs, beside = measure(options, Path(directory))
    console = Console(width=110)
    console.print(compared(runs, "bare Quart route", "of the floor"))
    console.print(
        compared(beside, BEFORE if options.before else PLAIN, "of before" if options.before else "of the page")
    )


def compared(runs: dict[str, list[Run]], base: str, heading: str) -> Table:
    """The medians of each, and how many requests it answers for one of the base's."""
    table = Table("what", "requests/s", "p50 ms", "p95 ms", "p99 ms", "failed", heading, box=None, pad_edge=False)
    for name, found in runs.items():
        # Round by round, so that a machine that slows down in between slows both.
        ratio = statistics.median(one.a_second / other.a_second for one, other in zip(found, runs[base], strict=True))
        middle = [
            statistics.median(getattr(one, field) for one in found) for field in ("a_second", "p50", "p95", "p99")
        ]
        failed = sum(one.failed for one in found)
        table.add_row(name, f"{middle[0]:.0f}", *(f"{value:.1f}" for value in middle[1:]), str(failed), f"{ratio:.2f}")
    return table


if __name__ == "__main__":
    main()
