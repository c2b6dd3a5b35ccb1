"""What benchmarks read off a catalog: tables with their columns, indexes and references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.database.catalog import OUR_SCHEMAS, TABLES

Connection = psycopg.Connection[Any]
Columns = tuple[int, ...]
"""Numbers of columns, which a rename leaves as they are."""

_FILE: Final = Path(__file__).with_name("catalog.sql")


@dataclass(frozen=True)
class BenchmarkIndex:
    """A valid index. `condition` is its predicate and its expressions, as text."""

    oid: int
    table: int
    name: str
    method: str
    numbers: list[int]
    special: bool
    condition: str
    unique: bool
    primary: bool

    @property
    def keys(self) -> Columns:
        """The numbers of its columns; 0 is an expression."""
        return tuple(self.numbers)

    def serves(self, other: BenchmarkIndex) -> bool:
        """Whether what the other was good for is served by this one."""
        if other.special or self.special or other.method != self.method:
            alike = (self.method, self.keys, self.condition)
            return alike == (other.method, other.keys, other.condition)
        return self.keys[: len(other.keys)] == other.keys


@dataclass(frozen=True)
class BenchmarkTable:
    """A relation with its columns by number; `fixed` are those that no UPDATE may set."""

    oid: int
    schema: str
    relation: str
    kind: str
    pages: int
    columns: Mapping[int, str] = field(default_factory=dict)
    fixed: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        """As a plan's nodes and reports spell it."""
        return f"{self.schema}.{self.relation}"

    def spelled(self, conn: Connection) -> str:
        """As SQL spells it."""
        return sql.Identifier(self.schema, self.relation).as_string(conn)


@dataclass(frozen=True)
class BenchmarkCatalog:
    """Relations and indexes by oid, references as tables with their columns."""

    tables: Mapping[int, BenchmarkTable]
    indexes: Mapping[int, BenchmarkIndex]
    references: tuple[tuple[int, Columns], ...]
    names: Mapping[str, int]

    def real_tables(self) -> tuple[BenchmarkTable, ...]:
        """Those that hold rows, in order."""
        return tuple(one for one in self.tables.values() if one.kind in TABLES)

    def indexes_of(self, table: int) -> tuple[BenchmarkIndex, ...]:
        """The indexes of a table, by name."""
        return tuple(one for one in self.indexes.values() if one.table == table)


def read_catalog(conn: Connection) -> BenchmarkCatalog:
    """The catalog of the database that a session is in."""
    ours = {"ours": list(OUR_SCHEMAS)}
    asked = {name: conn.execute(text.encode(), ours).fetchall() for name, text in _texts().items()}
    columns: dict[int, dict[int, str]] = {}
    fixed: dict[int, set[int]] = {}
    for oid, number, name, is_fixed in asked["columns"]:
        columns.setdefault(oid, {})[number] = name
        if is_fixed:
            fixed.setdefault(oid, set()).add(number)
    tables = {
        oid: BenchmarkTable(
            oid, schema, relation, kind, pages, columns.get(oid, {}), frozenset(fixed.get(oid, ()))
        )
        for oid, schema, relation, kind, pages in asked["tables"]
    }
    found = (BenchmarkIndex(*row) for row in asked["indexes"])
    return BenchmarkCatalog(
        tables,
        {one.oid: one for one in found if one.table in tables},
        tuple((oid, tuple(keys)) for oid, keys in asked["references"] if oid in tables),
        {table.name: oid for oid, table in tables.items()},
    )


@cache
def _texts() -> dict[str, str]:
    parts = _FILE.read_text("utf-8").split("-- name: ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}
