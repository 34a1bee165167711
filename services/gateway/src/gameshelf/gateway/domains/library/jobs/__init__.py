"""Periodic work of the library."""
