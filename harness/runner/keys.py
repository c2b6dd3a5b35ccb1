"""Whether every row of a batch script's table lies in a range of its key; else it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from psycopg import sql

from harness.core.errors import Refused
from harness.plan import Plan, Script
from harness.plan.ranges import changes_columns, column, may_change, relation
from harness.runner.connection import Connection

LOOK: Final = Path(__file__).with_name("keys.sql")
LOWEST: Final = -(2**63)
"""The key below every range: a range begins behind a key, and there is none before this one."""
INTEGERS: Final = ("smallint", "integer", "bigint")
KINDS: Final = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


@dataclass(frozen=True)
class Key:
    """What the catalog says of a script's table and key column; `rows` is about how many, or 0."""

    kind: str | None
    there: bool
    type: str | None
    base: str | None
    nullable: list[str] | None
    foreign: str | None
    hidden: bool
    made_from: list[str] | None
    indexed: bool
    rows: int


def look_sql(scripts: Sequence[Script]) -> sql.Composed:
    """The query for what is known of the scripts' keys, in their order."""
    named = [(*relation(script), column(script)) for script in scripts]
    schemas, tables, keys = zip(*named, strict=True)
    return sql.SQL(LOOK.read_text(encoding="utf-8")).format(
        schemas=sql.Literal(list(schemas)),
        tables=sql.Literal(list(tables)),
        keys=sql.Literal(list(keys)),
    )


def refuse(script: Script, row: tuple[Any, ...]) -> None:
    """Refused, with table, column and reason, when a row may lie in no range of the key."""
    reason = _reason(script, Key(*row))
    if reason:
        raise Refused(reason[0], where=script.at(1), hint=reason[1])


def _reason(script: Script, key: Key) -> tuple[str, str] | None:
    """Why not every row lies in a range, and what to do; None when every row does."""
    table, name = ".".join(relation(script)), column(script)
    another = "key the batches by a column that is"
    if key.kind is None:
        return f"there is no table {table}", "correct the header table"
    if key.kind in KINDS:
        what = KINDS[key.kind]
        return f"{table} is {what}: nothing keeps its keys whole", "name a table"
    if not key.there:
        return f"table {table} has no column {name!r}", "correct the header key"
    if key.base not in INTEGERS:
        what = f"key {name!r} of {table} is of type {key.type}, and ranges are of whole numbers"
        return what, f"{another} smallint, integer or bigint"
    if key.foreign:
        return f"a part of {table} is the foreign table {key.foreign}", "leave that part out"
    if key.nullable:
        where = "" if key.nullable == [table] else f" (in {', '.join(key.nullable[:3])})"
        what = f"key {name!r} of {table} is not declared NOT NULL{where}"
        return f"{what}: rows without a key are in no range", f"{another}, or declare it so before"
    if key.hidden:
        what = f"policies of {table} hide rows from this role: those are in no range"
        return what, "run as the owner of the table, or as a role that bypasses row security"
    moved = sorted(set(key.made_from or ()) & changes_columns(script))
    if moved:
        what = f"key {name!r} of {table} is generated from {moved[0]!r}, which the script changes"
        return f"{what}: rows would move out of their range", another + " not changed"
    return None


def lowest_sql(script: Script) -> sql.Composed:
    """The query for whether the one key is there that no range reaches."""
    return sql.SQL("EXISTS (SELECT FROM {} WHERE {} = {})").format(
        sql.Identifier(*relation(script)), sql.Identifier(column(script)), sql.Literal(LOWEST)
    )


def refuse_lowest(script: Script) -> None:
    """Refuse the lowest of all keys."""
    table = ".".join(relation(script))
    raise Refused(
        f"{table} holds the key {LOWEST}, the one that no range reaches",
        where=script.at(1),
        hint="give that row another key",
    )


def refuse_unreachable(conn: Connection, plan: Plan) -> None:
    """Refuse, before the plan runs, a batch script whose table has rows that no range reaches.

    What a step before it may change is looked at when the script's own turn has come.
    """
    order = [step.forward for step in plan.steps]
    order += [step.rollback for step in reversed(plan.steps)]
    batches = [script for script in order if script.kind == "batch" and script.statements]
    if not batches:
        return
    rows = conn.execute(look_sql(batches)).fetchall()
    low: list[Script] = []
    for script, row in zip(batches, rows, strict=True):
        before = order[: order.index(script)]
        if any(may_change(other, *relation(script)) for other in before):
            continue
        refuse(script, row)
        if Key(*row).indexed and Key(*row).base == "bigint":
            low.append(script)
    _refuse_lowest(conn, low)


def _refuse_lowest(conn: Connection, scripts: Iterable[Script]) -> None:
    asked = list(scripts)
    if asked:
        query = sql.SQL("SELECT {}").format(sql.SQL(", ").join(map(lowest_sql, asked)))
        for script, there in zip(asked, conn.execute(query).fetchone() or (), strict=True):
            if there:
                refuse_lowest(script)
