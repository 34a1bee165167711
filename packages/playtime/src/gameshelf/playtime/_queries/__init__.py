"""Reads of playtime: SQL to plain values. Nothing here writes or decides."""
