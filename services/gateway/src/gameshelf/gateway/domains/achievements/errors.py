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

RULES: Mapping[str, tuple[str, str]] = {
    "one_achievement": (
        "Укажите либо achievement_id, либо product_id вместе с api_name.",
        "Give either achievement_id, or product_id with api_name.",
    ),
    "one_change": (
        "Укажите либо unlocked, равное true, либо current_progress.",
        "Give either unlocked, which is true, or current_progress.",
    ),
}
"""Rule → message when it is broken, in Russian and English."""
