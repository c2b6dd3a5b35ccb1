"""No connection left: before the start, and when a lost connection must be made again.

A run has two connections, so it may find room for none of them or for one. Before the start it says
that there is none, with status 3, and touches nothing. While it runs, its connections are ended and
their slots taken: persistent, it gives up with status 5; transient, the same runner goes on.
"""

from __future__ import annotations

import signal
from typing import Final

from psycopg import sql

from harness.core.exit_status import ExitStatus
from harness.crash.domain.environment.halt import LIMIT, Halt, gone_on, halted, moment, never, said
from harness.crash.domain.environment.own_server import (
    OwnServer,
    finished,
    judged,
    struck,
)
from harness.crash.domain.environment.survey import Survey
from harness.crash.model import START, CoverageRow, Point, Task
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup
from harness.crash.state import identify, settle
from harness.database import admin
from harness.fault.connections import NONE_LEFT, Crowd
from harness.fault.process import JobProcess

SLOTS: Final = 16
ROOM: Final = {"none": 0, "one": 1}  # slots that are left, by the boundary's name
SHORT: Final = 1.0  # seconds for which a runner tries, where it shall give up
REFUSED: Final = Halt("reconnecting", number=2)  # first it is cut, then it is not let in
NONE: Final = "no-connection"
MIDWAY: Final = tuple(
    f"{NONE}-{how}-{room}" for how in ("transient", "persistent") for room in ROOM
)
FAULTS: Final = (NONE, *MIDWAY)


def tasks(survey: Survey) -> list[Task]:
    """Before the start, and at a step of every kind."""
    way = survey.direction
    points = [Point("environment", way, START, room, NONE) for room in ROOM]
    points += [
        Point("environment", way, work.step, work.boundary, fault)
        for work in survey.heaviest("wal")
        for fault in MIDWAY
    ]
    return [Task("environment", tuple(points), weight=60.0, extra={"part": "connections"})]


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at each point, on one server with few slots."""
    with OwnServer(ground, task.points[0].direction) as stage:
        if stage.server.capabilities.can_restart:
            with admin.connection(stage.server.dsn()) as conn:
                conn.execute(sql.SQL("alter system set max_connections = {}").format(SLOTS))
            stage.restart()
        return struck(task, lambda point: _strike(stage, point))


def _strike(stage: OwnServer, point: Point) -> FaultOutcome:
    if point.step == START:
        return _before(stage, ROOM[point.boundary])
    room = ROOM[point.fault.rpartition("-")[2]]
    return _midway(stage, point, room, lasting="persistent" in point.fault)


def _before(stage: OwnServer, room: int) -> FaultOutcome:
    dsn = stage.clone()
    before = identify(stage.ground, dsn)
    with Crowd(stage.server.dsn()) as crowd:
        seen = f"{crowd.take_all(but=room)}; {room} of {crowd.size + room} slots free"
        with stage.start(dsn) as process:
            ending = process.wait(LIMIT)
        crowd.release()
    settle(stage.server.dsn(), admin.dbname(dsn))
    reasons = []
    if ending.status != ExitStatus.INFRASTRUCTURE or not NONE_LEFT.search(ending.error):
        reasons.append(f"with {room} slots it ended with {said(ending)}, not with status 3")
    if (left := identify(stage.ground, dsn)).key != before.key:
        reasons.append(f"it has touched the database: {left.way}")
    return judged(stage, dsn, reasons, f"{seen}; {ending.error}")


def _midway(stage: OwnServer, point: Point, room: int, *, lasting: bool) -> FaultOutcome:
    dsn, at = stage.clone(), moment(point)
    halts = (at,) if lasting else (at, REFUSED)
    plan = stage.ground.sweeping(reconnect=SHORT if lasting else LIMIT)
    with Crowd(stage.server.dsn()) as crowd, stage.start(dsn, plan, *halts) as process:
        if ending := halted(process, at):
            return FaultOutcome(False, "", (never(at, ending),))
        ended = crowd.end(admin.dbname(dsn))
        refusal = crowd.take_all(but=room)
        if lasting:
            ending = gone_on(process)
            crowd.release()
            seen = _evidence(process, ended, refusal)
            wrong = (
                []
                if ending.status == ExitStatus.STOPPED
                else [f"it did not give up: {said(ending)}"]
            )
            return judged(stage, dsn, wrong, seen)
        process.signal(signal.SIGCONT)
        missed = halted(process, REFUSED)
        crowd.release()
        seen = _evidence(process, ended, refusal)
        if missed:
            return judged(stage, dsn, [never(REFUSED, missed)], seen)
        return finished(stage, dsn, gone_on(process), seen)


def _evidence(process: JobProcess, ended: int, refusal: str) -> str:
    """What the runner was told when it wanted to connect again, '' when it was let in."""
    told = [event.message for event in process.told if event.kind == "reconnecting"]
    turned_away = [message for message in told if NONE_LEFT.search(message)]
    if not turned_away:
        return ""
    return f"{ended} connections ended, {refusal}; the runner, {len(told)} times: {turned_away[0]}"
