"""An index that is built while users write: Postgres allows no transaction around it.

Alembic commits what came before, builds the index, and writes its version down afterwards. Killed
in between, it finds an index of that name when it runs again, and cannot go on.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY purchase_customer ON shop.purchase (customer_id)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY shop.purchase_customer")
