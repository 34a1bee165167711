"""Periodic work of family sharing."""
