"""Periodic jobs of achievements."""
