"""Replaced and deleted payloads, which are kept for a time so that support can restore them."""
