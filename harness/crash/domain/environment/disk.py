"""Disk full for data: the run stops, says why, and goes on when there is room.

The disk is a tablespace that holds the database under test, so that nothing else of the server is
full. Only steps that take space are struck: one that drops an index needs none. A runner that meets
a full disk gives up at once, so transient means that there is room before anybody tries again, and
persistent that somebody tried in vain before.
"""

from __future__ import annotations

import re
from typing import Final

from psycopg import sql

from harness.core.errors import InfrastructureError
from harness.core.exit_status import ExitStatus
from harness.crash.domain.environment.halt import LIMIT, gone_on, halted, moment, never, said
from harness.crash.domain.environment.own_server import (
    OwnServer,
    judged,
    struck,
)
from harness.crash.domain.environment.survey import Survey
from harness.crash.model import CoverageRow, Point, Task
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup
from harness.database import admin
from harness.fault.disk import SmallDisk, private_mounts
from harness.fault.process import Ending

FULL: Final = "No space left on device"
NAMED: Final = re.compile(r"No space left on device|SQLSTATE 53100")
TABLESPACE: Final = "environment_small"
LASTING: Final = ("transient", "persistent")
FAULTS: Final = tuple(f"{what}-full-{how}" for what in ("data", "wal") for how in LASTING)


def tasks(survey: Survey) -> list[Task]:
    """A step of each kind that takes space: freed soon, and late."""
    points = points_of(survey, "data")
    return [Task("environment", points, weight=60.0, extra={"part": "disk"})] if points else []


def points_of(survey: Survey, what: str) -> tuple[Point, ...]:
    """The points at which a disk, for data or for WAL, is filled."""
    return tuple(
        Point("environment", survey.direction, work.step, work.boundary, f"{what}-full-{how}")
        for work in survey.heaviest(what)
        for how in LASTING
    )


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at each point, on one server with a small disk."""
    private_mounts()  # before the server starts: it must see the disk
    with OwnServer(ground, task.points[0].direction) as stage:
        disk = small_disk(stage)
        try:
            _make_tablespace(stage, disk)
            return struck(task, lambda point: _strike(stage, disk, point))
        finally:
            stage.server.kill()
            disk.close()


def small_disk(stage: OwnServer) -> SmallDisk:
    """Mount a small disk beside the server's data directory, for the server's account.

    Raises InfrastructureError where the server's files are not on this machine.
    """
    data_dir = stage.server.data_dir
    if data_dir is None or not stage.server.capabilities.local_files:
        raise InfrastructureError(
            f"mount: the files of a server from {stage.server.provider} are not on this machine",
            hint="let the server be embedded or the system's",
        )
    found = data_dir.stat()
    return SmallDisk.mount(data_dir.parent / "small", (found.st_uid, found.st_gid))


def _make_tablespace(stage: OwnServer, disk: SmallDisk) -> None:
    statement = sql.SQL("create tablespace {} location {}").format(
        sql.Identifier(TABLESPACE), sql.Literal(str(disk.path))
    )
    with admin.connection(stage.server.dsn()) as conn:
        conn.execute(statement)


def _strike(stage: OwnServer, disk: SmallDisk, point: Point) -> FaultOutcome:
    dsn, at = _on_the_disk(stage), moment(point)
    offset = stage.server.log_offset()
    try:
        with stage.start(dsn, None, at) as process:
            if ending := halted(process, at):
                return FaultOutcome(False, "", (never(at, ending),))
            room = disk.fill()
            reasons = not_stopped(gone_on(process))
        if point.fault.endswith("persistent"):
            disk.fill()  # what was undone may have left a little room
            since = stage.server.log_offset()
            with stage.start(dsn) as again:
                ending = again.wait(LIMIT)
            if not ending.done or (stage.direction == "forward" and met(stage, since)):
                # a way back frees room itself, as tables go, and so may come to its end
                reasons += not_stopped(ending, " when started again without room")
    finally:
        disk.free()
    return judged(stage, dsn, reasons, evidence(stage, offset, room))


def _on_the_disk(stage: OwnServer) -> str:
    """A database from which the run begins, moved to the small disk."""
    dsn = stage.clone()
    names = sql.Identifier(admin.dbname(dsn)), sql.Identifier(TABLESPACE)
    with admin.connection(stage.server.dsn()) as conn:
        conn.execute(sql.SQL("alter database {} set tablespace {}").format(*names))
    return dsn


def not_stopped(ending: Ending, when: str = "") -> list[str]:
    """Why an ending is not that of a runner that stopped because the disk is full."""
    if ending.status != ExitStatus.STOPPED:
        return [f"a full disk made the runner end{when} with {said(ending)}, not with status 5"]
    if not NAMED.search(ending.error):
        return [f"the runner does not say{when} that the disk is full: {ending.error}"]
    return []


def evidence(stage: OwnServer, offset: int, room: str) -> str:
    """What the server's log says of the full disk, '' when it met none."""
    lines = met(stage, offset)
    return f"{room}; {len(lines)} times in the log, first: {lines[0]}" if lines else ""


def met(stage: OwnServer, offset: int) -> list[str]:
    """The lines of the server's log that speak of a full disk."""
    return [line for line in stage.server.log(offset).splitlines() if FULL in line]
