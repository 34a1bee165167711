"""One folder per domain."""
