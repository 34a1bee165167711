"""The rows of a part of the users, by table."""

from collections import defaultdict
from random import Random

from _fill.binary import HEADER, TRAILER, Target


class Rows:
    """Collects encoded rows."""

    def __init__(self) -> None:
        self._rows: defaultdict[Target, list[bytes]] = defaultdict(list)

    def add(self, target: Target, *fields: bytes) -> None:
        self._rows[target].append(target.row(*fields))

    def count(self) -> int:
        return sum(map(len, self._rows.values()))

    def copies(self, draw: Random) -> dict[str, bytes]:
        """What COPY reads, by table.

        The rows of a table are shuffled: users buy and play over years, so the rows of a user are not side by side in
        the table, and the first page of a cold user is not one page of the disk.
        """
        for rows in self._rows.values():
            draw.shuffle(rows)
        return {target.table: b"".join((HEADER, *rows, TRAILER)) for target, rows in self._rows.items()}
