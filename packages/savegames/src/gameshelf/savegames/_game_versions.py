"""The versions of games that a process has seen, until a job stores them. They may be lost with the process."""

from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.savegames._store.game_versions import add_game_versions

MAX_REMEMBERED = 10_000
"""So many versions of games wait for the job, and so many stored ones are not stored again."""


class SeenGameVersions:
    """The versions that were seen since the job ran last."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[UUID, str], None] = {}
        self._stored: set[tuple[UUID, str]] = set()

    def note(self, product_id: UUID, game_version_id: str | None) -> None:
        """Notes a version of a game. None: a device or a save does not say its version."""
        if game_version_id is None or (product_id, game_version_id) in self._stored:
            return
        if len(self._waiting) < MAX_REMEMBERED:
            self._waiting[product_id, game_version_id] = None

    @property
    def is_waiting(self) -> bool:
        """Whether versions have to be stored."""
        return bool(self._waiting)

    async def store(self, connection: Connection, now: datetime, limit: int = 1000) -> None:
        """Stores some of the versions. What fails to be stored still waits."""
        some = list(self._waiting)[:limit]
        await add_game_versions(connection, some, now)
        for one in some:
            self._waiting.pop(one, None)
        if len(self._stored) >= MAX_REMEMBERED:
            self._stored.clear()
        self._stored.update(some)
