"""Links are found by their id alone or its beginning, and products by the words of their titles, for support."""

from gameshelf.kernel.schema_changes import create_index, drop_index
from sqlalchemy import text

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_WORDS = (
    "to_tsvector('simple'::regconfig, (COALESCE(sort_key_ru, ''::character varying)::text || ' '::text) || "
    "COALESCE(sort_key_en, ''::character varying)::text)"
)


def upgrade() -> None:
    create_index("ix_family_sharing_links_id", "family_sharing_links", [text("uuid_send(id)")], schema="library")
    create_index(
        "ix_products_words",
        "products",
        [text(_WORDS)],
        schema="library",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )


def downgrade() -> None:
    drop_index("ix_products_words", "products", schema="library")
    drop_index("ix_family_sharing_links_id", "family_sharing_links", schema="library")
