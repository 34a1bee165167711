"""Support's commands on libraries and access."""
