"""Error codes and rules of playtime: statuses on each wire, and texts in Russian and English."""

from collections.abc import Mapping

from gameshelf.gateway.runtime.errors import Code

CODES: Mapping[str, Code] = {
    "SESSION_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Игровая сессия не найдена", "Session not found"),
        ("У вас нет такой игровой сессии.", "You have no such session."),
    ),
    "SESSION_ALREADY_ENDED": Code(
        409,
        "FAILED_PRECONDITION",
        ("Игровая сессия завершена", "Session already ended"),
        ("Эта игровая сессия уже завершена; начните новую.", "This session has ended; start a new one."),
    ),
    "FAMILY_SEAT_LOST": Code(
        409,
        "FAILED_PRECONDITION",
        ("Место потеряно", "Seat lost"),
        ("В игру играет владелец; ваша сессия завершена.", "The owner plays; your session has ended."),
    ),
}

RULES: Mapping[str, tuple[str, str]] = {
    "since_after_until": ("Начало не может быть позже конца.", "The beginning can't be after the end."),
    "too_many_days": ("Не больше {max} дней.", "At most {max} days."),
    "correction": (
        "Ожидается от {ge} до {le} секунд, но не ноль.",
        "A number of seconds from {ge} to {le}, but not zero, is expected.",
    ),
}
"""Rule → message when it is broken, in Russian and English."""
