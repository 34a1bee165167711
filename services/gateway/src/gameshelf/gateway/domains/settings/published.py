"""Published forms of the settings' events: CloudEvents for Kafka, and messages for the user's devices."""

from collections.abc import Mapping

from gameshelf.gateway.runtime.outbox.messages import EventForm, Published
from gameshelf.kernel.events import Event
from gameshelf.settings import SettingsUpdated


def _settings_updated(event: SettingsUpdated) -> Published:
    return Published(
        "com.platform.library.game.settings.updated.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "revision": event.revision,
            "layer": event.layer,
            "platform": event.platform,
            "deviceId": event.device_id,
            "isDeleted": event.is_deleted,
            "updatedAt": event.occurred_at,
        },
        "settings.updated",
        {
            "product_id": event.product_id,
            "revision": event.revision,
            "layer": event.layer,
            "platform": event.platform,
            "device_id": event.device_id,
            "is_deleted": event.is_deleted,
            "updated_at": event.occurred_at,
        },
    )


FORMS: Mapping[type[Event], EventForm] = {SettingsUpdated: EventForm(_settings_updated)}
