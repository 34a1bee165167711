"""Errors of the library, with the codes of the contract."""

from gameshelf.kernel.errors import DomainError, PermissionDenied, ResourceNotFound


class LibraryItemNotFound(ResourceNotFound):
    """There is no such item in your library."""

    code = "LIBRARY_ITEM_NOT_FOUND"


class ItemChanged(DomainError):
    """The item has changed since it was read; ``meta["current"]`` is what it is now."""

    code = "PRECONDITION_FAILED"


class CategoryNotFound(ResourceNotFound):
    """There is no such category."""

    code = "CATEGORY_NOT_FOUND"


class CategoryAlreadyExists(DomainError):
    """You already have a category of this name."""

    code = "CATEGORY_ALREADY_EXISTS"


class ProductAlreadyOwned(DomainError):
    """You already own this product."""

    code = "PRODUCT_ALREADY_OWNED"


class ProductNotFound(ResourceNotFound):
    """There is no such product."""


class GrantNotFound(ResourceNotFound):
    """No such grant of this product lives."""


class ProductNotFree(PermissionDenied):
    """This product is not free to play."""
