"""Look at a run from outside: the ledger and the server's views, in read-only transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.errors import Refused
from harness.database import pinned
from harness.observe.run_figures import RunFigures
from harness.observe.run_standing import IndexBuild, RunStanding, StepStanding, WaitingSession
from harness.plan import Plan
from harness.plan.ranges import relation
from harness.runner import ledger, ledger_control, ledger_format, lock
from harness.runner.connection import Connection, connect
from harness.runner.ledger import Checkpoint, Ledger, LedgerRun
from harness.runner.lock import Backend
from harness.runner.measuring import measure

WAITS = Path(__file__).with_name("watching.sql").read_bytes()
BUILD = Path(__file__).with_name("index_build.sql").read_bytes()
HOLDING = {"throttled": True, "throttle_ended": False, "long_use": True, "long_use_ended": False}
TOLD = ["step_failed", "stopped", *HOLDING]
ABOUT = """
SELECT coalesce(pg_catalog.sum(greatest(c.reltuples::bigint, s.n_live_tup, 0)), 0)::bigint
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.relkind = 'r' AND (c.oid = pg_catalog.to_regclass(%(name)s) OR c.oid IN (
  SELECT i.relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(%(name)s)) AS i))
"""


@contextmanager
def watching(dsn: str) -> Iterator[Connection]:
    """A session that cannot write: every transaction of it is read-only, and short."""
    with connect(dsn, "watch") as conn:
        pinned.pin(conn)
        conn.execute("SET default_transaction_read_only = on")
        conn.execute("SET statement_timeout = '10s'")
        yield conn


def look(conn: Connection, plan: Plan) -> RunStanding:
    """The database and its run now; a ledger that cannot be read is a view that says so."""
    with _moment(conn):
        return _looked(conn, plan)[0]


def look_and_measure(conn: Connection, plan: Plan) -> tuple[RunStanding, RunFigures]:
    """The same, and what the run, its runner and its server use."""
    with _moment(conn):
        view, run = _looked(conn, plan)
        workers = [] if run is None else _workers(conn, run)
        return view, measure(conn, run, workers, at_work=view.at_work)


@contextmanager
def _moment(conn: Connection) -> Iterator[None]:
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _looked(conn: Connection, plan: Plan) -> tuple[RunStanding, LedgerRun | None]:
    try:
        with conn.transaction():
            known = ledger.read(conn)
    except Refused as refusal:
        return RunStanding("foreign", errors=(str(refusal),)), None
    run = known.runs[-1] if known.runs else None
    return (RunStanding("clean") if run is None else _view(conn, plan, known, run)), run


def _workers(conn: Connection, run: LedgerRun) -> list[int]:
    return [one.pid for one in lock.at_work(conn, Backend(run.pid, run.backend_start))]


def _view(conn: Connection, plan: Plan, known: Ledger, run: LedgerRun) -> RunStanding:
    rows = sorted(known.checkpoints(run).values(), key=lambda row: row.position)
    done = {row.step for row in rows if row.state == "done"}
    asked = _asked(conn, run)
    errors, held = _told(conn, run, done)
    pause = next((value for key, value, _ in asked if key == "pause"), "")
    took = conn.execute(ledger_control.SINCE, [run.id]).fetchone()
    workers = _workers(conn, run)
    return RunStanding(
        state=known.state,
        run=run.id,
        direction=run.direction,
        at_work=lock.is_held(conn),
        completed=run.completed,
        done=len(done),
        planned=_planned(plan, known, run),
        phases=tuple(
            (phase.id, sum(step.id in done for step in phase.steps), len(phase.steps))
            for phase in plan.phases
            if run.direction == "forward"
        ),
        step=_step(conn, plan, run, rows),
        held="" if run.completed else (f"paused by {pause}" if pause else held),
        build=_build(conn, workers),
        waits=tuple(_waits(conn, workers)),
        errors=tuple(errors),
        settings=tuple(f"{k} = {v} until {u}" for k, v, u in asked if k not in ("pause", "stop")),
        seconds=took[0] if took else None,
        rows=sum(row.all_rows for row in rows),
    )


def _planned(plan: Plan, known: Ledger, run: LedgerRun) -> int:
    if run.direction == "rollback":
        return len(known.steps.get(run.undoes or 0, {}))
    return len(plan.cleanup) if run.direction == "cleanup" else len(plan.steps)


def _asked(conn: Connection, run: LedgerRun) -> list[tuple[str, str, str]]:
    version = ledger_format.version(conn)
    if version is None or version < ledger_format.SINCE["control.key"]:
        return []
    return [
        (str(key), str(value), str(until))
        for key, value, until in conn.execute(ledger_control.ASKED, [run.id])
    ]


def _told(conn: Connection, run: LedgerRun, done: set[str]) -> tuple[list[str], str]:
    """What failed or stopped it, and why it is held back now."""
    errors, held = list[str](), ""
    for kind, step, message in ledger.events(conn, run.id, TOLD):
        if kind in HOLDING:
            held = message if HOLDING[kind] and step not in done else ""
        elif step is None or step not in done:
            errors.append(f"{step}: {message}" if step else message)
    return errors, held


def _step(
    conn: Connection, plan: Plan, run: LedgerRun, rows: list[Checkpoint]
) -> StepStanding | None:
    """The step in progress, else the one that was done last."""
    row = next((row for row in rows if row.state != "done"), rows[-1] if rows else None)
    if row is None:
        return None
    step = next((one for one in plan.steps if one.id == row.step), None)
    script = None
    if step is not None and run.direction != "cleanup":
        script = step.forward if run.direction == "forward" else step.rollback
    total = 0
    if script is not None and script.kind == "batch" and script.table:
        name = ".".join(f'"{part}"' for part in relation(script))
        found = conn.execute(ABOUT, {"name": name}).fetchone()
        total = int(found[0]) * max(len(script.statements), 1) if found else 0
    return StepStanding(row.step, row.kind, row.state, row.all_rows, total)


def _waits(conn: Connection, workers: list[int]) -> Iterator[WaitingSession]:
    for pid, seconds, blockers in conn.execute(WAITS, [workers]).fetchall():
        yield WaitingSession(pid, float(seconds), blockers or "nobody that is seen")


def _build(conn: Connection, workers: list[int]) -> IndexBuild | None:
    """The index that a worker builds now; its phase is hidden from a role that may not see it."""
    row = conn.execute(BUILD, [workers]).fetchone()
    if row is None:
        return None
    phase, *counts = row
    if phase is None:
        return IndexBuild("its phase is hidden from this role")
    waited, waits, locker, scanned, blocks, taken, tuples = (int(one or 0) for one in counts)
    if phase.startswith("waiting"):
        return IndexBuild(phase, waited, waits, "transactions", locker)
    if "scanning" in phase:
        return IndexBuild(phase, scanned, blocks, "blocks")
    return IndexBuild(phase, taken, tuples, "tuples") if "tuples" in phase else IndexBuild(phase)
