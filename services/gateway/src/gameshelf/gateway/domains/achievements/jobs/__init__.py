"""Periodic work of achievements."""
