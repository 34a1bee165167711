"""Attempts to report an achievement that were refused, which are kept for a time so that support can explain them."""
