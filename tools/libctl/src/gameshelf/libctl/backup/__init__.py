"""Backups of the packages' schemas: made, verified and restored by PostgreSQL's own tools."""
