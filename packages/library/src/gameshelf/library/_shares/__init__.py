"""What owners share, kept with their members."""
