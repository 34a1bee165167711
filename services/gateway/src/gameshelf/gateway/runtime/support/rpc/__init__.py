"""``LibraryAdminService``, and the runtime's own commands."""
