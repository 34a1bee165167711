"""Indexes by which support finds things of all users.

They are of expressions. In the statements of users the planner would prefer an index of the column itself, which hardly
two rows share, to the user's key.
"""

from sqlalchemy import Index, func, literal_column, text

TITLE_WORDS = (
    "to_tsvector('simple'::regconfig, (COALESCE(sort_key_ru, ''::character varying)::text || ' '::text) || "
    "COALESCE(sort_key_en, ''::character varying)::text)"
)
"""The words of both folded titles of a product, in the form in which PostgreSQL shows the index."""


def grants_by_source() -> Index:
    """Grants by the id of their order, key or gift, or by its beginning, in any case."""
    source_key = func.lower(literal_column("source_id")).label("source_key")
    return Index("ix_ownership_grants_source", source_key, postgresql_ops={"source_key": "text_pattern_ops"})


def links_by_id() -> Index:
    """Family links by their id alone, or by its beginning."""
    return Index("ix_family_sharing_links_id", text("uuid_send(id)"))


def products_by_words() -> Index:
    """Products by the words of their titles. It has no list of pending entries, through which a search would go."""
    return Index("ix_products_words", text(TITLE_WORDS), postgresql_using="gin", postgresql_with={"fastupdate": "off"})
