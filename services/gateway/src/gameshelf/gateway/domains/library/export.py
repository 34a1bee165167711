"""Selects a user's family links for an export: no index begins with the column of the other party."""

from collections.abc import Callable
from typing import Any

from gameshelf.gateway.runtime.support.export_tables import ExportRules, ExportTables
from gameshelf.kernel.sql import user
from sqlalchemy import and_, select, tuple_


def _shared_with(tables: ExportTables) -> Any:
    link, mirror = tables["library.family_sharing_links"], tables["library.family_memberships"].alias()
    mine = select(mirror.c.owner_user_id, mirror.c.id).where(mirror.c.user_id == user())
    return and_(tuple_(link.c.owner_user_id, link.c.id).in_(mine), link.c.shared_with_user_id == user())


def _members(table: str) -> Callable[[ExportTables], Any]:
    def where(tables: ExportTables) -> Any:
        kept, link = tables[table], tables["library.family_sharing_links"].alias()
        mine = select(link.c.shared_with_user_id, link.c.owner_user_id).where(link.c.owner_user_id == user())
        return tuple_(kept.c.user_id, kept.c.owner_user_id).in_(mine)

    return where


EXPORT = ExportRules(
    found_by={
        ("library.family_sharing_links", "shared_with_user_id"): _shared_with,
        ("library.family_memberships", "owner_user_id"): _members("library.family_memberships"),
        ("library.shared_products", "owner_user_id"): _members("library.shared_products"),
    }
)
