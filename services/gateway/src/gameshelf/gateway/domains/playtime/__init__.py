"""Play sessions and playtime."""
