"""What support may change of cloud saves."""
