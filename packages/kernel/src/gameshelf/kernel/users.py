"""Constants about users that all packages share."""

from uuid import UUID

ERASED_USER = UUID(int=0)
"""Replaces the id of an erased account in other users' data and in events about it."""
