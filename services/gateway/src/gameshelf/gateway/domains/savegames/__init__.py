"""Cloud saves."""
