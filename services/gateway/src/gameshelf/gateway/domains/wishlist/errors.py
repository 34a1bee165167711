"""Error codes and rules of the wishlist: statuses on each wire, and texts in Russian and English."""

from collections.abc import Mapping

from gameshelf.gateway.runtime.errors import Code

CODES: Mapping[str, Code] = {
    "GAME_NOT_FOUND_IN_WISHLIST": Code(
        404,
        "NOT_FOUND",
        ("Игра не найдена в списке желаемого", "Game not found in the wishlist"),
        ("В вашем списке желаемого нет такого элемента.", "There is no such item on your wishlist."),
    ),
    "WISHLIST_ITEM_ALREADY_EXISTS": Code(
        409,
        "ALREADY_EXISTS",
        ("Уже в списке желаемого", "Already on the wishlist"),
        ("Этот продукт уже в вашем списке желаемого.", "This product is on your wishlist already."),
    ),
    "WISHLIST_LIMIT_EXCEEDED": Code(
        422,
        "RESOURCE_EXHAUSTED",
        ("Список желаемого заполнен", "The wishlist is full"),
        ("Удалите что-нибудь из списка желаемого.", "Remove something from your wishlist first."),
    ),
}

RULES: Mapping[str, tuple[str, str]] = {
    "stale_order": (
        "Назовите каждый элемент списка ровно один раз; прочитайте список заново.",
        "Name every item of the list once; read the list again.",
    ),
}
"""Rule → message when it is broken, in Russian and English."""
