"""Settings of games."""
