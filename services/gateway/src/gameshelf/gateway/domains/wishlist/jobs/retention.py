"""The retention rule for notifications of sales."""

from datetime import datetime, timedelta

from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.kernel.database import Connection
from gameshelf.wishlist import SaleFanouts


async def _prune_notified(connection: Connection, before: datetime, limit: int) -> int:
    return await SaleFanouts(connection).prune_notifications(before, limit)


RETENTION = (RetentionRule("sales", timedelta(days=400), _prune_notified),)
