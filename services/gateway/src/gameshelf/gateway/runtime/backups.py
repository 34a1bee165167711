"""How old the newest backup is. ``libctl backup create`` notes each one in the database that it is of."""

import math

from gameshelf.gateway.runtime.tables import Backup
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import Double, cast, func, select
from sqlmodel import col

_AGE = Statement(
    select(cast(func.extract("epoch", func.clock_timestamp() - func.max(col(Backup.point))), Double).label("seconds"))
)


async def age_seconds(connection: Connection) -> float:
    """How long ago the moment is that the newest backup of any kind is of; infinite where none was noted."""
    row = await _AGE.first(connection)
    return math.inf if row is None or row["seconds"] is None else max(row["seconds"], 0.0)
