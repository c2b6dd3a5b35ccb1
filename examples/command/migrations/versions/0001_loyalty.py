"""Every customer gets a loyalty level, worked out from what was paid."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("ALTER TABLE shop.customer ADD COLUMN loyalty text NOT NULL DEFAULT 'new'")
    op.execute(
        """
        UPDATE shop.customer AS c SET loyalty = 'regular'
        WHERE (SELECT count(*) FROM shop.purchase AS p WHERE p.customer_id = c.id) > 3
        """
    )
    op.execute(
        "ALTER TABLE shop.customer ADD CONSTRAINT customer_loyalty"
        " CHECK (loyalty IN ('new', 'regular'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE shop.customer DROP COLUMN loyalty")
