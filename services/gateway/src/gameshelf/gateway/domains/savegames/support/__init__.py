"""Support's commands on cloud saves."""
