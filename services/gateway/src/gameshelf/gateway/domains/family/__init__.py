"""Family sharing: links and seats."""
