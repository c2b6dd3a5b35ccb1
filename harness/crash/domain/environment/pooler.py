"""A PgBouncer in between: in transaction mode the run is refused, or safe; in session mode fine.

Locks, settings and the fence belong to a session. Safe therefore means more than a good end: while
the run is at work, a second runner by the same way must find that it is not alone.
"""

from __future__ import annotations

from typing import Final

from harness.core.exit_status import ExitStatus
from harness.crash.domain.environment.halt import LIMIT, Halt, gone_on, halted, said
from harness.crash.domain.environment.own_server import OwnServer, struck
from harness.crash.domain.environment.survey import Survey
from harness.crash.model import START, CoverageRow, Point, Task
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup
from harness.crash.state import identify, settle
from harness.database import admin, ledger_view
from harness.fault.pooler import PgBouncer, Pool, program
from harness.fault.process import Ending, JobProcess

POOLS: Final = {
    "pool1": Pool("transaction", 1),
    "pool2": Pool("transaction", 2),
    "pool20": Pool("transaction", 20),
    # It has served others before, and hands its connections out in turn: each client seems to keep
    # one while nobody else asks.
    "turns2": Pool("transaction", 2, in_turn=True),
    "statement20": Pool("statement", 20),
    "session20": Pool("session", 20),
}
FAULTS: Final = tuple(dict.fromkeys(f"pgbouncer-{pool.mode}" for pool in POOLS.values()))
AT_WORK: Final = Halt("step_started")
LOOKS: Final = 50  # more than any pool has server connections: handed out in turn, all are seen
BACKEND: Final = "select pg_catalog.pg_backend_pid()"


def tasks(survey: Survey) -> list[Task]:
    """Every pool."""
    points = tuple(
        Point("environment", survey.direction, START, name, f"pgbouncer-{pool.mode}")
        for name, pool in POOLS.items()
    )
    return [Task("environment", points, weight=60.0, extra={"part": "pooler"})]


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at each point, every one with a PgBouncer of its own."""
    program()  # without it nothing here can be struck
    with OwnServer(ground, task.points[0].direction) as stage:
        return struck(task, lambda point: _strike(stage, POOLS[point.boundary]))


def _strike(stage: OwnServer, pool: Pool) -> FaultOutcome:
    dsn = stage.clone()
    before = identify(stage.ground, dsn)
    with PgBouncer(stage.server.dsn(), pool) as pooler:
        if pool.in_turn:
            pooler.warm(dsn, pool.size)
        logins = _logins(pooler, dsn)
        with stage.start(pooler.dsn(dsn), None, AT_WORK) as process:
            ending = halted(process, AT_WORK)
            logins = _logins(pooler, dsn) - logins
            if ending is not None:
                reasons = _not_refused(stage, dsn, pool, ending, before.key)
            else:
                reasons = _unsafe(stage, pooler, dsn, process)
    seen = f"{logins} logins to {pool.mode} pooling"
    if ending is not None:
        seen += f"; {ending.error}"
    elif not reasons:
        seen += "; not refused, and safe"
    stage.drop(dsn)
    state = "at work" if ending is None else "not begun"
    return FaultOutcome(logins > 0, seen, tuple(reasons), state)


def _logins(pooler: PgBouncer, dsn: str) -> int:
    """How many clients have logged in to a database by way of the pooler."""
    return pooler.log().count(f"login attempt: db={admin.dbname(dsn)} ")


def _not_refused(stage: OwnServer, dsn: str, pool: Pool, ending: Ending, key: str) -> list[str]:
    """Why an end before any work is no clear refusal that left the database as it was."""
    reasons = []
    refused = (
        ending.status == ExitStatus.FAILED and ending.kind == "Refused" and "pooler" in ending.error
    )
    if not refused or pool.mode == "session":
        reasons.append(f"it was neither refused for the pooler nor at work: {said(ending)}")
    _free(stage, dsn)
    if (left := identify(stage.ground, dsn)).key != key:
        reasons.append(f"it has written to the database: {left.way}")
    return reasons


def _unsafe(stage: OwnServer, pooler: PgBouncer, dsn: str, process: JobProcess) -> list[str]:
    """Why a run that was not refused, and stands still at work, is not safe."""
    reasons = _shared(pooler, dsn)
    with stage.start(pooler.dsn(dsn)) as rival:
        second = rival.wait(LIMIT)
    if second.status != ExitStatus.ANOTHER_RUNNER:
        reasons.append(f"a second runner was not kept out: {said(second)}")
    first = gone_on(process)
    pooler.close()
    _free(stage, dsn)
    if not first.done:
        reasons.append(f"it was not refused, and ended with {said(first)}")
    elif found := stage.misses(dsn):
        reasons.append(f"it was not refused, and {'; '.join(found)}")
    return reasons


def _shared(pooler: PgBouncer, dsn: str) -> list[str]:
    """Whether others are given the server processes that hold the run's lock and its settings."""
    with admin.connection(dsn) as direct:
        run = ledger_view.last_run(direct)
    assert run is not None, "a run is at work"
    with admin.connection(pooler.dsn(dsn), prepare_threshold=None) as other:
        theirs = {other.execute(BACKEND).fetchone() for _ in range(LOOKS)}
    shared = {pid for pid in (run.pid, run.lock_pid) if (pid,) in theirs}
    return [f"other clients were given {len(shared)} of the run's sessions"] if shared else []


def _free(stage: OwnServer, dsn: str) -> None:
    """End what the pooler keeps open."""
    name = admin.dbname(dsn)
    admin.end_connections(stage.server.dsn(), name)
    settle(stage.server.dsn(), name)
