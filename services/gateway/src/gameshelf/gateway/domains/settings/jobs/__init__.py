"""Periodic work of settings."""
