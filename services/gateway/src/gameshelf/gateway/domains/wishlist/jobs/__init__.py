"""Periodic jobs of the wishlist."""
