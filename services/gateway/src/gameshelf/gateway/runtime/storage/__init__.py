"""Clients of the stores."""
