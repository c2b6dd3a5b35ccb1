"""What the ledger says, for those who only look: nothing is locked, and no seal is checked.

A runner builds on `harness.runner.ledger`, which refuses a ledger that was changed by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from harness.core.direction import Direction
from harness.database.ledger_names import spelled

Connection = psycopg.Connection[Any]

_RUNS: Final = spelled("""
SELECT id, direction, plan, plan_version, plan_hash, state, epoch, pid, lock_pid,
  pg_catalog.date_part('epoch', completed_at - started_at) AS seconds, started_at, completed_at
FROM {run} WHERE direction = ANY(%s) ORDER BY id DESC LIMIT 1
""")
_STEPS: Final = spelled("""
SELECT step, state, last_key, rows, batches,
  pg_catalog.date_part('epoch', updated_at - started_at) AS seconds, updated_at
FROM {step} WHERE run_id = %s ORDER BY position
""")
_RANGE: Final = spelled(
    "SELECT state, batches FROM {batch_range} WHERE run_id = %s AND step = %s AND number = %s"
)
_FILES: Final = spelled("SELECT path, sha256 FROM {plan_file} WHERE run_id = %s")
# by name in the catalog: to_regclass is an error for a role that may not use the schema
_EXISTS: Final = spelled("""
SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = {ledger_schema_name} AND c.relname = 'run')
""")
EVERY: Final[tuple[Direction, ...]] = ("forward", "rollback", "cleanup")


@dataclass(frozen=True)
class RunView:
    """A run: of which plan, how far, by which sessions; `seconds` once it is complete."""

    id: int
    direction: str
    plan: str
    plan_version: str
    plan_hash: str
    state: str
    epoch: int
    pid: int
    lock_pid: int
    seconds: float | None
    started_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True)
class StepView:
    """The row of a step that was begun: how far it has come, and how long it took so far."""

    step: str
    state: str
    last_key: int | None
    rows: int
    batches: int
    seconds: float
    updated_at: datetime


def has_ledger(conn: Connection) -> bool:
    """Whether the database has a ledger, also for a role that may not read it."""
    row = conn.execute(_EXISTS).fetchone()
    return bool(row and row[0])


def last_run(conn: Connection, *directions: Direction) -> RunView | None:
    """The last run, of these directions if any are named; None where there is none.

    Raises psycopg.ProgrammingError where there is no ledger or the role may not read it.
    """
    with conn.cursor(row_factory=class_row(RunView)) as cursor:
        return cursor.execute(_RUNS, [list(directions or EVERY)]).fetchone()


def steps_of(conn: Connection, run: RunView) -> dict[str, StepView]:
    """The steps that a run has begun, by name, in its order."""
    with conn.cursor(row_factory=class_row(StepView)) as cursor:
        return {row.step: row for row in cursor.execute(_STEPS, [run.id])}


def range_of(conn: Connection, run: RunView, step: str, number: int) -> tuple[str, int] | None:
    """State and batches of a range of a step; None where it is not there, or forgotten."""
    row = conn.execute(_RANGE, [run.id, step, number]).fetchone()
    return None if row is None else (str(row[0]), int(row[1]))


def files_of(conn: Connection, run: RunView) -> dict[str, str]:
    """The files that a run is made of, and their SHA-256."""
    return dict(conn.execute(_FILES, [run.id]).fetchall())
