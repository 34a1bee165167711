"""What contract 11 limits, of users whom nobody has asked for before, at random and at 100 per second of each kind.

Starts of sessions, heartbeats of these, unlocks, and URLs signed for uploads and downloads. Requests are sent on a
schedule, whatever is answered. Before each kind PostgreSQL is restarted and its files leave the memory of the system;
a heartbeat needs a session, so heartbeats follow the starts. The floor is the health check of the same process, at the
same rate. The database is the one of `./dev bench fill`, or one of some users that is made for the run. What the
requests change stays in it, so each run chooses other users.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
from _fill.people import user_id
from _load import Run, paced, raw
from _stack import Stack, on_cores, parser, report
from cold import SERVER, WARM_UP, forget, planned, started
from fill import FOLDER
from gameshelf.devstack.measurements import Figure
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, Service
from saves import upload

ROLES = "api,relay"
FLOOR = "health check"
API = "/api/v1/library"
SPARE = 4
"""Of so many users at random at least one has what a request needs, such as a save."""

PLAYS = """
SELECT DISTINCT ON (user_id) user_id, product_id FROM library.user_library_items
WHERE user_id = ANY($1) AND acquisition_type IS NOT NULL
"""
UNLOCKS = """
SELECT DISTINCT ON (user_id) user_id, m.id FROM achievements.owned_products AS o
JOIN achievements.achievement_metadata AS m USING (product_id)
WHERE user_id = ANY($1) AND NOT m.server_authoritative AND NOT EXISTS (
    SELECT FROM achievements.user_achievements AS u WHERE u.user_id = o.user_id AND u.achievement_meta_id = m.id
)
"""
HAS_SAVED = """
SELECT DISTINCT ON (user_id) user_id, id FROM savegames.savegame_slots
WHERE user_id = ANY($1) AND head_version IS NOT NULL
"""
IS_PLAYING = "SELECT user_id, id FROM playtime.playtime_sessions WHERE user_id = ANY($1) AND end_time IS NULL"

Request = Callable[[str, UUID], bytes]
"""A raw request: of a user's token, and of what the query has found for the user."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: whom it may be of, and which percentile has to stay below how many milliseconds."""

    name: str
    percentile: str
    limit: int | None
    query: str
    request: Request
    is_of_those_before: bool = False
    """It is sent for the users of the kind before, and nothing is forgotten between the two."""


def _start(token: str, product: UUID) -> bytes:
    return raw("POST", f"{API}/playtime/sessions/start", token, {"product_id": str(product)})


def _heartbeat(token: str, session: UUID) -> bytes:
    return raw("POST", f"{API}/playtime/sessions/{session}/heartbeat", token)


def _unlock(token: str, achievement: UUID) -> bytes:
    return raw("POST", f"{API}/achievements/{achievement}/unlock", token)


def _sign_upload(token: str, product: UUID) -> bytes:
    return raw("POST", f"{API}/savegames/upload-url", token, upload(product, os.urandom(64)))


def _sign_download(token: str, save: UUID) -> bytes:
    return raw("GET", f"{API}/savegames/{save}/download-url?device_id=deck", token)


KINDS = (
    Kind("start of a session", "p99", None, PLAYS, _start),
    Kind("heartbeat", "p99", 50, IS_PLAYING, _heartbeat, is_of_those_before=True),
    Kind("unlock", "p99", 100, UNLOCKS, _unlock),
    Kind("signed upload", "p95", 150, PLAYS, _sign_upload),
    Kind("signed download", "p95", 150, HAS_SAVED, _sign_download),
)


async def found_for(dsn: str, query: str, users: Sequence[UUID]) -> dict[UUID, UUID]:
    """What a request needs, by user."""
    connection = await asyncpg.connect(dsn)
    try:
        return dict(await connection.fetch(query, users))
    finally:
        await connection.close()


def choose(stack: Stack, kind: Kind, seed: int, numbers: Sequence[int], count: int) -> dict[UUID, UUID]:
    """So many of these users who have what the request needs, with that."""
    users = [UUID(bytes=user_id(seed, number)) for number in numbers]
    found = asyncio.run(found_for(stack.postgres.dsn(), kind.query, users))
    if len(found) < count:
        sys.exit(f"only {len(found):,} of {len(users):,} users can be asked for a {kind.name}; {count:,} are needed")
    return dict(list(found.items())[:count])


def wait_until_ready(service: Service) -> None:
    """Waits for a service whose database was restarted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not service.is_ready():
        if time.monotonic() > deadline:
            sys.exit("the service does not find the restarted database")
        time.sleep(0.1)


def ask(port: int, requests: Sequence[bytes], rate: float) -> Run:
    """The first ones are not measured: connections and statements are there then, as in a service that runs."""
    with on_cores(1):
        asyncio.run(paced(port, requests[:WARM_UP], rate / 4))
        return asyncio.run(paced(port, requests[WARM_UP:], rate))


def measure(stack: Stack, options: argparse.Namespace) -> tuple[int, dict[str, list[tuple[Run, Run]]]]:
    """The number of users, and of each kind the runs of it and of its floor."""
    seed, users = asyncio.run(planned(stack.postgres.dsn()))
    each = int(options.rate * options.seconds) + WARM_UP
    asked_for = sum(not kind.is_of_those_before for kind in KINDS)
    if (needed := options.rounds * asked_for * each * SPARE) > users:
        sys.exit(f"{options.rounds} rounds need {needed:,} users, and the database has {users:,}")
    numbers = iter(Random().sample(range(users), needed))
    service = stack.platform.service(LIBRARY_SERVICE_ROLES=ROLES, LIBRARY_SERVICE_SERVER=SERVER)
    with on_cores(0):
        service.start()
    found: dict[str, list[tuple[Run, Run]]] = {kind.name: [] for kind in KINDS}
    before: dict[UUID, UUID] = {}
    for _ in range(options.rounds):
        for kind in KINDS:
            if kind.is_of_those_before:
                chosen = asyncio.run(found_for(stack.postgres.dsn(), kind.query, list(before)))
            else:
                chosen = choose(stack, kind, seed, [next(numbers) for _ in range(each * SPARE)], each)
                forget(stack.postgres)
                wait_until_ready(service)
            requests = [kind.request(stack.platform.token(user), of) for user, of in chosen.items()]
            floor = ask(service.http_port, [raw("GET", "/health/live")] * len(requests), options.rate)
            found[kind.name].append((ask(service.http_port, requests, options.rate), floor))
            before = chosen
    service.stop()
    return users, found


def figures(users: int, found: dict[str, list[tuple[Run, Run]]], rate: float) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            what=f"{kind.name} of cold users at {rate:g}/s, {kind.percentile}",
            unit="ms",
            rounds=tuple(getattr(run, kind.percentile) for run, _ in found[kind.name]),
            floor_name=FLOOR,
            floor=tuple(getattr(floor, kind.percentile) for _, floor in found[kind.name]),
            remark=f"of {users:,} users" + (f"; limit {kind.limit} ms" if kind.limit else ""),
        )
        for kind in KINDS
    )


def main() -> None:
    options_of = parser("limits", __doc__, rounds=3)
    options_of.add_argument("--folder", type=Path, help=".local/fill if it exists: a database of ./dev bench fill")
    options_of.add_argument("--users", type=int, help="makes a database of so many users instead (50,000)")
    options_of.add_argument("--rate", type=float, default=100, help="requests a second (100)")
    options_of.add_argument("--seconds", type=float, default=10, help="length of a run (10)")
    options = options_of.parse_args()
    folder = None if options.users else options.folder or (FOLDER if FOLDER.exists() else None)
    with started(folder, options.users or 50_000, with_store=True) as stack:
        users, found = measure(stack, options)
    report(figures(users, found, options.rate), options.json)
    if failed := {name: count for name, runs in found.items() if (count := sum(run.failed for run, _ in runs))}:
        sys.exit(f"failed: {failed}")


if __name__ == "__main__":
    main()
