"""Every SQL statement of the code, found and judged: for the tests that prove something of all of them."""

from gameshelf.devstack.statements.across import ACROSS, GROUPS, AcrossUsers, Reason, list_as_table
from gameshelf.devstack.statements.classes import Class, Verdict, classify, is_read, tables_in
from gameshelf.devstack.statements.found import PACKAGES, found, tables
from gameshelf.devstack.statements.rows import Tables
from gameshelf.devstack.statements.sent import across_users
from gameshelf.devstack.statements.values import values
from gameshelf.devstack.statements.work import PLANS, Measured, Work

__all__ = [
    "ACROSS",
    "GROUPS",
    "PACKAGES",
    "PLANS",
    "AcrossUsers",
    "Class",
    "Measured",
    "Reason",
    "Tables",
    "Verdict",
    "Work",
    "across_users",
    "classify",
    "found",
    "is_read",
    "list_as_table",
    "tables",
    "tables_in",
    "values",
]
