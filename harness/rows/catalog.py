"""Read from the catalog what rows must be like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import psycopg

from harness.rows.expression import columns_of
from harness.rows.model import (
    Attribute,
    Column,
    ForeignKey,
    Rule,
    Schema,
    Sequence,
    Table,
    Type,
    Unique,
)

_SQL: Final = Path(__file__).with_name("sql")
Connection: TypeAlias = psycopg.Connection[Any]


def read_schema(conn: Connection, without: Collection[str] = ()) -> Schema:
    """The tables to fill and their types. `without` names schemas and tables that are left out.

    The session's search_path must be empty: so every name in an expression is a full one.
    """
    found = _rows(conn, "tables", without=list(without))
    tables = [row[0] for row in found]
    columns = _by_table(_rows(conn, "columns", tables=tables))
    checks = _by_table(_rows(conn, "checks", tables=tables))
    keys = _by_table(_rows(conn, "foreign_keys", tables=tables))
    uniques = _by_table(_rows(conn, "uniques", tables=tables))
    types = _types(conn)
    partitions = dict(_rows(conn, "partitions", tables=tables))
    return Schema(
        tuple(
            Table(
                oid=oid,
                schema=schema,
                name=name,
                partitioned=partitioned,
                columns=tuple(_column(types, *row) for row in columns[oid]),
                checks=tuple(Rule(n, e, tuple(c)) for n, e, c in checks[oid]),
                foreign_keys=tuple(
                    ForeignKey(n, tuple(c), p, label, tuple(k), d, f)
                    for n, c, p, label, k, d, f in keys[oid]
                ),
                uniques=tuple(_unique(*row) for row in uniques[oid]),
                triggers=tuple(triggers),
                row_security=secured,
                partitions=partitions.get(oid, "false" if partitioned else None),
            )
            for oid, schema, name, partitioned, secured, triggers in found
        ),
        types,
    )


def _rows(conn: Connection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    text = (_SQL / f"{name}.sql").read_text("utf-8")
    return conn.execute(text.encode(), values or None).fetchall()


def _by_table(rows: list[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for oid, *rest in rows:
        grouped[oid].append(tuple(rest))
    return grouped


def _column(
    types: Mapping[int, Type], name: str, kind: int, modifier: int, declared: str,
    not_null: bool, generated: str | None, *sequence: int | None,
) -> Column:  # fmt: skip
    found = types[kind]
    while found.kind == "d":
        not_null = not_null or found.not_null
        found = types[found.base]
    values = [value for value in sequence if value is not None]
    whole = found.schema == "pg_catalog" and found.name in ("int2", "int4", "int8")
    taken = Sequence(*values) if values and whole else None
    return Column(name, kind, modifier, declared, not_null, generated, taken)


def _unique(
    name: str, columns: list[str], texts: list[str], predicate: str | None, distinct: bool,
    deferrable: bool, operators: list[str],
) -> Unique:  # fmt: skip
    inside = [columns_of(text) for column, text in zip(columns, texts, strict=True) if not column]
    return Unique(
        name=name,
        columns=tuple(column for column in columns if column),
        inner=tuple(dict.fromkeys(name for names in inside for name in names)),
        predicate=predicate,
        nulls_distinct=distinct,
        deferrable=deferrable,
        operators=tuple(operators),
    )


def _types(conn: Connection) -> dict[int, Type]:
    attributes: dict[int, list[Attribute]] = defaultdict(list)
    for oid, name, kind, modifier in _rows(conn, "attributes"):
        attributes[oid].append(Attribute(name, kind, modifier))
    rules: dict[int, list[Rule]] = defaultdict(list)
    for oid, name, expression in _rows(conn, "domain_rules"):
        rules[oid].append(Rule(name, expression, ("value",)))
    types = {}
    for row in _rows(conn, "types"):
        oid, labels = row[0], tuple(row[-1])
        fields: list[Any] = [*row[:-1], labels, tuple(attributes[oid]), tuple(rules[oid])]
        types[oid] = Type(*fields)
    return types
