"""The age of the newest backup of each kind, and of the newest drill. ``libctl backup`` records both in the database.

A kind is shown from its first record on. Dumps are expected in any case: without a record their age is infinite.
"""

import math
from dataclasses import dataclass
from typing import Any

from gameshelf.gateway.runtime.tables import Backup, BackupDrill
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import Double, cast, func, literal, select, union_all
from sqlmodel import col

EXPECTED = "logical"
"""The kind that is missing where nothing was recorded."""


def _age(moment: Any) -> Any:
    return cast(func.extract("epoch", func.clock_timestamp() - moment), Double).label("seconds")


_AGES = Statement(
    union_all(
        select(literal(False).label("is_drill"), col(Backup.kind).label("kind"), _age(col(Backup.point))),
        select(literal(True), col(BackupDrill.kind), _age(col(BackupDrill.held_at))),
    )
)


@dataclass(frozen=True, slots=True)
class BackupAges:
    """Seconds by kind, since the newest backup's snapshot, and since the newest drill that has passed."""

    backups: dict[str, float]
    drills: dict[str, float]


async def ages(connection: Connection) -> BackupAges:
    """Returns both in one round trip."""
    found = BackupAges({EXPECTED: math.inf}, {EXPECTED: math.inf})
    for row in await _AGES.all(connection):
        (found.drills if row["is_drill"] else found.backups)[row["kind"]] = max(row["seconds"], 0.0)
    return found
