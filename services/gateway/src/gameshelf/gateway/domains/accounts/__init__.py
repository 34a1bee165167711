"""Accounts: overview, export and erasure of a user."""
