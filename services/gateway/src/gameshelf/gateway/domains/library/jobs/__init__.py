"""Periodic jobs of the library."""
