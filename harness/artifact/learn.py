"""A rename map learned from two databases: the schema before, and the same after the migration.

Relations and columns are paired by their identity (oid, number). What a name means now may be said
otherwise by a declaration, which is then checked against the catalog. Values are paired by joining
the rows of both by their key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.artifact.mapfile import Declaration
from harness.artifact.pairs import learn_pairs
from harness.artifact.renames import RelationChange, RenameMap, ValuePairs
from harness.artifact.schema import RelationName, SeenRelation, SeenSchema
from harness.core.errors import UsageError
from harness.database.catalog import OUR_SCHEMAS

Connection = psycopg.Connection[Any]
_CATALOG: Final = Path(__file__).with_name("catalog.sql").read_text("utf-8")
TABLES: Final = ("r", "p", "m", "f")
ROWS: Final = 200_000
"""Rows of a table that are joined; those of the lowest keys."""


def read_schema(conn: Connection) -> SeenSchema:
    """The relations of a database and its search path."""
    found = [
        SeenRelation(
            RelationName(schema, name), tuple(columns), oid, kind, tuple(numbers), tuple(key),
            {column: tuple(all_of) for column, all_of in labels.items()},
        )
        for oid, schema, name, kind, columns, numbers, key, labels in conn.execute(
            _CATALOG.encode(), [list(OUR_SCHEMAS)]
        ).fetchall()
    ]  # fmt: skip
    row: Any = conn.execute("select pg_catalog.current_schemas(false)::text[]").fetchone()
    return SeenSchema.of(found, row[0])


def learn_map(before: Connection, after: Connection, declared: Declaration) -> RenameMap:
    """The map between two databases of one lineage.

    Raises UsageError, with the file's line, where the declaration names what neither has.
    """
    old, new = read_schema(before), read_schema(after)
    declared.refuse_unknown(old, new)
    changes = {}
    for relation in old.relations.values():
        change = pair_relation(relation, new, declared)
        values = _values(before, after, change, declared)
        changes[relation.name] = replace(change, values=values)
    return RenameMap(old, new, changes)


def pair_relation(old: SeenRelation, after: SeenSchema, declared: Declaration) -> RelationChange:
    """What became of a relation: by its identity, or as it is declared."""
    same = next((one for one in after.relations.values() if one.oid == old.oid), None)
    named = after.relations.get(old.name)
    meant = declared.relations.get(old.name)
    new, rival = (after.relations[meant] if meant else same or named), None
    if meant is None and same is not None and named not in (None, same):
        # A view of the old name serves old clients; a table of the old name may be the successor.
        rival = old.name if named and named.kind in TABLES and old.kind in TABLES else None
    if new is None:
        return RelationChange(old, None)
    columns, contested = _pair_columns(old, new, declared)
    return RelationChange(old, new, columns, contested, {}, rival)


def _pair_columns(
    old: SeenRelation, new: SeenRelation, declared: Declaration
) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    meant = declared.columns.get(old.name, {})
    by_number = dict(zip(new.numbers, new.columns, strict=True)) if new.oid == old.oid else {}
    columns: dict[str, str] = {}
    contested: dict[str, tuple[str, str]] = {}
    for number, name in zip(old.numbers, old.columns, strict=True):
        same = by_number.get(number)
        if name in meant:
            columns[name] = meant[name]
        elif same is None or same == name:
            if name in new.columns:
                columns[name] = name
        elif name in new.columns:
            contested[name] = (same, name)
        else:
            columns[name] = same
    return columns, contested


def _values(
    before: Connection, after: Connection, change: RelationChange, declared: Declaration
) -> Mapping[str, ValuePairs]:
    said = declared.values.get(change.old.name, {})
    learned = _learned(before, after, change)
    found = dict(learned)
    for column, pairs in said.items():
        first = learned.get(column, ValuePairs(closed=False))
        found[column] = ValuePairs(
            {**first.pairs, **{old: new for old, new in pairs.items() if old != new}},
            first.kept | {old for old, new in pairs.items() if old == new},
            first.torn - pairs.keys(),
            declared=frozenset(pairs),
        )
    return {name: one for name, one in found.items() if one.pairs or one.torn}


def _learned(
    before: Connection, after: Connection, change: RelationChange
) -> Mapping[str, ValuePairs]:
    old, new = change.old, change.new
    if new is None or change.rival or not old.columns:
        return {}
    if "f" in (old.kind, new.kind):
        return {}  # its rows are another server's, which a clone does not reach
    # a view has no key: its first column often is one, and what is not unique joins nothing
    key = old.key or old.columns[:1]
    if any(name not in change.columns for name in key):
        return {}
    columns = [name for name in old.columns if name in change.columns and name not in key]
    first = _rows(before, old, key, columns)
    second = _rows(after, new, [change.columns[name] for name in key],
                   [change.columns[name] for name in columns])  # fmt: skip
    return {
        name: pairs
        for place, name in enumerate(columns)
        if (pairs := learn_pairs(first, second, place, _labels(change, name))) is not None
    }


def _labels(change: RelationChange, column: str) -> frozenset[str]:
    """The labels that the new column takes, where its type is an enum."""
    assert change.new is not None, "what is gone has no columns"
    return frozenset((change.new.labels or {}).get(change.columns[column], ()))


def _rows(
    conn: Connection, relation: SeenRelation, key: Any, columns: list[str]
) -> dict[tuple[str, ...], tuple[str | None, ...]]:
    """The rows of a relation as text, by their key."""
    query = sql.SQL("select array[{}]::text[], array[{}]::text[] from {} order by {} limit {}")
    text = sql.SQL("{}::text")
    order = sql.SQL(", ").join(map(sql.Identifier, key))
    found = conn.execute(
        query.format(
            sql.SQL(", ").join(text.format(sql.Identifier(name)) for name in key),
            sql.SQL(", ").join(text.format(sql.Identifier(name)) for name in columns),
            sql.Identifier(*relation.name),
            order,
            sql.Literal(ROWS),
        )
    ).fetchall()
    times = Counter(tuple(at) for at, _ in found)
    return {tuple(at): tuple(values) for at, values in found if times[tuple(at)] == 1}


def refuse_empty(renames: RenameMap) -> None:
    """Raise UsageError where the migration renames nothing: there is nothing to rewrite."""
    if renames.says_nothing:
        raise UsageError(
            "the map names nothing: the migration renames no relation, no column and no value",
            hint="name the subject whose migration it is, or say the renames in a map, by --map",
        )
