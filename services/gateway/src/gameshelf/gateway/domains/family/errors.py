"""Error codes and rules of family sharing: statuses on each wire, and texts in Russian and English."""

from collections.abc import Mapping

from gameshelf.gateway.runtime.errors import Code

CODES: Mapping[str, Code] = {
    "FAMILY_LINK_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Семейная связь не найдена", "Family link not found"),
        ("У вас нет такой семейной связи.", "You have no such family link."),
    ),
    "FAMILY_ACCESS_RESTRICTED": Code(
        403,
        "PERMISSION_DENIED",
        ("Семейный доступ ограничен", "Family access restricted"),
        (
            "Семейная связь не даёт доступа к этой игре; причина в meta.reason.",
            "The family link does not give access to this game; meta.reason has the reason.",
        ),
    ),
    "FAMILY_SHARING_LINK_INVALID_STATE": Code(
        409,
        "FAILED_PRECONDITION",
        ("Недопустимое состояние семейной связи", "Invalid state of the family link"),
        ("В этом состоянии связи действие невозможно.", "The link's state does not allow this."),
    ),
    "FAMILY_SEAT_BUSY": Code(
        409,
        "FAILED_PRECONDITION",
        ("Копия занята", "Seat busy"),
        ("В эту копию сейчас играет другой.", "Somebody else plays this copy now."),
    ),
    "FAMILY_LIMIT_EXCEEDED": Code(
        422,
        "RESOURCE_EXHAUSTED",
        ("Достигнут предел семейного доступа", "Family limit exceeded"),
        (
            "Больше связей или приглашений пока нельзя.",
            "The maximum number of links or invitations is reached for now.",
        ),
    ),
}

RULES: Mapping[str, tuple[str, str]] = {
    "share_with_oneself": ("С самим собой делиться нельзя.", "You can't share with yourself."),
    "no_products_for_all": (
        "При mode=all список пуст; для списка укажите only или except.",
        "With mode=all the list is empty; use only or except for a list.",
    ),
    "in_the_past": ("Время должно быть в будущем.", "The time has to be in the future."),
}
"""Rule → message when it is broken, in Russian and English."""
