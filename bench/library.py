"""First page of a library of 500 games, beside a bare Quart route that returns the same bytes."""

import argparse
import asyncio
import statistics
import sys
import tempfile
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from _load import Run, load
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import Platform, Service
from gameshelf.devstack.servers import Kafka, Postgres, Valkey
from gameshelf.devstack.servers.base import free_port, listens
from gameshelf.devstack.tokens import TokenIssuer
from gameshelf.kernel.folding import fold_title
from rich.console import Console
from rich.table import Table

GAMES = 500


async def seed(dsn: str, users: list[UUID]) -> None:
    """A catalog, and a library of 500 games for each user."""
    connection = await asyncpg.connect(dsn)
    products = [(uuid4(), f"Игра номер {number}") for number in range(2 * GAMES)]
    await connection.copy_records_to_table(
        "products",
        schema_name="library",
        columns=["product_id", "product_type", "title_ru", "sort_key_ru", "sort_key_en", "cover_image_url"],
        records=[
            (
                product,
                "game",
                title,
                fold_title(title),
                fold_title(title),
                f"https://cdn.gameshelf.example/covers/{product}.jpg",
            )
            for product, title in products
        ],
    )
    now = datetime.now(UTC)
    for index, user in enumerate(users):
        await connection.copy_records_to_table(
            "user_library_items",
            schema_name="library",
            columns=["user_id", "id", "product_id", "added_at", "acquisition_type", "last_played_at"],
            records=[
                (user, uuid4(), products[(index + 2 * number) % len(products)][0], now, "purchase", played)
                for number in range(GAMES)
                for played in [now - timedelta(hours=number) if number % 3 else None]
            ],
        )
    await connection.execute("ANALYZE")
    await connection.close()


def request(token: str) -> bytes:
    lines = ["GET /api/v1/library/items HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "", ""]
    return "\r\n".join(lines).encode()


def measure(options: argparse.Namespace, directory: Path) -> dict[str, list[Run]]:
    postgres, valkey, kafka = Postgres(directory / "pg"), Valkey(directory / "valkey"), Kafka(directory / "kafka")
    postgres.durable = False
    for server in (postgres, valkey, kafka):
        server.start()
    platform = Platform(directory, postgres.dsn(), kafka, valkey, TokenIssuer(directory / "keys"))
    services = {
        "library, page known": platform.service(LIBRARY_SERVICE_ROLES="api"),
        "library, page rendered anew": platform.service(LIBRARY_SERVICE_ROLES="api", LIBRARY_PAGE_CACHE_BYTES="0"),
    }
    try:
        next(iter(services.values())).migrate()
        users = [uuid4() for _ in range(options.users)]
        asyncio.run(seed(platform.dsn, users))
        tokens = [platform.token(user) for user in users]
        requests = [request(token) for token in tokens]
        runs: dict[str, list[Run]] = {"bare Quart route": [], **{name: [] for name in services}}
        ports = {name: start(service) for name, service in services.items()}
        bare, ports["bare Quart route"] = start_bare(directory, next(iter(services.values())), tokens[0])
        for _ in range(options.rounds):
            for name, found in runs.items():
                found.append(asyncio.run(load(ports[name], requests, options.connections, options.seconds)))
        bare.stop()
    finally:
        platform.close()
        postgres.stop()
    return runs


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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as directory:
        runs = measure(options, Path(directory))
    floor = runs["bare Quart route"]
    table = Table(
        "what", "requests/s", "p50 ms", "p95 ms", "p99 ms", "failed", "of the floor", box=None, pad_edge=False
    )
    for name, found in runs.items():
        # Round by round, so that a machine that slows down in between slows both.
        ratio = statistics.median(one.a_second / base.a_second for one, base in zip(found, floor, strict=True))
        middle = [
            statistics.median(getattr(one, field) for one in found) for field in ("a_second", "p50", "p95", "p99")
        ]
        failed = sum(one.failed for one in found)
        table.add_row(name, f"{middle[0]:.0f}", *(f"{value:.1f}" for value in middle[1:]), str(failed), f"{ratio:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
