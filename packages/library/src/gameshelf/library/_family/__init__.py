"""Sharing a library: links between an owner and members, and the seats of shared copies."""
