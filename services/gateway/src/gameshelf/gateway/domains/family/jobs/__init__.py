"""Periodic jobs of family sharing."""
