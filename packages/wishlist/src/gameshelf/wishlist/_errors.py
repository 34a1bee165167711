"""Errors of a wishlist, with the contract's codes."""

from gameshelf.kernel.errors import DomainError, ResourceNotFound


class GameNotFoundInWishlist(ResourceNotFound):
    """There is no such item on your wishlist."""

    code = "GAME_NOT_FOUND_IN_WISHLIST"


class WishlistItemAlreadyExists(DomainError):
    """This product is on your wishlist already."""

    code = "WISHLIST_ITEM_ALREADY_EXISTS"


class WishlistLimitExceeded(DomainError):
    """Your wishlist is full."""

    code = "WISHLIST_LIMIT_EXCEEDED"


class ProductAlreadyOwned(DomainError):
    """You already own this product."""

    code = "PRODUCT_ALREADY_OWNED"
