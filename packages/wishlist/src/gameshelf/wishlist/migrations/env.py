from gameshelf.kernel.migrations import run
from gameshelf.wishlist.models import WishlistItem

run(WishlistItem.metadata)
