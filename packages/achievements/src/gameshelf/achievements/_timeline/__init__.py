"""What happened to a user's achievements, for the timeline of support."""
