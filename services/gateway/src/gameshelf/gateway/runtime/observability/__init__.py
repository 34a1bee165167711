"""Logs, metrics and traces (contract, section 10)."""
