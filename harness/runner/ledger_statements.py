"""The statements that write the ledger: runs, checkpoints, files and events, and the fence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from datetime import datetime

from psycopg import sql

from harness.runner import ledger_range
from harness.runner.connection import Connection
from harness.runner.ledger import Checkpoint, LedgerRun
from harness.runner.ledger_range import RangeRow

_NOTHING = sql.SQL("")


@dataclass(frozen=True)
class RunnerIdentity:
    """Who runs: the sessions that work and that hold the lock, and the client."""

    pid: int
    backend_start: datetime | None
    lock_pid: int
    lock_backend_start: datetime | None
    client: str


def write_run(
    conn: Connection, run: LedgerRun, plan_hash: str, who: RunnerIdentity, reason: str | None
) -> None:
    """Record a new run."""
    conn.execute(
        "INSERT INTO migration_control.run (id, direction, undoes, plan, plan_version,"
        " plan_hash, state, epoch, pid, backend_start, lock_pid, lock_backend_start,"
        " client, reason, seal) VALUES (%s, %s, %s, %s, %s, %s, 'running', 1,"
        " %s, %s, %s, %s, %s, %s, %s)",
        [
            *(run.id, run.direction, run.undoes, run.plan, run.plan_version, plan_hash),
            *astuple(who),
            *(reason, run.seal()),
        ],
    )


def write_files(conn: Connection, run_id: int, files: Mapping[str, str]) -> None:
    """Record the files of a new run."""
    conn.execute(
        "INSERT INTO migration_control.plan_file (run_id, path, sha256)"
        " SELECT %s, f.path, f.sha256 FROM unnest(%s::text[], %s::text[])"
        " AS f(path, sha256)",
        [run_id, list(files), list(files.values())],
    )


def claim_run(conn: Connection, run_id: int, who: RunnerIdentity) -> None:
    """Take a run over: its epoch rises, so that its last runner writes nothing any more."""
    conn.execute(
        "UPDATE migration_control.run SET epoch = epoch + 1, pid = %s, backend_start = %s,"
        " lock_pid = %s, lock_backend_start = %s, client = %s WHERE id = %s",
        [*astuple(who), run_id],
    )


def reach_sql(run_id: int) -> sql.Composed:
    """How far a run came: its steps and ranges with their seals, as Ledger.reach spells them."""
    return sql.SQL(
        "SELECT coalesce(pg_catalog.string_agg(t.name || ' ' || t.seal, ','"
        " ORDER BY t.number, t.step COLLATE \"C\"), '') FROM ("
        " SELECT step, 0 AS number, step AS name, seal FROM migration_control.step"
        " WHERE run_id = {run_id} UNION ALL"
        " SELECT step, number, 'range ' || number || ' of ' || step, seal"
        " FROM migration_control.batch_range WHERE run_id = {run_id}) AS t;"
    ).format(run_id=sql.Literal(run_id))


def shut_out_sql(run_id: int) -> sql.Composed:
    """From now on the runner of this run writes nothing any more."""
    return sql.SQL("UPDATE migration_control.run SET epoch = epoch + 1 WHERE id = {};").format(
        sql.Literal(run_id)
    )


def complete_sql(run: LedgerRun) -> sql.Composed:
    """Mark a run completed."""
    return sql.SQL(
        "UPDATE migration_control.run SET state = 'completed', seal = {},"
        " completed_at = pg_catalog.clock_timestamp() WHERE id = {};"
    ).format(sql.Literal(replace(run, state="completed").seal()), sql.Literal(run.id))


def checkpoint_sql(row: Checkpoint) -> sql.Composed:
    """Write a checkpoint, and count in the run a step that is new, and one that is finished."""
    values = (row.run_id, row.step, row.position, row.kind, row.state, row.last_key)
    values += (row.rows, row.batches, row.attempts, row.seal(), row.object, row.object_seal())  # type: ignore[assignment]
    return sql.SQL(
        "WITH s AS (INSERT INTO migration_control.step AS s (run_id, step, position, kind, state,"
        " last_key, rows, batches, attempts, seal, object, object_seal) VALUES ({values})"
        " ON CONFLICT (run_id, step) DO UPDATE SET"
        " state = excluded.state, last_key = excluded.last_key, rows = excluded.rows,"
        " batches = excluded.batches, attempts = excluded.attempts, seal = excluded.seal,"
        " object = excluded.object, object_seal = excluded.object_seal,"
        " updated_at = excluded.updated_at RETURNING s.xmax = '0' AS is_new)"
        " UPDATE migration_control.run AS r SET steps_begun = r.steps_begun + s.is_new::integer,"
        " steps_done = r.steps_done + {done}::integer"
        " FROM s WHERE r.id = {run_id} AND (s.is_new OR {done});"
    ).format(
        values=sql.SQL(", ").join(map(sql.Literal, values)),
        done=sql.Literal(row.state == "done"),
        run_id=sql.Literal(row.run_id),
    )


def event_sql(
    run_id: int, epoch: int, kind: str, step: str | None, message: str, *, shared: bool = False
) -> sql.Composed:
    """Write an event, if the run is still ours; the row of the run is locked by it.

    With `shared` so that others of the same runner may work at the same time.
    """
    values = map(sql.Literal, (kind, step, message[:2000], run_id, epoch))
    return sql.SQL(
        "INSERT INTO migration_control.event (run_id, kind, step, message)"
        " SELECT id, {}, {}, {} FROM migration_control.run"
        " WHERE id = {} AND epoch = {} FOR {};"
    ).format(*values, sql.SQL("SHARE" if shared else "NO KEY UPDATE"))


def file_sql(run_id: int, path: str, sha256: str | None) -> sql.Composed:
    """Record a file of a run anew, or that it is no longer part of it."""
    gone = sql.SQL("DELETE FROM migration_control.plan_file WHERE run_id = {} AND path = {};")
    if sha256 is None:
        return gone.format(sql.Literal(run_id), sql.Literal(path))
    return sql.SQL(
        "INSERT INTO migration_control.plan_file (run_id, path, sha256) VALUES ({}, {}, {})"
        " ON CONFLICT (run_id, path) DO UPDATE SET sha256 = excluded.sha256;"
    ).format(*map(sql.Literal, (run_id, path, sha256)))


def plan_hash_sql(run_id: int, plan_hash: str) -> sql.Composed:
    """Record which plan a run goes on with."""
    return sql.SQL("UPDATE migration_control.run SET plan_hash = {} WHERE id = {};").format(
        sql.Literal(plan_hash), sql.Literal(run_id)
    )


CONTROL = (
    "SELECT r.id, (SELECT pg_catalog.jsonb_object_agg(c.key, c.value)"
    " FROM migration_control.control AS c WHERE c.run_id = r.id"
    " AND c.until > pg_catalog.clock_timestamp() AND (c.key <> 'stop' OR c.epoch = r.epoch))::text"
    " FROM migration_control.run AS r{} WHERE r.id = {} AND r.epoch = {}"
)
"""The run and what an operator asks of it now, a JSON object; a stop is meant for one runner."""


def control_sql(run_id: int, epoch: int) -> sql.Composed:
    """The run, and what an operator asks of it; no row when another runner has taken it over."""
    return _control(run_id, epoch)


def _control(run_id: int, epoch: int, join: sql.Composable = _NOTHING) -> sql.Composed:
    return sql.SQL(CONTROL).format(join, sql.Literal(run_id), sql.Literal(epoch))


def fence_sql(run_id: int, epoch: int, held: RangeRow | None = None) -> sql.Composed:
    """Lock the run's row, and give what an operator asks of it; no row when it was taken over.

    Who works at a range locks that one, and shares the run's row with the others of its runner: a
    successor, who changes it, waits for them all.
    """
    if held is None:
        return control_sql(run_id, epoch) + sql.SQL(" FOR NO KEY UPDATE OF r;")
    join, lock = ledger_range.fence(held)
    return _control(run_id, epoch, join) + lock
