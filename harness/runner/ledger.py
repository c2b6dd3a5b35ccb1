"""The ledger: runs, steps, files and events in schema migration_control, as a runner reads it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from harness.core.errors import Refused
from harness.runner import ledger_format
from harness.runner.connection import Connection
from harness.runner.ledger_format import damaged
from harness.runner.ledger_range import READ_RANGES, RangeRow, misses, sealed

READ = """
SELECT id, direction, undoes, plan, plan_version, state, epoch, pid, backend_start,
  steps_begun, steps_done, completed_at,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - completed_at) AS age,
  seal AS kept_seal
FROM migration_control.run ORDER BY id;
SELECT run_id, step, position, kind, state, last_key, rows, batches, attempts, {object} AS object,
  seal AS kept_seal, {object_seal} AS kept_object_seal
FROM migration_control.step ORDER BY run_id, position;
SELECT run_id, path, sha256 FROM migration_control.plan_file{ranges}
"""
# ROLLBACK, since a look is none of a run's commits: an exploration counts these.
OF_ONE_MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;{};ROLLBACK"
"""A runner may commit between two of its queries."""


@dataclass(frozen=True)
class LedgerRun:
    """A row of migration_control.run; `age` is in seconds by the database's clock."""

    id: int
    direction: str
    undoes: int | None
    plan: str
    plan_version: str
    state: str
    epoch: int
    pid: int
    backend_start: datetime
    steps_begun: int
    steps_done: int
    completed_at: datetime | None
    age: float | None

    @property
    def completed(self) -> bool:
        """Whether the run came to its end."""
        return self.state == "completed"

    def seal(self) -> str:
        """A short hash of what a runner believes of a run without counting its checkpoints."""
        return _hash(self.id, self.direction, self.undoes, self.plan, self.plan_version, self.state)


@dataclass(frozen=True)
class Checkpoint:
    """A row of migration_control.step: how far a step has come.

    `object` is what a concurrent step does to which index, and into how many ranges a batch step is
    cut that several do; `ranges` are those.
    """

    run_id: int
    step: str
    position: int
    kind: str
    state: str
    last_key: int | None = None
    rows: int = 0
    batches: int = 0
    attempts: int = 1
    object: str | None = None
    ranges: tuple[RangeRow, ...] = ()

    @property
    def all_rows(self) -> int:
        """How many rows were changed, those of its ranges too."""
        return self.rows + sum(one.rows for one in self.ranges)

    @property
    def all_batches(self) -> int:
        """How many batches were committed, those of its ranges too."""
        return self.batches + sum(one.batches for one in self.ranges)

    def seal(self) -> str:
        """A short hash of the row: a changed row is noticed before anything is built on it."""
        return _hash(
            *(self.run_id, self.step, self.position, self.kind, self.state),
            *(self.last_key, self.rows, self.batches, self.attempts),
        )

    def object_seal(self) -> str | None:
        """The same for `object`: a seal of its own, so that a version 1 harness knows the other."""
        return None if self.object is None else _hash(self.run_id, self.step, self.object)


def _hash(*values: object) -> str:
    return hashlib.sha256("|".join(map(str, values)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _SealedRun(LedgerRun):
    kept_seal: str = ""


@dataclass(frozen=True)
class _SealedCheckpoint(Checkpoint):
    kept_seal: str = ""
    kept_object_seal: str | None = None


@dataclass(frozen=True)
class Ledger:
    """What the ledger says: every run, and the checkpoints and files of each."""

    runs: tuple[LedgerRun, ...] = ()
    steps: dict[int, dict[str, Checkpoint]] = field(default_factory=dict)
    files: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def current(self) -> LedgerRun | None:
        """The forward or rollback run that says where the database stands."""
        return next((run for run in reversed(self.runs) if run.direction != "cleanup"), None)

    @property
    def forward(self) -> LedgerRun | None:
        """The forward run that is, or was last, on the database."""
        return next((run for run in reversed(self.runs) if run.direction == "forward"), None)

    @property
    def cleanup(self) -> LedgerRun | None:
        """The clean-up of the current forward run, begun or completed."""
        last = self.runs[-1] if self.runs else None
        return last if last is not None and last.direction == "cleanup" else None

    @property
    def state(self) -> str:
        """clean, partial, migrated, rolling-back or rolled-back."""
        run = self.current
        if run is None:
            return "clean"
        names = {
            ("forward", False): "partial",
            ("forward", True): "migrated",
            ("rollback", False): "rolling-back",
            ("rollback", True): "rolled-back",
        }
        return names[run.direction, run.completed]

    def checkpoints(self, run: LedgerRun | None) -> dict[str, Checkpoint]:
        """The checkpoints of a run, by step."""
        return self.steps.get(run.id, {}) if run else {}

    def reach(self, run: LedgerRun) -> str:
        """How far a run came, as ledger_statements.reach_sql asks the server."""
        rows = self.checkpoints(run)
        told = [f"{step} {row.seal()}" for step, row in sorted(rows.items())]
        cut = [one for row in rows.values() for one in row.ranges]
        told += [
            f"{one.name} {one.seal()}"
            for one in sorted(cut, key=lambda one: (one.number, one.step))
        ]
        return ",".join(told)


def reasons(conn: Connection) -> list[str]:
    """The reasons that people gave for runs, the oldest first."""
    rows = conn.execute(
        "SELECT reason FROM migration_control.run WHERE reason IS NOT NULL ORDER BY id"
    ).fetchall()
    return [str(row[0]) for row in rows]


def read(conn: Connection) -> Ledger:
    """Read the whole ledger; empty when there is none. Refused when it cannot be built on.

    It is that of one moment. In a transaction of the caller's that is for its isolation to see to.
    """
    try:
        version = ledger_format.version(conn)
        return Ledger() if version is None else _read(conn, version)
    except UnicodeDecodeError as error:
        raise damaged(f"it holds a text that is not UTF-8 ({error.reason})") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f"this role may not read the ledger: {error.diag.message_primary}",
            hint="use the role that ran the migration",
        ) from error
    except (psycopg.ProgrammingError, psycopg.DataError) as error:  # a column of another type
        raise damaged(f"it cannot be read: {error.diag.message_primary or error}") from error


def _read(conn: Connection, version: int) -> Ledger:
    known = version >= ledger_format.SINCE["step.object"]
    columns = ("object", "object_seal")
    cut = version >= ledger_format.SINCE["batch_range.seal"]
    query = sql.SQL(READ).format(
        **{name: sql.Identifier(name) if known else sql.NULL for name in columns},
        ranges=sql.SQL(READ_RANGES if cut else ""),
    )
    if conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        query = sql.SQL(OF_ONE_MOMENT).format(query)
    cursor = conn.cursor(row_factory=class_row(_SealedRun)).execute(query)
    while cursor.description is None and cursor.nextset():
        pass
    runs = tuple(cursor.fetchall())
    for run in runs:
        if run.seal() != run.kept_seal:
            raise damaged(f"the row of run {run.id} was changed")
    steps: dict[int, dict[str, Checkpoint]] = {}
    for row in _next(cursor, _SealedCheckpoint):
        if (row.seal(), row.object_seal()) != (row.kept_seal, row.kept_object_seal):
            raise damaged(f"checkpoint of step {row.step} in run {row.run_id} was changed")
        steps.setdefault(row.run_id, {})[row.step] = row
    files: dict[int, dict[str, str]] = {}
    for run_id, path, sha256 in _next(cursor, lambda **row: tuple(row.values())):
        files.setdefault(run_id, {})[path] = sha256
    for one in sealed(_next(cursor, lambda **row: row)) if cut else ():
        row = steps.get(one.run_id, {}).get(one.step)
        if row is None:
            raise damaged(f"there is a {one.name}, and no such step in run {one.run_id}")
        steps[one.run_id][one.step] = replace(row, ranges=(*row.ranges, one))
    return _whole(Ledger(runs, steps, files))


def _next(cursor: Any, make: Any) -> list[Any]:
    cursor.nextset()
    cursor.row_factory = class_row(make)
    return list(cursor.fetchall())


def _whole(ledger: Ledger) -> Ledger:
    """Refuse a ledger that lost a checkpoint: its work would be done twice."""
    for run in ledger.runs:
        rows = ledger.checkpoints(run).values()
        done = sum(step.state == "done" for step in rows)
        if done != run.steps_done:
            raise damaged(f"run {run.id} has {done} finished steps, not {run.steps_done}")
        if len(rows) != run.steps_begun:
            raise damaged(f"run {run.id} has {len(rows)} checkpoints, not {run.steps_begun}")
        for step in rows:
            if missed := misses(step.object if step.kind == "batch" else None, step.ranges):
                raise damaged(f"step {step.step} in run {run.id} {missed}")
    return ledger


def events(conn: Connection, run_id: int, kinds: list[str]) -> list[tuple[str, str | None, str]]:
    """Kind, step and message of a run's events, the oldest first."""
    return conn.execute(
        "SELECT kind, step, message FROM migration_control.event"
        " WHERE run_id = %s AND kind = ANY(%s) ORDER BY id",
        [run_id, kinds],
    ).fetchall()


def archived(conn: Connection, run_id: int) -> dict[str, int]:
    """How many rows of which relation a rollback run put into the archive."""
    rows = conn.execute(
        "SELECT relation, sum(rows)::bigint FROM migration_control.archived"
        " WHERE run_id = %s GROUP BY relation HAVING sum(rows) > 0 ORDER BY relation",
        [run_id],
    ).fetchall()
    return dict(rows)
