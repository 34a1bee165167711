"""Cloud saves: whole uploads and downloads, on top of the calls of the service."""
