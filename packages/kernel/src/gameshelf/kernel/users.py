"""Users, as far as packages that know nothing of each other share them."""

from uuid import UUID

ERASED_USER = UUID(int=0)
"""Stands for an account that was erased, wherever others keep or are told something that named it."""
