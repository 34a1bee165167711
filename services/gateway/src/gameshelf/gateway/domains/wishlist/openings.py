"""What a change of a wishlist reads and locks first."""

from uuid import UUID

from gameshelf.gateway.runtime.unit_of_work.opening import Opening
from gameshelf.library import AccessQueries, LibraryQueries
from gameshelf.wishlist import NewWish, WishlistService


def new_wish(user_id: UUID, body: NewWish) -> Opening:
    """Opens the addition of a product."""
    product_id = body.product_id
    return Opening(
        [
            AccessQueries.lookup_owned(user_id, product_id),
            LibraryQueries.lookup_products([product_id]),
            *WishlistService.lookups_of_add(user_id, product_id),
        ],
        locks=[WishlistService.lock_of_price(product_id)],
    )
