"""Cloud saves: signing at 300 a second beside a call that does nothing, and the memory of confirming large saves.

Requests go out on a schedule, whatever is answered. One service process with all roles but the consumer's, beside
PostgreSQL, Valkey, the broker, the S3 gateway and the load generator.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from _load import Run, paced, percentile, raw
from gameshelf.devstack.pytest_plugin import Service, StartedPlatform
from gameshelf.devstack.servers import S3, Kafka, Postgres, Valkey
from gameshelf.devstack.tokens import TokenIssuer
from rich.console import Console
from rich.table import Table

USERS = 500
WARM_UP_SECONDS = 3
BUCKET = "saves"
LARGE = 50 * 1024**2


async def seed(dsn: str, users: Sequence[UUID], product: UUID) -> None:
    """Owners of a game."""
    connection = await asyncpg.connect(dsn)
    now = datetime.now(UTC)
    await connection.copy_records_to_table(
        "user_library_items",
        schema_name="library",
        columns=["user_id", "id", "product_id", "added_at", "acquisition_type"],
        records=[(user, uuid4(), product, now, "purchase") for user in users],
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def upload(product: UUID, content: bytes, slot: str = "slot") -> dict[str, Any]:
    return {
        "product_id": str(product),
        "save_slot_name": slot,
        "file_size_bytes": len(content),
        "file_hash_sha256": sha256(content).hexdigest(),
        "device_id": "pc",
    }


class Player:
    """A player who saves, over the API and straight to the store."""

    def __init__(self, service: Service, token: str, product: UUID) -> None:
        self.http = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self.api = f"{service.api}/savegames"
        self.product = product

    async def post(self, path: str, attributes: dict[str, Any]) -> dict[str, Any]:
        response = await self.http.post(self.api + path, json={"data": {"attributes": attributes}})
        response.raise_for_status()
        data: dict[str, Any] = response.json()["data"]
        return data

    async def send(self, content: bytes, slot: str) -> str:
        reservation = (await self.post("/upload-url", upload(self.product, content, slot)))["attributes"]
        async with httpx.AsyncClient(timeout=60) as store:
            sent = await store.request(
                reservation["method"], reservation["upload_url"], content=content, headers=reservation["headers"]
            )
        sent.raise_for_status()
        internal_save_id: str = reservation["internal_save_id"]
        return internal_save_id

    async def confirm(self, internal_save_id: str) -> tuple[str, float]:
        began = time.perf_counter()
        saved = await self.post("/confirm-upload", {"internal_save_id": internal_save_id})
        return saved["id"], time.perf_counter() - began


async def sign(
    service: Service, platform: StartedPlatform, users: Sequence[UUID], product: UUID, options: argparse.Namespace
) -> dict[str, Run]:
    """Uploads and downloads, beside the health check of the same process."""
    number = int(options.rate * (options.seconds + WARM_UP_SECONDS))
    tokens = [platform.token(user) for user in users]
    saves = []
    for token in tokens:
        player = Player(service, token, product)
        saves.append((await player.confirm(await player.send(os.urandom(1000), "slot")))[0])
        await player.http.aclose()
    base, port, turn = "/api/v1/library/savegames", service.http_port, range(number)
    requests = {
        "health check": [raw("GET", "/health/live") for _ in turn],
        "sign an upload": [
            raw("POST", f"{base}/upload-url", tokens[one % USERS], upload(product, os.urandom(64))) for one in turn
        ],
        "sign a download": [
            raw("GET", f"{base}/{saves[one % USERS]}/download-url?device_id=deck", tokens[one % USERS]) for one in turn
        ],
    }
    runs = {}
    for what, wanted in requests.items():
        # Connections are opened and statements prepared before it counts.
        warm_up = int(options.rate * WARM_UP_SECONDS)
        await paced(port, wanted[:warm_up], options.rate)
        runs[what] = await paced(port, wanted[warm_up:], options.rate)
    return runs


async def confirm_large(
    service: Service, token: str, product: UUID, options: argparse.Namespace
) -> tuple[list[float], float, float]:
    """Seconds of each confirmation, and the memory of the process before and at most, in MiB."""
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status")
    player = Player(service, token, product)
    before, most, done = resident(status), 0.0, False

    async def watch() -> None:
        nonlocal most
        while not done:
            most = max(most, resident(status))
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    seconds = []
    for round_number in range(options.large // options.at_once):
        sent = [
            await player.send(os.urandom(LARGE), f"slot{number}-{round_number}") for number in range(options.at_once)
        ]
        seconds += [took for _, took in await asyncio.gather(*(player.confirm(one) for one in sent))]
    done = True
    await watching
    await player.http.aclose()
    return seconds, before, most


def resident(status: Path) -> float:
    """Returns the resident memory of a process in MiB."""
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench saves", description=__doc__)
    parser.add_argument("--rate", type=float, default=300, help="URLs signed a second (300)")
    parser.add_argument("--seconds", type=float, default=20, help="length of a run (20)")
    parser.add_argument("--large", type=int, default=12, help="saves of 50 MB that are confirmed (12)")
    parser.add_argument("--at-once", type=int, default=4, help="so many of them at once (4)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as folder:
        directory = Path(folder)
        postgres, valkey, kafka = Postgres(directory / "pg"), Valkey(directory / "valkey"), Kafka(directory / "kafka")
        s3 = S3(directory / "s3")
        postgres.durable = False
        for server in (postgres, valkey, kafka, s3):
            server.start()
        s3.create_bucket(BUCKET)
        issuer = TokenIssuer(directory / "keys")
        platform = StartedPlatform(directory, postgres.dsn(), kafka, valkey, issuer, s3.settings(BUCKET))
        service = platform.service(LIBRARY_SERVICE_ROLES="api,relay,jobs", USER_SAVEGAME_QUOTA_BYTES=str(100 * LARGE))
        users, product = [uuid4() for _ in range(USERS)], uuid4()
        try:
            service.migrate()
            service.start()
            asyncio.run(seed(platform.dsn, users, product))
            runs = asyncio.run(sign(service, platform, users, product, options))
            token = platform.token(users[0])
            seconds, before, most = asyncio.run(confirm_large(service, token, product, options))
        finally:
            platform.close()
            postgres.stop()
            s3.stop()
    report(runs, seconds, before, most, options.at_once)


def report(runs: dict[str, Run], seconds: list[float], before: float, most: float, at_once: int) -> None:
    table = Table("what", "requests/s", "p50 ms", "p95 ms", "p99 ms", "failed", box=None, pad_edge=False)
    for what, run in runs.items():
        at = [f"{value:.1f}" for value in (run.p50, run.p95, run.p99)]
        table.add_row(what, f"{run.a_second:,.0f}", *at, str(run.failed))
    console = Console(width=100)
    console.print(table)
    ordered = [f"{percentile(sorted(seconds), share):.2f}" for share in (0.5, 0.99)]
    console.print(
        f"{len(seconds)} saves of 50 MB confirmed, {at_once} at once: {ordered[0]} s each, at most {ordered[1]} s; "
        f"memory {before:.0f} MiB before, {most:.0f} MiB at most"
    )


if __name__ == "__main__":
    main()
