"""Commits an upload, or writes lists, in a process that ends at a step as by a kill.

Arguments: the step, and the ids of the user and of the upload. The settings are those of the environment.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames.list_writer import ListWriter
from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.object_store import object_store
from gameshelf.gateway.domains.savegames.sets import SetCommits
from gameshelf.gateway.domains.savegames.settings import SavegameSection
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.gateway.wiring import EVENT_RULES, make_services
from gameshelf.savegames import FileResult, FilesToVerify, SavegameSets

_UNWRITTEN = "UPDATE savegames.savegame_contents SET is_written = false WHERE user_id = $1 AND kind = 'list'"
KILLED = 9
"""The exit code at the step."""


class Steps:
    """Ends the process at the step that it was started for."""

    def __init__(self, step: str) -> None:
        self._step = step

    def reached(self, step: str) -> None:
        if step == self._step:
            os._exit(KILLED)


class KilledStore:
    """The store, with steps between its calls."""

    def __init__(self, objects: Any, steps: Steps) -> None:
        self._objects, self._steps = objects, steps

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._objects, name)
        after = {"copy": "copied", "digest": "digested", "put": "list-put"}.get(name)

        async def with_steps(*args: Any, **kwargs: Any) -> Any:
            if name == "copy":
                self._steps.reached("pending-written")
            found = await call(*args, **kwargs)
            if after:
                self._steps.reached(after)
            return found

        return with_steps


class KilledCommits(SetCommits):
    """Commits with a step behind each note of results."""

    def __init__(self, steps: Steps, *args: Any) -> None:
        super().__init__(*args)
        self._steps = steps

    async def _take(
        self, user_id: UUID, upload_id: UUID, done: Sequence[FileResult], after: bytes, limit: int
    ) -> FilesToVerify:
        files = await super()._take(user_id, upload_id, done, after, limit)
        if done:
            self._steps.reached("noted")
        return files


async def main(step: str, user_id: UUID, upload_id: UUID) -> None:
    steps, settings, metrics = Steps(step), load_settings(os.environ), Metrics([SavegameMetrics])
    objects = object_store(settings)
    assert objects
    await objects.open()
    pool = await asyncpg.create_pool(settings.postgres_dsn.get_secret_value(), min_size=1, max_size=4)
    streams = UserStreams(settings.erasure_hash_key.get_secret_value().encode())
    transactions = Transactions(
        pool.acquire, streams, make_services(settings), EVENT_RULES, "events", lambda done: None
    )
    section, own = settings.of(SavegameSection), metrics.of(SavegameMetrics)
    store: Any = KilledStore(objects, steps)
    saves = Saves(store, transactions, own, section.s3_url_ttl_seconds, section.limits.quota_bytes)
    if step == "list-put":
        while True:  # another process may write the list before this one does
            await pool.execute(_UNWRITTEN, user_id)
            await ListWriter(pool.acquire, saves, metrics).run_once()
    else:
        about = (saves, transactions, pool.acquire, own, lambda transaction: transaction.of(SavegameSets), 60.0)
        await KilledCommits(steps, *about).verify(user_id, upload_id)
        steps.reached("before-finish")

        async def finish(transaction: Transaction) -> Any:
            return await transaction.of(SavegameSets).finish(user_id, upload_id)

        await transactions.run(user_id, finish)
        steps.reached("after-finish")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3])))
