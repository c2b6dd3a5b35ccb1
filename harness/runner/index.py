"""Look at an index: is it there, finished, and the one a statement describes?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from pglast.parser import scan

from harness.plan import Statement
from harness.plan.check import tree
from harness.runner.connection import Connection

LOOK = """
SELECT c.relkind IN ('i', 'I'), tn.nspname, t.relname,
  coalesce(i.indisvalid AND i.indisready AND i.indislive, false),
  CASE WHEN i.indexrelid IS NOT NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid) END
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""


@dataclass(frozen=True)
class Name:
    """A schema-qualified name."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The name as SQL."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in (self.schema, self.name))


@dataclass(frozen=True)
class Found:
    """What bears the name of an index."""

    is_index: bool
    table: Name | None
    finished: bool
    definition: str | None


@dataclass(frozen=True)
class Wanted:
    """What a concurrent statement is about: an index, and for CREATE its table."""

    index: Name
    table: Name | None
    statement: Statement

    @property
    def named(self) -> str:
        """What is done to which index, as a checkpoint keeps it: create "public"."i"."""
        return f"{'create' if self.creates else 'drop'} {self.index.sql}"

    @property
    def creates(self) -> bool:
        """Whether the statement is CREATE INDEX; else it is DROP INDEX."""
        return self.table is not None


def wanted(statement: Statement) -> Wanted:
    """Read a checked concurrent statement."""
    node: Any = tree(statement)
    if statement.tag == "IndexStmt":
        table = Name(node.relation.schemaname, node.relation.relname)
        return Wanted(Name(table.schema, node.idxname), table, statement)
    schema, name = (part.sval for part in node.objects[0])
    return Wanted(Name(schema, name), None, statement)


def look(conn: Connection, name: Name) -> Found | None:
    """What bears this name now, or None."""
    row = conn.execute(LOOK, [name.schema, name.name]).fetchone()
    if row is None:
        return None
    is_index, schema, table, finished, definition = row
    return Found(is_index, Name(schema, table) if table else None, finished, definition)


def is_described(conn: Connection, found: Found, want: Wanted) -> bool:
    """Whether a finished index is the one the statement describes, by definition.

    The server is asked: the statement is run on an empty copy of the table, in a transaction that
    is rolled back, and the two definitions are compared from the access method on.
    """
    if found.table != want.table or found.definition is None or want.table is None:
        return False
    conn.execute("BEGIN")
    try:
        conn.execute(
            f"CREATE TEMP TABLE harness_probe (LIKE {want.table.sql}) ON COMMIT DROP".encode()
        )
        conn.execute(on_probe(want.statement.text).encode())
        row = conn.execute(
            "SELECT pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index AS i"
            " WHERE i.indrelid = 'pg_temp.harness_probe'::pg_catalog.regclass"
        ).fetchone()
    finally:
        if conn.info.transaction_status != psycopg.pq.TransactionStatus.UNKNOWN:
            conn.execute("ROLLBACK")
    return row is not None and without_names(row[0]) == without_names(found.definition)


def on_probe(text: str) -> str:
    """The CREATE INDEX statement without CONCURRENTLY and its name, on the probe table."""
    tokens = [token for token in scan(text) if "COMMENT" not in token.name]
    on = next(number for number, token in enumerate(tokens) if token.name == "ON")
    rest = next(token for token in tokens[on + 1 :] if token.name in ("USING", "ASCII_40"))
    unique = "UNIQUE " if any(token.name == "UNIQUE" for token in tokens[:on]) else ""
    return f"CREATE {unique}INDEX ON pg_temp.harness_probe {text[rest.start :]}"


def without_names(definition: str) -> tuple[bool, str]:
    """Whether an index is unique, and its definition from the access method on."""
    tokens = scan(definition)
    using = next(token for token in tokens if token.name == "USING")
    return tokens[1].name == "UNIQUE", definition[using.start :]
