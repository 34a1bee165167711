"""The function that ends a statement which found its user changed."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The service repeats what ends with a serialization failure, under a lock.
    op.execute("""
        CREATE FUNCTION gateway.lost_race() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
            RAISE EXCEPTION 'another transaction has changed the data of this user'
                USING ERRCODE = 'serialization_failure';
        END
        $$
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION gateway.lost_race()")
