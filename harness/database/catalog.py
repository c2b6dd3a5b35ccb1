"""What a database holds of its users': their relations, without those of the server and of us."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from harness.database.ledger_names import ARCHIVE, SCHEMA

Connection = psycopg.Connection[Any]

MAINTENANCE_SCHEMA: Final = "migration_maintenance"
"""Where maintenance mode keeps its lease; the trigger that it puts on tables has that name too."""
OUTBOX_SCHEMA: Final = "migration_outbox"
"""Where webhooks wait for their receivers; they outlive a migration and the way back."""
MAIL_SCHEMA: Final = "migration_mail"
"""Where mails of a window are kept; they outlive a migration and the way back, too."""
OUR_SCHEMAS: Final = (SCHEMA, ARCHIVE, MAINTENANCE_SCHEMA, OUTBOX_SCHEMA, MAIL_SCHEMA)
"""What the harness keeps in a database it migrates: ledger, archive, maintenance, webhooks."""
TABLES: Final = ("r", "p")
READABLE: Final = ("r", "p", "v", "m", "f")
"""The kinds of relations that hold or show rows, as pg_class has them."""

USER_RELATIONS: Final = f"""
select c.oid, n.nspname::text as schema, c.relname::text as relation, c.relkind::text as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and n.nspname not in
        ('{SCHEMA}', '{ARCHIVE}', '{MAINTENANCE_SCHEMA}', '{OUTBOX_SCHEMA}', '{MAIL_SCHEMA}')
"""  # noqa: S608 - constants
"""A query of the user's relations of every kind: oid, schema, relation, kind, and quoted name."""


def user_relations(conn: Connection, kinds: Sequence[str] = READABLE) -> list[str]:
    """The user's relations of these kinds, as SQL writes their names, in order."""
    query = f"select name from ({USER_RELATIONS}) r where r.kind = any(%s) order by name"  # noqa: S608 - a constant
    return [row[0] for row in conn.execute(query.encode(), [list(kinds)])]
