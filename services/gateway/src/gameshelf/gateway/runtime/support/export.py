"""Exports a user's data in bounded parts: rows as JSON, and files."""

import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.encoding import decode, encode
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support.export_tables import ExportRules, Source, StoredFile, sources
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.errors import InvalidInput, Problem
from sqlalchemy import MetaData, select

ROWS = 500
"""Maximum number of rows per part."""
BYTES = 1024**2
"""Once a part has this many bytes, no further row is added."""
FILES = 10
"""Maximum number of files per part: their URLs expire within minutes."""


SignFile = Callable[[StoredFile], Awaitable[str]]
"""Signs a URL that downloads a file, valid for some minutes. Raises DependencyUnavailable."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file, and the table whose row it belongs to."""

    table: str
    file: StoredFile


@dataclass(slots=True)
class ExportPart:
    """A part of an export. ``cursor`` is empty at the end."""

    rows: dict[str, list[str]] = field(default_factory=dict)
    files: list[ExportedFile] = field(default_factory=list)
    cursor: str = ""
    done: int = 0
    total: int = 0

    def add_row(self, table: str, row: str, rules: ExportRules) -> None:
        """Adds a row, and the file that belongs to it."""
        self.rows.setdefault(table, []).append(row)
        self.done += 1
        if file_of := rules.files.get(table):
            file = file_of(decode(row))
            if file:
                self.files.append(ExportedFile(table, file))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part begins: after a key of a source, or at its beginning."""

    source: int
    key: Sequence[Any] | None
    done: int
    total: int


class Export:
    """Exports users. Each part has its own snapshot, so an export may or may not contain concurrent writes.

    Raises ValueError unless ``signers`` has an entry for each table of ``rules.files``.
    """

    def __init__(
        self, metadata: Iterable[MetaData], streams: UserStreams, rules: ExportRules, signers: Mapping[str, SignFile]
    ) -> None:
        if rules.files.keys() != signers.keys():
            raise ValueError(f"files of {sorted(rules.files)} are exported, those of {sorted(signers)} can be signed")
        self._rules = rules
        self._signers = signers
        self._sources = sources(metadata, rules)
        self._places = {source.name: place for place, source in enumerate(self._sources)}
        self._streams = streams

    async def sign(self, of: ExportedFile) -> str:
        """Signs a URL that downloads a file, valid for some minutes. Raises DependencyUnavailable."""
        return await self._signers[of.table](of.file)

    @cached_property
    def _count(self) -> Statement:
        return Statement(select(*(source.count for source in self._sources)))

    async def part(self, connection: Connection, user_id: UUID, cursor: str) -> ExportPart:
        """Exports the part that begins at a cursor; the empty cursor is the beginning. Raises InvalidInput.

        One round trip per table that it reads.
        """
        place = self._parse(user_id, cursor) if cursor else _Place(0, None, 0, await self._total(connection, user_id))
        part = ExportPart(done=place.done, total=place.total)
        number, key, rows, size = place.source, place.key, 0, 0
        while number < len(self._sources) and rows < ROWS and size < BYTES and len(part.files) < FILES:
            source = self._sources[number]
            limit = min(ROWS - rows, FILES if source.table.fullname in self._rules.files else ROWS)
            found = await self._read(connection, source, user_id, key, limit, BYTES - size)
            for row in found:
                part.add_row(source.table.fullname, row["row"], self._rules)
                rows, size = rows + 1, size + len(row["row"].encode())
            is_last = not found or (len(found) == found[0]["page_size"] < limit)
            number, key = (number + 1, None) if is_last else (number, _key(source, found[-1]))
        if number < len(self._sources):
            part.cursor = self._text(user_id, _Place(number, key, part.done, part.total))
        return part

    async def _read(
        self, connection: Connection, source: Source, user_id: UUID, key: Sequence[Any] | None, limit: int, size: int
    ) -> list[Any]:
        given = {"user_id": user_id, "user_hash": self._streams.hash(user_id), "limit": limit, "bytes": size}
        if key is None:
            return await source.first.all(connection, **given)
        return await source.after.all(connection, **given, **source.parse(list(key)))

    async def _total(self, connection: Connection, user_id: UUID) -> int:
        row = await self._count.first(connection, user_id=user_id, user_hash=self._streams.hash(user_id))
        return sum(row.values()) if row else 0

    def _text(self, user_id: UUID, place: _Place) -> str:
        whose = self._streams.hash(user_id)[:8].hex()
        source = self._sources[place.source].name
        return base64.urlsafe_b64encode(encode([whose, source, place.key, place.done, place.total])).decode()

    def _parse(self, user_id: UUID, cursor: str) -> _Place:
        """Parses a cursor of this user and of a table that exists. Raises InvalidInput."""
        try:
            place = decode(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
            whose, name, key, done, total = place
            if whose != self._streams.hash(user_id)[:8].hex() or not all(type(one) is int for one in (done, total)):
                raise ValueError
            place = _Place(self._places[name], key, min(abs(done), 2**62), min(abs(total), 2**62))
            if key is not None:
                self._sources[place.source].parse(key)
            return place
        except (ValueError, TypeError, KeyError, OverflowError):
            raise InvalidInput(Problem("not_a_cursor", pointer="cursor")) from None


def _key(source: Source, row: Any) -> list[Any]:
    """Returns the key of a row in the form of a cursor."""
    key: list[Any] = decode(encode([row[f"k{place}"] for place in range(len(source.key))]))
    return key
