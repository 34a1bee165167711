"""Changes of cloud saves by support."""
