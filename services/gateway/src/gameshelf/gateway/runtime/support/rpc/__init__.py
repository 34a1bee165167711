"""``LibraryAdminService``: who may, what is audited, and the commands that are no domain's."""
