"""Events of the Account service (contract, section 6)."""

from uuid import UUID

from gameshelf.gateway.runtime.kafka.fields import EventData
from gameshelf.kernel.clock import EventTime


class AccountDeleted(EventData):
    user_id: UUID
    deleted_at: EventTime = None
