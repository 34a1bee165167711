"""One change for a list of players with libctl, beside other requests: its dry run, the change, and its undo.

One service process with every role. Pages of libraries are read and heartbeats are sent on a schedule all the time; the
same load before the batch is the floor.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from uuid import uuid4

import asyncpg
from _meanwhile import READERS, Running, Runs, figures_of, give_games, measured, show, without
from _stack import Stack, parser, report, started
from gameshelf.devstack.measurements import Figure
from gameshelf.devstack.pytest_plugin import Service
from rich.console import Console

LIMIT = "2GiB"
APPLY = ("--apply", "--reason", "a promotion of the studio")
NO_LIMIT = {"RATE_LIMIT_USER_PER_MINUTE": "0"}
"""Of the requests of one caller: the rate of the batch is libctl's."""
DRY_RUN, CHANGE, UNDO = "the dry run", "the change", "its undo"


class Support:
    """Somebody who runs libctl, with batches in a folder of its own."""

    def __init__(self, stack: Stack, service: Service) -> None:
        token = stack.platform.token(uuid4(), "admin")
        self.batches = stack.directory / "batches"
        self._environment = {
            **os.environ,
            "LIBCTL_ENDPOINT": service.grpc,
            "LIBCTL_TOKEN": token,
            "LIBCTL_PROFILES": os.devnull,
            "LIBCTL_SHOWN": os.devnull,
            "LIBCTL_BATCHES": str(self.batches),
        }

    async def run(self, *words: str) -> None:
        """Runs a command in a process of its own. It must succeed."""
        command = [sys.executable, "-m", "gameshelf.libctl", "--json", *words]
        done = await asyncio.to_thread(
            subprocess.run, command, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"libctl {' '.join(words)}: {done.stderr}")

    def batch(self) -> str:
        """Returns the number of the one batch that was planned."""
        [batch] = self.batches.glob("*.sqlite")
        return batch.stem


async def run(stack: Stack, options: argparse.Namespace) -> dict[str, Runs]:
    """Returns the figures before the batch, and during each of its parts."""
    readers = [uuid4() for _ in range(READERS)]
    connection = await asyncpg.connect(stack.platform.dsn)
    await give_games(connection, readers)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    players = stack.directory / "players.txt"
    await asyncio.to_thread(players.write_text, "".join(f"{uuid4()}\n" for _ in range(options.players)))
    service = stack.platform.service(**NO_LIMIT)
    await asyncio.to_thread(service.start)
    running, support = Running(service), Support(stack, service)
    found = {"before": await without(running, stack.platform, readers, options.rate, options.quiet_seconds)}
    rate = ("--rate", str(options.batch_rate))

    async def measure(name: str, *words: str) -> None:
        async with measured(running, stack.platform, readers, options.rate) as found[name]:
            began = time.perf_counter()
            await support.run(*words, *rate)
            took = time.perf_counter() - began
        Console(width=100).print(f"{name}: {options.players:,} players in {took:.0f} s")

    await measure(DRY_RUN, "quota", "set", LIMIT, "--users-file", str(players))
    batch = support.batch()
    await measure(CHANGE, "quota", "set", LIMIT, "--batch", batch, *APPLY)
    await support.run("audit", "undo", batch, *rate)
    await measure(UNDO, "audit", "undo", batch, *APPLY)
    service.kill()
    show(found)
    return found


def figures(rounds: list[dict[str, Runs]]) -> tuple[Figure, ...]:
    before = [found["before"] for found in rounds]
    times = ((name, [found[name] for found in rounds]) for name in (DRY_RUN, CHANGE, UNDO))
    made = (figures_of(f"during {name}", "the same before the batch", during, before) for name, during in times)
    return tuple(figure for one in made for figure in one)


def main() -> None:
    options_of = parser("many-players", __doc__, rounds=1)
    options_of.add_argument("--players", type=int, default=5000, help="how many are on the list (5,000)")
    options_of.add_argument("--batch-rate", type=float, default=100, help="players a second of libctl (100)")
    options_of.add_argument("--rate", type=float, default=100, help="other requests a second (100)")
    options_of.add_argument("--quiet-seconds", type=float, default=15, help="how long the floor is measured (15)")
    options = options_of.parse_args()
    rounds = []
    for _ in range(options.rounds):
        with started() as stack:
            rounds.append(asyncio.run(run(stack, options)))
    report(figures(rounds), options.json)


if __name__ == "__main__":
    main()
