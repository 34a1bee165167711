"""Published forms of the achievements' events: CloudEvents for Kafka, and messages for the user's devices."""

from collections.abc import Mapping

from gameshelf.achievements import AchievementLocked, AchievementUnlocked
from gameshelf.gateway.runtime.outbox.messages import SILENT, EventForm, Published
from gameshelf.kernel.events import Event


def _achievement_unlocked(event: AchievementUnlocked) -> Published:
    return Published(
        "com.platform.library.achievement.unlocked.v1",
        {
            "userId": event.user_id,
            "productId": event.product_id,
            "achievementMetaId": event.achievement_id,
            "unlockedAt": event.unlocked_at,
        },
        "achievement.unlocked",
        {
            "product_id": event.product_id,
            "achievement_id": event.achievement_id,
            "achievement_name": event.name_ru or event.name_en or event.api_name,
            "achievement_names": {"ru": event.name_ru, "en": event.name_en},
            "unlocked_at": event.unlocked_at,
        },
    )


FORMS: Mapping[type[Event], EventForm] = {
    AchievementUnlocked: EventForm(_achievement_unlocked),
    # The library item shows achievements that support has locked again.
    AchievementLocked: SILENT,
}
