"""How Alembic connects: where DATABASE_URL says, as in production."""

import os

from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
engine = create_engine(url, poolclass=pool.NullPool)

with engine.connect() as connection:
    # one transaction a revision: what a revision did and the row that says so commit together
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
