"""Error codes and rules of the library: statuses on each wire, and texts in Russian and English."""

from collections.abc import Mapping

from gameshelf.gateway.runtime.errors import Code

CODES: Mapping[str, Code] = {
    "LIBRARY_ITEM_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Элемент библиотеки не найден", "Library item not found"),
        ("В вашей библиотеке нет такого элемента.", "There is no such item in your library."),
    ),
    "CATEGORY_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Категория не найдена", "Category not found"),
        ("У вас нет такой категории.", "You have no such category."),
    ),
    "CATEGORY_ALREADY_EXISTS": Code(
        409,
        "ALREADY_EXISTS",
        ("Категория уже существует", "Category already exists"),
        ("У вас уже есть категория с таким названием.", "You already have a category of this name."),
    ),
    "PRODUCT_ALREADY_OWNED": Code(
        409,
        "ALREADY_EXISTS",
        ("Продукт уже в библиотеке", "Product already owned"),
        ("Этот продукт уже принадлежит вам.", "You already own this product."),
    ),
}

RULES: Mapping[str, tuple[str, str]] = {
    "too_many_categories": ("Не больше {max} категорий.", "At most {max} categories."),
    "categories_or_changes": (
        "Либо весь список category_ids, либо add_category_ids и remove_category_ids.",
        "Give category_ids as a whole, or add_category_ids and remove_category_ids.",
    ),
    "added_and_removed": (
        "Категория не может быть и добавлена, и убрана.",
        "A category can't be both added and removed.",
    ),
    "repeated_id": ("Каждый элемент называется один раз.", "Each item is named once."),
}
"""Rule → message when it is broken, in Russian and English."""
