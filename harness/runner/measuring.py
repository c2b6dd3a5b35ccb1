"""Measure a run from outside, in the read-only transaction of the caller."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
from psycopg import sql

from harness.observe import host
from harness.observe.process_use import ProcessUse, runner_use, server_use
from harness.observe.run_figures import (
    DatabaseUse,
    HostUse,
    RunFigures,
    StatementTime,
    StepTime,
)
from harness.runner.connection import Connection
from harness.runner.ledger import LedgerRun
from harness.server import pidfile

SLOWEST = 5
RUNNER = Path(__file__).with_name("ledger_runner.sql").read_bytes()
STEPS = Path(__file__).with_name("ledger_slowest.sql").read_bytes()
DATABASE = """
SELECT s.blks_read * b.size, s.blks_hit * b.size, s.temp_bytes,
  CASE WHEN NOT pg_catalog.pg_is_in_recovery()
    THEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint END
FROM pg_catalog.pg_stat_database AS s
CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::bigint) AS b (size)
WHERE s.datname = pg_catalog.current_database()
"""
EXTENSION = """
SELECT n.nspname FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""
STATEMENTS = sql.SQL("""
SELECT queryid::text, pg_catalog.sum(calls)::bigint,
  pg_catalog.sum(total_exec_time)::float8 / 1000, pg_catalog.max(max_exec_time)::float8 / 1000
FROM {}.pg_stat_statements
WHERE queryid IS NOT NULL
  AND dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT {}
""")


def measure(
    conn: Connection, run: LedgerRun | None, workers: list[int], *, at_work: bool
) -> RunFigures:
    """What the run, its runner, its database and the server's host use; nothing is written."""
    database = conn.execute(DATABASE).fetchone()
    assert database is not None, "the database that we are in"
    runner, running = (None, None) if run is None else _runner(conn, run, workers)
    steps = () if run is None else conn.execute(STEPS, [run.id, SLOWEST]).fetchall()
    return RunFigures(
        DatabaseUse(*database),
        _host(conn),
        runner if at_work else None,
        running,
        tuple(StepTime(str(step), float(seconds)) for step, seconds in steps),
        _statements(conn),
    )


def _runner(
    conn: Connection, run: LedgerRun, workers: list[int]
) -> tuple[ProcessUse | None, float | None]:
    row = conn.execute(RUNNER, {"run": run.id, "workers": workers}).fetchone()
    assert row is not None, "the run that was read in the same snapshot"
    client, connected, running = row
    return runner_use(str(client), float(connected)), running


def _host(conn: Connection) -> HostUse | None:
    """The server's host; None where it is another one, or where its files are hidden."""
    row = conn.execute(host.FACTS).fetchone()
    assert row is not None
    directory, started, _ = row
    if directory is None or not host.is_here(directory, started):
        return None
    found = pidfile.read(Path(directory))
    try:
        free = host.free_bytes(directory)
    except OSError:
        return None
    return HostUse(free, os.getloadavg()[0], None if found is None else server_use(found.pid))


def _statements(conn: Connection) -> tuple[StatementTime, ...] | None:
    """The slowest statements of the database; None where pg_stat_statements cannot be asked."""
    row = conn.execute(EXTENSION).fetchone()
    if row is None:
        return None
    query = STATEMENTS.format(sql.Identifier(str(row[0])), sql.Literal(SLOWEST))
    try:
        with conn.transaction():
            rows = conn.execute(query).fetchall()
    except psycopg.ProgrammingError:  # no right, or not loaded when the server began
        return None
    except psycopg.errors.ObjectNotInPrerequisiteState:
        return None
    return tuple(StatementTime(*one) for one in rows)
