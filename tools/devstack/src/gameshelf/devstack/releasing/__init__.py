"""Releases of the distributions in this repository: versions, changelogs, ranges between packages, tags."""
