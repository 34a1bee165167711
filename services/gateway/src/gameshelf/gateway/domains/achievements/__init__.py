"""Achievements and their rarity."""
