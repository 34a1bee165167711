"""The age of the newest backup. ``libctl backup create`` records each backup in the database that it saves."""

import math

from gameshelf.gateway.runtime.tables import Backup
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import Double, cast, func, select
from sqlmodel import col

_AGE = Statement(
    select(cast(func.extract("epoch", func.clock_timestamp() - func.max(col(Backup.point))), Double).label("seconds"))
)


async def age_seconds(connection: Connection) -> float:
    """Returns the age of the newest backup's snapshot, of any kind; infinite if none was recorded."""
    row = await _AGE.first(connection)
    return math.inf if row is None or row["seconds"] is None else max(row["seconds"], 0.0)
