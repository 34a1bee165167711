"""Error codes and rules of achievements: statuses on each wire, and texts in Russian and English."""

from collections.abc import Mapping

from gameshelf.gateway.runtime.errors import Code

CODES: Mapping[str, Code] = {
    "ACHIEVEMENT_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Достижение не найдено", "Achievement not found"),
        ("Такого достижения нет.", "There is no such achievement."),
    ),
    "ACHIEVEMENT_ALREADY_UNLOCKED": Code(
        409,
        "ALREADY_EXISTS",
        ("Достижение уже получено", "Achievement already unlocked"),
        ("Вы уже получили это достижение.", "You have unlocked this achievement already."),
    ),
}
