"""What stands around a plan's tables that its author did not know: triggers, names, row types.

A plan is tried on its baseline. Here is what this database has besides, as far as it would change
what the run does or stop it midway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from harness.check.preflight import plan_objects
from harness.check.preflight.rules import finding
from harness.core.finding import Finding, Severity
from harness.plan import Plan

LOOK: Final = Path(__file__).with_name("surroundings.sql")
COLLATION: Final = """
SELECT 'database ' || d.datname
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database()
  AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)
UNION ALL
SELECT 'collation ' || n.nspname || '.' || c.collname
FROM pg_catalog.pg_collation AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE c.collversion <> pg_catalog.pg_collation_actual_version(c.oid)
  AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
    WHERE a.attcollation = c.oid AND a.attnum > 0)
"""
SAID: Final[dict[str, tuple[Severity, str, str]]] = {
    "triggers": (
        "critical",
        "a trigger fires on every row that the plan writes: what it does is not brought back",
        "disable it for the run and enable it after, or say why it may fire: [validate.tolerates]",
    ),
    "rules": (
        "critical",
        "a rule acts on every row that the plan writes: what it does is not brought back",
        "disable it for the run and enable it after, or say why it may act: [validate.tolerates]",
    ),
    "taken": (
        "critical",
        "a name that the plan makes is taken: the run would stop midway",
        "rename what is there, or correct the plan",
    ),
    "row_type": (
        "critical",
        "a column is a row of a table that the plan alters: PostgreSQL refuses to alter that table",
        "change the column's type first",
    ),
    "kind": (
        "critical",
        "the plan alters a table that is no plain table here",
        "mend the plan for partitioned and foreign tables; it was tried on plain ones",
    ),
    "children": (
        "critical",
        "a table inherits from one that the plan alters: what is done to it is done to the child",
        "alter table … no inherit …, or say why it may be there: [validate.tolerates]",
    ),
    "row_security": (
        "critical",
        "row level security is forced on the owner too: the run could not see every row",
        "run as a role with BYPASSRLS, or alter table … no force row level security",
    ),
    "replica_identity": (
        "critical",
        "a table is published and has no replica identity: its rows cannot be updated",
        "alter table … replica identity full, or give it a primary key",
    ),
    "publications": (
        "warning",
        "a publication filters a table that the plan writes: a subscriber sees only a part",
        "tell who subscribes; a filter over what is not in the replica identity stops updates",
    ),
    "event_triggers": (
        "warning",
        "an event trigger sees every statement of the plan, and may refuse it",
        "read what it does, and try the plan with it on a copy: harness dry-run",
    ),
    "archive": (
        "critical",
        "a schema that is not the migration's has the name of its archive",
        "rename the schema",
    ),
}


@dataclass(frozen=True)
class Remark:
    """Something around the plan's tables: what kind, the object by name, and what of it."""

    remark: str
    object: str
    detail: str


def look(
    conn: psycopg.Connection[Any], plan: Plan, *, has_ledger: bool
) -> tuple[tuple[Remark, ...], tuple[str, ...]]:
    """Remarks on a database on which the plan has not begun, and collations of another version."""
    writes = sorted(plan_objects.writes(plan), key=str)
    made = sorted(plan_objects.made(plan))
    known = sorted(plan_objects.triggers(plan))
    rows = conn.execute(
        LOOK.read_bytes(),
        {
            "alters": list(plan.alters),
            "written": [write.relation for write in writes],
            "targets": [write.relation for write in writes],
            "events": [write.event for write in writes],
            "columns": [
                None if write.columns is None else ",".join(sorted(write.columns))
                for write in writes
            ],
            "known_on": [relation for relation, _ in known],
            "known": [name for _, name in known],
            "kinds": [name[0] for name in made],
            "places": [name[1] for name in made],
            "names": [name[2] for name in made],
            "arguments": [name[3] if len(name) > 3 else "" for name in made],
            "has_ledger": has_ledger,
        },
    ).fetchall()
    collations: list[str] = []
    if conn.info.server_version >= 150_000:
        collations = [row[0] for row in conn.execute(COLLATION)]
    return tuple(Remark(*row) for row in rows), tuple(collations)


def findings(
    remarks: tuple[Remark, ...], collations: tuple[str, ...], tolerated: dict[str, str]
) -> Iterator[Finding]:
    """A finding for each kind of remark, with every object by name; tolerated ones one by one."""
    for kind, (severity, message, hint) in SAID.items():
        mine = [one for one in remarks if one.remark == kind]
        told: dict[str, list[str]] = {}
        for one in mine:
            if one.object not in tolerated:
                told.setdefault(one.object, []).append(one.detail)
        if told:
            evidence = [f"{name}: {', '.join(details)}" for name, details in told.items()]
            yield finding(kind, severity, f"{message}: {_few(list(told))}", hint, evidence)
        for name in sorted({one.object for one in mine if one.object in tolerated}):
            reason = tolerated[name]
            yield finding(f"{kind}.tolerated", "info", f"{name} is tolerated: {reason}", "")
    if collations:
        yield finding(
            "collation",
            "warning",
            f"the system's locale library changed since indexes were built: {_few(collations)}",
            "reindex what sorts text, then alter database … refresh collation version",
            list(collations),
        )


def _few(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
