"""Support commands: roles, changes with dry runs and undos, the audit, exports, and dead letters."""
