"""Events of the Account service (contract, section 6)."""

from collections.abc import Mapping
from uuid import UUID

from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent
from gameshelf.gateway.runtime.kafka.fields import EventData
from gameshelf.kernel.clock import EventTime


class AccountDeleted(EventData):
    user_id: UUID
    deleted_at: EventTime = None


EVENTS: Mapping[str, ConsumedEvent] = {
    "com.platform.account.user.deleted.v1": ConsumedEvent(
        "com.platform.account.events.v1", AccountDeleted, ends_account=True
    ),
}
