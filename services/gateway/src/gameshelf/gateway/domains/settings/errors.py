"""Error codes and rules of game settings: statuses on each wire, and texts in Russian and English."""

from collections.abc import Mapping

from gameshelf.gateway.runtime.errors import Code

CODES: Mapping[str, Code] = {
    "SETTINGS_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Настройки не найдены", "Settings not found"),
        ("У этой игры нет таких настроек.", "There are no such settings of this game."),
    ),
}

RULES: Mapping[str, tuple[str, str]] = {
    "one_layer": (
        "Укажите либо platform, либо device_id: запись меняет один слой.",
        "Give platform or device_id: a write changes one layer.",
    ),
    "integer_too_large": (
        "Целое число не помещается в 64 бита; передайте его строкой.",
        "The whole number does not fit into 64 bits; send it as a string.",
    ),
    "finite_number": ("Число должно быть конечным.", "The number has to be finite."),
}
"""Rule → message when it is broken, in Russian and English."""
