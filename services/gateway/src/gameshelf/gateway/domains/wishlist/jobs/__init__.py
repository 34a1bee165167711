"""Periodic work of the wishlist."""
