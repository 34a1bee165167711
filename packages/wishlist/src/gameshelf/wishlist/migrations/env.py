from gameshelf.kernel.migrations import run
from gameshelf.wishlist._models import WishlistItem

run(WishlistItem.metadata)
