"""What happened to a user's settings, for the timeline of support."""
