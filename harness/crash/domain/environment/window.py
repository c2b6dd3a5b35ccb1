"""The holder of a maintenance window is killed: closing, waiting, running the plan, opening again.

The application writes again once the lease has ended, with no process alive; the next command, be
it `maintenance off` or the same run again, leaves nothing behind; the migration is as it should be.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.core.errors import HarnessError
from harness.core.poll import wait_until
from harness.crash import runners
from harness.crash.domain.environment.halt import LIMIT, said
from harness.crash.domain.environment.own_server import OwnServer, finished, judged, struck
from harness.crash.model import END, START, CoverageRow, Point, Task
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup, named
from harness.database import admin
from harness.fault.process import Job, Tell, fork
from harness.plan.rules import MaintenanceRules
from harness.safety.maintenance import MaintenanceRequest, holding, read_status, turn_off
from harness.safety.maintenance.scope import read_armed, read_tables
from harness.subject.plan import PlanSubject
from harness.subject.project import find_project
from harness.subject.protocol import Subject

LEASE: Final = 0.3
OFF: Final = "window-killed-off"  # the next command is `maintenance off`
AGAIN: Final = "window-killed-again"  # it is the same run again
FAULTS: Final = (OFF, AGAIN)
NO_ROLES: Final = "the plan is not one that closes tables of an application whose roles are named"
LEFT: Final = (
    "SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace"
    " WHERE nspname = 'migration_maintenance') + (SELECT pg_catalog.count(*)"
    " FROM pg_catalog.pg_trigger WHERE tgname = 'migration_maintenance')"
)


@dataclass(frozen=True)
class Moment:
    """When the holder is killed: before a statement that has this text, or at an event.

    Of several such statements the first is meant, or the one in the middle.
    """

    part: str
    text: str
    middle: bool = False


MOMENTS: Final = {
    "install": Moment("on", "CREATE SCHEMA IF NOT EXISTS migration_maintenance"),
    "arm-first": Moment("on", "CREATE OR REPLACE TRIGGER"),
    "arm-middle": Moment("on", "CREATE OR REPLACE TRIGGER", middle=True),
    "lease": Moment("on", "setval('migration_maintenance.lease'"),
    "wait": Moment("on", "-- Whose sessions may write"),
    "closed": Moment("event", "closed"),
    "started": Moment("event", "step_started"),
    "completed": Moment("event", "completed"),
    "open": Moment("off", "setval('migration_maintenance.lease', 1)"),
    "forget": Moment("off", "DELETE FROM migration_maintenance.closure"),
    "disarm-first": Moment("off", "DROP TRIGGER IF EXISTS"),
    "disarm-middle": Moment("off", "DROP TRIGGER IF EXISTS", middle=True),
    "remove": Moment("off", "DROP SCHEMA IF EXISTS"),
}
"""By the names of boundaries, in the order in which a window comes to them."""


def application_roles(subject: Subject) -> tuple[str, ...]:
    """The roles that a window of this subject closes its tables to; none where it has no such."""
    if not isinstance(subject, PlanSubject) or not subject.plan.preflight.requires:
        return ()
    if subject.plan.maintenance.roles:
        return subject.plan.maintenance.roles
    project = find_project(subject.plan.path.parent)
    if project is None or project.path is None:
        return ()
    is_its = project.path.resolve() == subject.plan.path.resolve()
    return project.roles.application if is_its else ()


def tasks(ground: Setup) -> list[Task]:
    """Every moment of a window, with either command after it; nothing has to be looked at."""
    if not application_roles(ground.subject) or not ground.goes("forward"):
        return []
    first = ground.plan.steps[0].id
    steps = {"on": START, "event": first, "off": END}
    points = tuple(
        Point("environment", "forward", steps[moment.part], f"window-{name}", fault)
        for name, moment in MOMENTS.items()
        for fault in FAULTS
    )
    return [Task("environment", points, weight=60.0, extra={"part": "window"})]


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at each point, on one server."""
    with OwnServer(ground, "forward") as stage:
        return struck(task, lambda point: _strike(stage, point))


def _strike(stage: OwnServer, point: Point) -> FaultOutcome:
    dsn = stage.clone()
    request = MaintenanceRequest(
        roles=application_roles(stage.ground.subject),
        rules=MaintenanceRules(lease=LEASE),
        reason="the exploration strikes a window",
    )
    moment = MOMENTS[point.boundary.removeprefix("window-")]
    with fork(_holder(stage.ground, dsn, request, moment)) as process:
        ending = process.wait(LIMIT)
    if ending.status != -signal.SIGKILL:
        stage.drop(dsn)
        return FaultOutcome(False, "", (f"the window never came there: {said(ending)}",))
    seen, reasons = _opened(dsn, request)
    if point.fault == AGAIN:
        with fork(_holder(stage.ground, dsn, request, None)) as process:
            ending = process.wait(LIMIT)
        reasons += _left(dsn)
        outcome = finished(stage, dsn, ending, seen)
        return replace(outcome, reasons=(*reasons, *outcome.reasons))
    try:
        turn_off(dsn, request)
    except HarnessError as error:
        reasons.append(f"the next command cannot turn it off: {error}")
    return judged(stage, dsn, reasons + _left(dsn), seen)


def _holder(ground: Setup, dsn: str, request: MaintenanceRequest, moment: Moment | None) -> Job:
    """A process that holds a window around the run, as `migrate --maintenance` does."""

    def work(tell: Tell) -> Any:
        if ground.prepare is not None:
            named(ground.prepare)()
        at = _Place()
        # only the holder is struck: a slow machine must not end the run around which it stands
        plan = ground.sweeping(reconnect=LIMIT, stall=LIMIT)
        if moment is not None:
            _kill_before(moment, at, _middle(dsn, request))

        def listen(event: Any) -> None:
            tell(event)
            if moment == Moment("event", event.kind):
                os.kill(os.getpid(), signal.SIGKILL)

        def closed(_: object) -> None:
            at.part = "run"
            if moment == MOMENTS["closed"]:
                os.kill(os.getpid(), signal.SIGKILL)

        with holding(dsn, request, closed):
            runners.VERBS["forward"](dsn, plan, on_event=listen)
            at.part = "off"
        return None

    return work


@dataclass
class _Place:
    part: str = "on"


def _middle(dsn: str, request: MaintenanceRequest) -> int:
    with admin.connection(dsn) as conn:
        tables = read_tables(conn, request.schemas)
    return 1 + sum(table.apart is None for table in tables) // 2


def _kill_before(moment: Moment, at: _Place, middle: int) -> None:
    """Have this process kill itself before a statement; only the thread that switches counts."""
    execute: Callable[..., Any] = psycopg.Connection.execute
    seen: Counter[Moment] = Counter()
    number = middle if moment.middle else 1

    def struck_execute(conn: Any, query: Any, *more: Any, **options: Any) -> Any:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and at.part == moment.part and moment.text in _text(conn, query):
            seen[moment] += 1
            if seen[moment] == number:
                os.kill(os.getpid(), signal.SIGKILL)
        return execute(conn, query, *more, **options)

    setattr(psycopg.Connection, "execute", struck_execute)  # noqa: B010 - an overloaded method


def _text(conn: Any, query: Any) -> str:
    if isinstance(query, sql.Composable):
        return query.as_string(conn)
    return query.decode() if isinstance(query, bytes) else str(query)


def _opened(dsn: str, request: MaintenanceRequest) -> tuple[str, list[str]]:
    """What was left, and why the application does not write again once the lease has ended."""
    before = read_status(dsn, request)
    seen = f"killed: maintenance {before.state}, {before.tables} tables armed"
    try:
        wait_until(lambda: read_status(dsn, request).state == "off", LIMIT, "the lease's end")
    except TimeoutError:
        return seen, ["the lease of a holder that is dead does not end"]
    with admin.connection(dsn) as conn:
        shut = [
            f"{role} cannot write to {table} though the lease has ended"
            for role in request.roles
            for table in read_armed(conn)
            if _refused(conn, role, sql.Identifier(table.schema, table.name))
        ]
    return seen, shut[:1]


def _refused(conn: psycopg.Connection[Any], role: str, table: sql.Identifier) -> bool:
    """Whether the barrier refuses a statement of a role; rights that it has not are no refusal."""
    conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    try:
        conn.execute(sql.SQL("DELETE FROM {} WHERE false").format(table))
    except psycopg.errors.ReadOnlySqlTransaction:
        return True
    except psycopg.errors.InsufficientPrivilege:
        return False
    finally:
        conn.execute("RESET ROLE")
    return False


def _left(dsn: str) -> list[str]:
    with admin.connection(dsn) as conn:
        row = conn.execute(LEFT).fetchone()
    return [f"{row[0]} objects of the window are left"] if row and row[0] else []
