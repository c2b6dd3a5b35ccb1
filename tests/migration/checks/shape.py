"""Shape: enums, columns, keys, indexes and names as the specification says."""

from __future__ import annotations

import re
from pathlib import Path

from ..queries import named
from ..support import Pair, Row, column, records, set_differences
from . import specification

QUERIES = named(Path(__file__).with_suffix(".sql"))
DELETE_RULES = {"a": "no action", "c": "cascade", "n": "set null", "r": "restrict", "d": "default"}


def check_enums(pair: Pair) -> list[str]:
    """Each enum has its labels, in the order given."""
    actual = {row["name"]: row["labels"] for row in records(pair.target, QUERIES["enums"])}
    found = []
    for name, labels in specification.target()["enums"].items():
        if actual.get(name) != labels:
            found.append(f"enum {name} has labels {actual.get(name)}, expected {labels}")
    return found


def check_columns(pair: Pair) -> list[str]:
    """Each base table has exactly its columns: type, nullability, default, identity."""
    pair.target.execute("SET search_path = public")
    actual: dict[str, dict[str, str]] = {}
    for row in records(pair.target, QUERIES["columns"]):
        if row["kind"] == "r":
            actual.setdefault(row["relation"], {})[row["name"]] = _declared(row)
    pair.target.execute("SET search_path = ''")
    expected = specification.declarations()
    found = set_differences("base tables", expected, actual)
    for table in expected.keys() & actual.keys():
        found += set_differences(
            f"columns of {table}", expected[table].items(), actual[table].items()
        )
    return found


def check_foreign_keys(pair: Pair) -> list[str]:
    """Each reference is there, once, with its delete rule; a company's on-update rule stays."""
    actual: dict[str, list[str]] = {}
    for row in records(pair.target, QUERIES["foreign_keys"]):
        rule = DELETE_RULES[row["on_delete"]]
        actual.setdefault(row["key"], []).append(f"{row['referenced']}, {rule}")
    found = [
        f"foreign key {key} is {actual.get(key, 'missing')}, expected {rule}"
        for key, rule in specification.target()["foreign_keys"].items()
        if actual.get(key) != [rule]
    ]
    if "activities.source_task_id" in actual:
        found.append("activities.source_task_id is a foreign key: the task may go")
    return found


def check_constraints_are_validated(pair: Pair) -> list[str]:
    """No constraint is left NOT VALID."""
    return [
        f"constraint {name} is not validated"
        for name in column(pair.target, QUERIES["unvalidated"])
    ]


def check_old_constraints(pair: Pair) -> list[str]:
    """Every constraint of the old schema is there under its new name, meaning the same."""
    pair.target.execute("SET search_path = public")
    actual = dict(
        pair.target.execute(
            "select conname, pg_catalog.pg_get_constraintdef(oid) from pg_catalog.pg_constraint"
            " where connamespace = 'public'::pg_catalog.regnamespace"
        ).fetchall()
    )
    pair.target.execute("SET search_path = ''")
    found = []
    for table in specification.baseline()["tables"].values():
        for name, definition in table["constraints"].items():
            name, definition = renamed(name), renamed(definition)
            if actual.get(name) != definition:
                found.append(f"constraint {name} is {actual.get(name)}, expected {definition}")
    return found


def check_indexes(pair: Pair) -> list[str]:
    """Each index is there by definition, and every index is valid and ready."""
    actual: dict[str, set[str]] = {}
    found = []
    for row in records(pair.target, QUERIES["indexes"]):
        actual.setdefault(row["relation"], set()).add(_index(row))
        if not row["usable"]:
            found.append(f"index {row['name']} is not valid")
    for table, wanted in specification.target()["indexes"].items():
        there = actual.get(table, set())
        found += [f"index on {table} is missing: {one}" for one in wanted if one not in there]
    return found


def check_old_indexes(pair: Pair) -> list[str]:
    """Every index of the old schema is there under its new name."""
    actual = {row["name"] for row in records(pair.target, QUERIES["indexes"])}
    return [
        f"index {renamed(name)} is missing"
        for table in specification.baseline()["tables"].values()
        for name in table["indexes"]
        if renamed(name) not in actual
    ]


def check_nothing_is_named_deal(pair: Pair) -> list[str]:
    """No base table, nor anything that hangs on one, is named after a deal; backups may be."""
    return [
        f"{name} still says deal"
        for name in column(pair.target, QUERIES["names"])
        if "deal" in name.lower() and not name.endswith("_backup")
    ]


def check_sequences(pair: Pair) -> list[str]:
    """Every id has a sequence of its own that is not behind its table."""
    found = []
    for table in specification.declarations():
        name = pair.target.execute(
            "select pg_catalog.pg_get_serial_sequence(%s, 'id')", [f'public."{table}"']
        ).fetchone()
        sequence = name[0] if name else None
        expected = (
            f'public."{table}_id_seq"' if table != table.lower() else f"public.{table}_id_seq"
        )
        if sequence != expected:
            found.append(f"sequence of {table} is {sequence}, expected {expected}")
            continue
        behind = pair.target.execute(
            f"select coalesce(max(t.id), 0), (select case when is_called then last_value"
            f' else last_value - 1 end from {sequence}) from public."{table}" t'
        ).fetchone()
        if behind and behind[1] < behind[0]:
            found.append(f"sequence {sequence} stands at {behind[1]}, behind id {behind[0]}")
    return found


def renamed(text: str) -> str:
    """An old name or definition in the new vocabulary."""
    text = re.sub(r"deal_id", "opportunity_id", text)
    text = re.sub(r"\bdeals", "opportunities", text)
    return text.replace("dealNotes", "opportunityNotes")


def _declared(row: Row) -> str:
    if row["generated"] == "s" and row["type"].startswith("numeric"):
        return "generated"
    parts = [row["type"]]
    if row["not_null"]:
        parts.append("not null")
    if row["default_value"] is not None:
        parts.append(f"default {row['default_value']}")
    if row["identity"] == "d":
        parts.append("identity")
    return specification.declaration(" ".join(parts))


def _index(row: Row) -> str:
    words = [row["method"], "unique"] if row["is_unique"] else [row["method"]]
    text = f"{' '.join(words)} ({', '.join(row['columns'])})"
    if row["predicate"]:
        conjuncts = sorted(part.strip("() ") for part in row["predicate"].lower().split(" and "))
        text += f" where {' and '.join(conjuncts)}"
    return text
