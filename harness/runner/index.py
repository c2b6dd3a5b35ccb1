"""Look at an index: is it there, finished, and the one a statement describes?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import sql

from harness.plan import Statement
from harness.plan.check import tree
from harness.runner import definition
from harness.runner.definition import Definition

LOOK = """
SELECT c.relkind IN ('i', 'I'), tn.nspname, t.relname,
  coalesce(i.indisvalid AND i.indisready AND i.indislive, false),
  CASE WHEN i.indexrelid IS NOT NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid) END,
  coalesce(s.spcname, u.spcname), u.spcname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_database AS d ON d.datname = current_database()
JOIN pg_catalog.pg_tablespace AS u ON u.oid = d.dattablespace
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
WHERE n.nspname = {} AND c.relname = {}
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
class FoundIndex:
    """What bears the name of an index. The usual tablespace is the database's."""

    is_index: bool
    table: Name | None
    finished: bool
    definition: str | None
    tablespace: str = ""
    usual_tablespace: str = ""


@dataclass(frozen=True)
class Wanted:
    """What a concurrent statement is about: an index, and for CREATE its table."""

    index: Name
    table: Name | None
    statement: Statement

    @property
    def named(self) -> str:
        """What is done to which index, as a checkpoint keeps it: create "app"."i"."""
        return f"{'create' if self.creates else 'drop'} {self.index.sql}"

    @property
    def creates(self) -> bool:
        """Whether the statement is CREATE INDEX; else it is DROP INDEX."""
        return self.table is not None

    def definition(self) -> Definition:
        """The statement of a CREATE, in parts."""
        return definition.read(self.statement.text)


def wanted(statement: Statement) -> Wanted:
    """Read a checked concurrent statement."""
    node: Any = tree(statement)
    if statement.tag == "IndexStmt":
        table = Name(node.relation.schemaname, node.relation.relname)
        return Wanted(Name(table.schema, node.idxname), table, statement)
    schema, name = (part.sval for part in node.objects[0])
    return Wanted(Name(schema, name), None, statement)


def look_sql(name: Name) -> sql.Composed:
    """The query for what bears a name."""
    return sql.SQL(LOOK).format(sql.Literal(name.schema), sql.Literal(name.name))


def found(row: tuple[Any, ...] | None) -> FoundIndex | None:
    """What bears the name by the answer to the query, or None."""
    if row is None:
        return None
    is_index, schema, table, *rest = row
    return FoundIndex(is_index, Name(schema, table) if table else None, *rest)


def may_be_described(found: FoundIndex, want: Wanted, default_tablespace: str) -> bool:
    """Whether a finished index is on the table, and in the tablespace, that the statement names."""
    if found.table != want.table or found.definition is None:
        return False
    wanted_space = want.definition().tablespace or default_tablespace or found.usual_tablespace
    return wanted_space == found.tablespace


def is_alike(found: FoundIndex, want: Wanted, answer: tuple[object, ...] | None) -> bool:
    """Whether the definitions are the same by the server's answer.

    Where it could not say (`answer` is None), because a probe needs more than the index did, the
    index is taken for ours when columns, kind and uniqueness agree: the name was free when the
    intent was recorded.
    """
    if answer is not None:
        return definition.alike(answer)
    return definition.read(str(found.definition)).shape == want.definition().shape


def probe_sql(found: FoundIndex, want: Wanted) -> bytes:
    """What the server is to do, in a transaction that is rolled back, to tell whether the found
    index is the one that the statement describes; ends with the query for its answer.
    """
    assert want.table is not None
    sides = (want.definition(), definition.read(str(found.definition)))
    probes = (
        definition.probe(one, want.table.sql, side)
        for one, side in zip(sides, definition.SIDES, strict=True)
    )
    return ("".join(probes) + definition.ANSWER).encode()
