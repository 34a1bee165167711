"""Drills: the newest backup is restored into a scratch server, checked, and measured against limits."""
