"""Disk full for WAL: the server panics, and the run goes on when there is room and a server again.

pg_wal lies on a small disk; before it is filled, what is left of the last segment is used up, so
that the next commit needs a block. Transient: there is room and a server while the runner
reconnects, and the same runner ends as if nothing had been. Persistent: it gives up with status 5,
another one finds no server either, and only then there is room.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import Final

from psycopg import sql

from harness.core.exit_status import ExitStatus
from harness.core.poll import wait_until
from harness.crash.domain.environment.disk import evidence, points_of, small_disk
from harness.crash.domain.environment.halt import LIMIT, Halt, gone_on, halted, moment, never, said
from harness.crash.domain.environment.own_server import (
    OwnServer,
    finished,
    judged,
    struck,
)
from harness.crash.domain.environment.survey import Survey
from harness.crash.model import CoverageRow, Point, Task
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup
from harness.database import admin
from harness.fault.disk import SmallDisk, private_mounts
from harness.server.readiness import answers

SPARE: Final = 700  # bytes left in the last segment: less than a transaction needs
RECOVERY: Final = 5.0  # seconds for a log of a few segments
LOST: Final = Halt("reconnecting")
SETTINGS: Final = {"wal_recycle": "off", "min_wal_size": "32MB"}  # no segments in reserve
LEFT: Final = (
    "select s.size - o.file_offset,"
    " (select pg_catalog.max(name) from pg_catalog.pg_ls_waldir()"
    "  where name ~ '^[0-9A-F]{24}$') > o.file_name"
    " from pg_catalog.pg_walfile_name_offset(pg_catalog.pg_current_wal_insert_lsn()) as o,"
    " pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) as s(size)"
)
NOTHING: Final = "select pg_catalog.pg_logical_emit_message(false, '', pg_catalog.repeat('0', %s))"


def tasks(survey: Survey) -> list[Task]:
    """A step of each kind: freed soon, and late."""
    points = points_of(survey, "wal")
    return [Task("environment", points, weight=60.0, extra={"part": "wal"})] if points else []


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at each point, on one server whose pg_wal is on a small disk."""
    private_mounts()  # before the server starts: it must see the disk
    with OwnServer(ground, task.points[0].direction) as stage:
        disk = small_disk(stage)
        try:
            _move_wal(stage, disk)
            return struck(task, lambda point: _strike(stage, disk, point))
        finally:
            stage.server.kill()
            disk.close()


def _move_wal(stage: OwnServer, disk: SmallDisk) -> None:
    """Put pg_wal on the disk, as an administrator would: stopped, moved, linked."""
    data_dir = stage.server.data_dir
    assert data_dir is not None, "the disk was mounted beside it"
    with admin.connection(stage.server.dsn()) as conn:
        for name, value in SETTINGS.items():
            statement = sql.SQL("alter system set {} = {}")
            conn.execute(statement.format(sql.Identifier(name), sql.Literal(value)))
        conn.execute("select pg_catalog.pg_reload_conf()")
    stage.server.stop()
    old, new = data_dir / "pg_wal", disk.path / "pg_wal"
    subprocess.run(["cp", "-Rp", str(old), str(new)], check=True, capture_output=True)
    owner = old.stat()
    shutil.rmtree(old)
    old.symlink_to(new)
    os.chown(old, owner.st_uid, owner.st_gid, follow_symlinks=False)
    stage.restart()


def use_up(server_dsn: str) -> None:
    """Leave almost nothing of the segment that is written to, and none after it."""
    with admin.connection(server_dsn) as conn:
        conn.execute("checkpoint")  # what is written for the first time after it is written whole

        def nearly_full() -> bool:
            row = conn.execute(LEFT).fetchone()
            assert row is not None, "a server has a last segment"
            left, reserve = row
            full = left <= SPARE and not reserve
            if not full:  # into the next segment, or to the end of the last one
                pages = left // 8192 + 1
                size = left - 40 * pages - SPARE // 2 if left > SPARE else 2 * SPARE
                conn.execute(NOTHING, [max(size, 1)])
            return full

        wait_until(nearly_full, 30, "the end of the last WAL segment", pause=0.001)


def _strike(stage: OwnServer, disk: SmallDisk, point: Point) -> FaultOutcome:
    dsn = stage.clone()
    offset = stage.server.log_offset()
    strike = _transient if point.fault.endswith("transient") else _persistent
    try:
        return strike(stage, disk, moment(point), dsn, offset)
    finally:
        _bring_back(stage, disk)


def _transient(stage: OwnServer, disk: SmallDisk, at: Halt, dsn: str, offset: int) -> FaultOutcome:
    with stage.start(dsn, stage.ground.sweeping(reconnect=LIMIT), at, LOST) as process:
        if ending := halted(process, at):
            return FaultOutcome(False, "", (never(at, ending),))
        room = _fill(stage, disk)
        process.signal(signal.SIGCONT)
        missed = halted(process, LOST)
        _bring_back(stage, disk)
        if missed:
            return judged(stage, dsn, [never(LOST, missed)], evidence(stage, offset, room))
        return finished(stage, dsn, gone_on(process), evidence(stage, offset, room))


def _persistent(stage: OwnServer, disk: SmallDisk, at: Halt, dsn: str, offset: int) -> FaultOutcome:
    with stage.start(dsn, None, at) as process:
        if ending := halted(process, at):
            return FaultOutcome(False, "", (never(at, ending),))
        room = _fill(stage, disk)
        first = gone_on(process)
    with stage.start(dsn) as process:
        second = process.wait(LIMIT)
    _bring_back(stage, disk)
    reasons = (
        []
        if first.status == ExitStatus.STOPPED
        else [f"without room for WAL it ended with {said(first)}"]
    )
    if second.status not in (ExitStatus.INFRASTRUCTURE, ExitStatus.STOPPED):
        reasons.append(f"started again without room it ended with {said(second)}")
    return judged(stage, dsn, reasons, evidence(stage, offset, room))


def _fill(stage: OwnServer, disk: SmallDisk) -> str:
    use_up(stage.server.dsn())
    return disk.fill()


def _bring_back(stage: OwnServer, disk: SmallDisk) -> None:
    """Give room, and start the server if the want of it was its end."""
    disk.free()
    revive(stage)


def revive(stage: OwnServer, patience: float = RECOVERY) -> None:
    """Have the server answer again; one that neither lives nor dies is killed, then started.

    A postmaster whose startup process dies as soon as it has begun may stay without one for ever
    (seen on 18.6, on a busy machine). To kill it costs no more than the crash before.
    """
    server = stage.server
    try:
        wait_until(lambda: server.pid is None or answers(server.dsn(), 2), patience, "the server")
    except TimeoutError:
        server.kill()
    if server.pid is None:
        stage.restart()
