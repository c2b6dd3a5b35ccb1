"""What a look at the ledger found: figures and times alone, so that it can be shown to anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from harness.core.direction import Direction
from harness.database import ledger_view
from harness.database.ledger_view import Connection, RunView, StepView
from harness.runner import lock

if TYPE_CHECKING:
    from harness.plan import Plan, Script

_NOW: Final = "SELECT pg_catalog.clock_timestamp()"
_DATABASE: Final = """
SELECT pg_catalog.concat_ws('/', (SELECT system_identifier FROM pg_catalog.pg_control_system()),
  (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
"""
# by name in the catalog: a function that opens the table would wait for whoever has locked it
_ABOUT: Final = """
SELECT coalesce(pg_catalog.sum(c.reltuples) FILTER (WHERE c.reltuples > 0), 0)::float8
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""


@dataclass(frozen=True)
class StepReading:
    """A step of the plan: the share of it that is done, and when it was last worked on."""

    id: str
    share: float
    at: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether all of it is done."""
        return self.share >= 1.0


@dataclass(frozen=True)
class RunReading:
    """A run of the plan. `key` is this run's and no other's, in this database or any other."""

    key: str
    direction: Direction
    started: datetime
    completed: datetime | None
    steps: tuple[StepReading, ...]


@dataclass(frozen=True)
class LedgerReading:
    """What was found, and when by our own clock; `run` is the last one of the plan's."""

    at: datetime
    at_work: bool = False
    run: RunReading | None = None


def read_ledger(conn: Connection, plan: Plan, now: datetime | None = None) -> LedgerReading:
    """Where the plan's last run stands; a database that has no ledger has no run.

    Raises psycopg.Error where the ledger cannot be read.
    """
    at = now or datetime.now(UTC)
    if not ledger_view.has_ledger(conn):
        return LedgerReading(at)
    found = ledger_view.last_run(conn, "forward", "rollback")
    if found is None or found.plan != plan.name:
        return LedgerReading(at)
    rows = ledger_view.steps_of(conn, found)
    direction: Direction = "rollback" if found.direction == "rollback" else "forward"
    run = RunReading(
        key=_key(conn, found),
        direction=direction,
        started=found.started_at.astimezone(UTC),
        completed=found.completed_at and found.completed_at.astimezone(UTC),
        steps=tuple(_steps(conn, plan, direction, rows)),
    )
    return LedgerReading(at, lock.is_held(conn), run)


def _key(conn: Connection, run: RunView) -> str:
    """A digest of database and run: it says nothing of either, and a copy's is another one."""
    row = conn.execute(_DATABASE).fetchone()
    assert row is not None, "a SELECT of one row"
    named = f"{row[0]} {run.id} {run.started_at.astimezone(UTC).isoformat()} {run.plan_hash}"
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def _steps(
    conn: Connection, plan: Plan, direction: Direction, rows: Mapping[str, StepView]
) -> Iterator[StepReading]:
    for step in plan.steps:
        row = rows.get(step.id)
        if row is None:
            yield StepReading(step.id, 0.0)
            continue
        share = 1.0 if row.state == "done" else _share(conn, step.script(direction), row)
        yield StepReading(step.id, share, row.updated_at.astimezone(UTC))


def _share(conn: Connection, script: Script, row: StepView) -> float:
    """How much of a batch step is done, by the server's estimate; 0 where nobody knows."""
    from harness.plan.ranges import relation

    if script.kind != "batch" or not script.table or not row.rows:
        return 0.0
    found = conn.execute(_ABOUT, relation(script)).fetchone()
    total = (found[0] if found else 0.0) * max(len(script.statements), 1)
    return min(row.rows / total, 0.99) if total else 0.0
