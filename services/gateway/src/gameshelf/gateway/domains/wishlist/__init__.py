"""The wishlist, prices and sales."""
