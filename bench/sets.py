"""Sets of files: what saving them takes beside a floor that only sends the same bytes to the store, the memory of
commits, and plans at 100 a second beside a call that does nothing.

Plans go out on a schedule, whatever is answered. One service process with all roles but the consumer's, beside
PostgreSQL, Valkey, the broker, the S3 gateway and the load generator.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from _load import Run, paced, raw
from _sets import Costs, Device, Files, changed, floor, memory, new_files, statements_of_commit
from gameshelf.devstack.pytest_plugin import Service, StartedPlatform
from gameshelf.devstack.servers import S3, Kafka, Postgres, Valkey
from gameshelf.devstack.tokens import TokenIssuer
from rich.console import Console
from rich.table import Table

WARM_UP_SECONDS = 3
BUCKET = "saves"
SLOTS = ("autosave", "quicksave", "World 1")
VERSIONS = 10
MOST_MILLISECONDS = 50
SMALL, LARGE = 10_000, 5 * 1024**2
CHANGED = 3
MOST_STATEMENTS = 12
MOST_MIB = 280
UPLOADING = 8
"""How many devices send at a time. All of them commit at once."""
STEPS = ("plan", "begin", "upload", "floor", "commit")
SESSION = "user_id id product_id device_id start_time end_time duration_seconds end_reason last_heartbeat_at"


def content(user: UUID, slot: str, version: int) -> bytes:
    """The hash of a version's bytes."""
    return sha256(f"{user} {slot} {version}".encode()).digest()


async def seed(dsn: str, users: Sequence[UUID], product: UUID) -> None:
    """Saves of a game with a history each; the computer has their heads, and another device has something to upload."""
    connection = await asyncpg.connect(dsn)
    now = datetime.now(UTC)

    async def copy(table: str, columns: str, records: Iterator[tuple[Any, ...]]) -> None:
        await connection.copy_records_to_table(
            f"savegame_{table}", schema_name="savegames", columns=columns.split(), records=records
        )

    slots = [(user, uuid4(), name) for user in users for name in SLOTS]
    versions = [
        (user, slot_id, number, uuid4(), uuid4(), content(user, name, number))
        for user, slot_id, name in slots
        for number in range(1, VERSIONS + 1)
    ]
    await copy(
        "slots",
        "user_id id product_id slot_name slot_key head_version last_version created_at",
        ((user, slot_id, product, name, name.casefold(), VERSIONS, VERSIONS, now) for user, slot_id, name in slots),
    )
    await copy(
        "contents",
        "user_id id s3_object_key file_size_bytes file_hash_sha256 state created_at",
        ((user, content_id, str(content_id), 1000, held, "live", now) for user, *_, content_id, held in versions),
    )
    await copy(
        "metadata",
        "user_id slot_id version id parent_version in_head content_id file_size_bytes file_hash_sha256 "
        "server_uploaded_at device_id",
        (
            (user, slot_id, number, version_id, number - 1, True, content_id, 1000, held, now, "pc")
            for user, slot_id, number, version_id, content_id, held in versions
        ),
    )
    await copy(
        "devices",
        "user_id slot_id device_id version synced_at",
        ((user, slot_id, "pc", VERSIONS, now) for user, slot_id, _ in slots),
    )
    await copy(
        "device_states",
        "user_id product_id device_id device_name intent intent_at pending_since pending_slot",
        ((user, product, "deck", "Deck", "exit", now, now, SLOTS[0]) for user in users),
    )
    await connection.copy_records_to_table(
        "playtime_sessions",
        schema_name="playtime",
        columns=SESSION.split(),
        records=[
            (user, uuid4(), product, "deck", began, ended, 3600, "completed", ended)
            for user in users
            for day in range(60)
            for began in [now.replace(microsecond=0) - timedelta(days=day, hours=2)]
            for ended in [began + timedelta(hours=1)]
        ],
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def plan(user: UUID, product: UUID) -> dict[str, Any]:
    """A device that has the first save as it is, has changed the second one, and is behind with the third one."""
    has = [
        {"slot_name": SLOTS[0], "content_hash": content(user, SLOTS[0], VERSIONS).hex()},
        {"slot_name": SLOTS[1], "content_hash": uuid4().hex * 2, "base_version": VERSIONS},
        {"slot_name": SLOTS[2], "content_hash": content(user, SLOTS[2], 7).hex(), "base_version": 7},
    ]
    return {"product_id": str(product), "device_id": "pc", "intent": "launch", "slots": has}


async def ask(
    port: int, platform: StartedPlatform, users: Sequence[UUID], product: UUID, options: argparse.Namespace
) -> dict[str, Run]:
    """Plans, beside the health check of the same process."""
    tokens = [platform.token(user) for user in users]
    turn = range(int(options.rate * (options.seconds + WARM_UP_SECONDS)))
    requests = {
        "health check": [raw("GET", "/health/live") for _ in turn],
        "plan": [
            raw(
                "POST",
                "/api/v1/library/savegames/plan",
                tokens[one % len(users)],
                plan(users[one % len(users)], product),
            )
            for one in turn
        ],
    }
    runs = {}
    for what, wanted in requests.items():
        # Connections are opened and statements prepared before it counts.
        warm_up = int(options.rate * WARM_UP_SECONDS)
        await paced(port, wanted[:warm_up], options.rate)
        runs[what] = await paced(port, wanted[warm_up:], options.rate)
    return runs


async def own(dsn: str, users: Sequence[UUID], product: UUID) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.copy_records_to_table(
        "user_library_items",
        schema_name="library",
        columns=["user_id", "id", "product_id", "added_at", "acquisition_type"],
        records=[(user, uuid4(), product, datetime.now(UTC), "purchase") for user in users],
    )
    await connection.close()


async def save_sets(
    service: Service, platform: StartedPlatform, product: UUID, options: argparse.Namespace
) -> dict[str, list[Costs]]:
    """What each set has cost, of a user of its own: all of it, and three files of it that have changed."""
    small, large = f"{options.files:,} files of 10 kB", f"{options.large} files of 5 MB"
    runs: dict[str, list[Costs]] = {}
    for what, number, size in ((small, options.files, SMALL), (large, options.large, LARGE)):
        users = [uuid4() for _ in range(options.sets)]
        await own(platform.dsn, users, product)
        for user in users:
            device = Device(service, platform.token(user), product)
            base, before = 0, new_files(number, size)
            for name, files in ((what, before), (f"{what}, {CHANGED} changed", changed(before, CHANGED))):
                costs = Costs()
                upload_id = await device.save(files, base, costs)
                verified = await device.verified()
                base = await device.commit(upload_id, costs)
                costs.objects_read = await device.verified() - verified
                sent = dict(files.items() - before.items()) if files is not before else files
                costs.seconds["floor"] = await floor(platform.store, [sent])
                runs.setdefault(name, []).append(costs)
            # Once more, to count the statements in this process.
            again = await device.save(changed(before, CHANGED), base, Costs())
            costs.statements = await statements_of_commit(service, platform.token(user), again)
            await device.close()
    return runs


async def commit_at_once(
    service: Service, platform: StartedPlatform, product: UUID, options: argparse.Namespace
) -> tuple[dict[str, float], float, float]:
    """Seconds of each step of all clients together, and the memory of the service before and at most, in MiB."""
    assert service.process is not None
    process = service.process.pid
    users = [uuid4() for _ in range(options.clients)]
    await own(platform.dsn, users, product)
    devices = [Device(service, platform.token(user), product) for user in users]
    sets: list[Files] = [new_files(options.large, LARGE) for _ in devices]
    before, seconds, free = memory(process, "VmRSS"), Costs(), asyncio.Semaphore(UPLOADING)

    async def save(device: Device, files: Files) -> str:
        async with free:
            return await device.save(files, 0, Costs())

    with seconds.timed("plan, begin, upload"):
        uploads = await asyncio.gather(*map(save, devices, sets))
    with seconds.timed("commit"):
        await asyncio.gather(*(one.commit(upload, Costs()) for one, upload in zip(devices, uploads, strict=True)))
    most = memory(process, "VmHWM")
    for device in devices:
        await device.close()
    for start in range(0, len(sets), UPLOADING):
        seconds.seconds["floor"] = seconds.seconds.get("floor", 0) + await floor(
            platform.store, sets[start : start + UPLOADING]
        )
    return seconds.seconds, before, most


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench sets", description=__doc__)
    parser.add_argument("--rate", type=float, default=100, help="plans a second (100)")
    parser.add_argument("--seconds", type=float, default=20, help="length of a run of plans; 0: none (20)")
    parser.add_argument("--users", type=int, default=500, help="users with three saves each (500)")
    parser.add_argument("--sets", type=int, default=5, help="users who save a set of either kind; 0: none (5)")
    parser.add_argument("--files", type=int, default=1000, help="files of 10 kB in a set (1000)")
    parser.add_argument("--large", type=int, default=20, help="files of 5 MB in a set (20)")
    parser.add_argument("--clients", type=int, default=64, help="clients that commit such a set at once; 0: none (64)")
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
        service = platform.service(LIBRARY_SERVICE_ROLES="api,relay,jobs")
        users, product = [uuid4() for _ in range(options.users)], uuid4()
        console = Console(width=120)
        try:
            service.migrate()
            service.start()
            if options.clients:  # first, since the memory of the process counts from its start
                at_once = asyncio.run(commit_at_once(service, platform, product, options))
                report_memory(console, *at_once, options)
            if options.sets:
                report_sets(console, asyncio.run(save_sets(service, platform, product, options)))
            if options.seconds:
                asyncio.run(seed(platform.dsn, users, product))
                report_plans(console, asyncio.run(ask(service.http_port, platform, users, product, options)))
        finally:
            platform.close()
            postgres.stop()
            s3.stop()


def report_memory(
    console: Console, seconds: dict[str, float], before: float, most: float, options: argparse.Namespace
) -> None:
    steps = ", ".join(f"{step} {took:.1f} s" for step, took in seconds.items())
    console.print(f"{options.clients} clients with {options.large} files of 5 MB each: {steps}")
    console.print(f"memory of the service: {before:.0f} MiB before, {most:.0f} MiB at most (target: below {MOST_MIB})")


def report_sets(console: Console, runs: dict[str, list[Costs]]) -> None:
    table = Table("seconds (median)", *STEPS, "URLs", "objects read", "statements", box=None, pad_edge=False)
    for what, sets in runs.items():
        medians = [f"{median(one.seconds[step] for one in sets):.3f}" for step in STEPS]
        counted = {one.statements for one in sets} - {None}
        counts = [{one.urls for one in sets}, {one.objects_read for one in sets}, counted]
        table.add_row(what, *medians, *(", ".join(map(str, sorted(one))) for one in counts))
    console.print(table)
    console.print(
        f"target of {CHANGED} changed: {CHANGED} URLs, {CHANGED} objects read, at most {MOST_STATEMENTS} statements in "
        "the last transaction"
    )


def report_plans(console: Console, runs: dict[str, Run]) -> None:
    table = Table("what", "requests/s", "p50 ms", "p95 ms", "p99 ms", "failed", box=None, pad_edge=False)
    for what, run in runs.items():
        at = [f"{value:.1f}" for value in (run.p50, run.p95, run.p99)]
        table.add_row(what, f"{run.a_second:,.0f}", *at, str(run.failed))
    console.print(table)
    console.print(f"target: p95 of plans below {MOST_MILLISECONDS} ms")


if __name__ == "__main__":
    main()
