"""The versions of games that a process has seen, until a job stores them. They may be lost with the process."""

from datetime import datetime
from itertools import islice
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.savegames._store.game_versions import add_game_versions

MAX_REMEMBERED = 10_000
"""So many versions of games wait for the job, and so many stored ones are not stored again."""


class SeenGameVersions:
    """The versions that were seen since the job ran last."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[UUID, str], datetime] = {}
        self._stored: set[tuple[UUID, str]] = set()

    def note(self, product_id: UUID, game_version_id: str, at: datetime) -> None:
        """Notes when a version of a game was seen. The earliest time counts."""
        key = (product_id, game_version_id)
        if key in self._stored:
            return
        if key in self._waiting or len(self._waiting) < MAX_REMEMBERED:
            self._waiting[key] = min(at, self._waiting.get(key, at))

    @property
    def is_waiting(self) -> bool:
        """Whether versions have to be stored."""
        return bool(self._waiting)

    async def store(self, connection: Connection, limit: int = 1000) -> None:
        """Stores some of the versions. What fails to be stored still waits."""
        some = dict(islice(self._waiting.items(), limit))
        await add_game_versions(connection, some)
        for one in some:
            self._waiting.pop(one, None)
        if len(self._stored) >= MAX_REMEMBERED:
            self._stored.clear()
        self._stored.update(some)
