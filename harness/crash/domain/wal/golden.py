"""The golden run on a server that keeps its log, and every durable state it went through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.core.direction import Direction
from harness.core.errors import InfrastructureError
from harness.crash import runners
from harness.crash.model import END, START, WHOLE, Point
from harness.crash.process_run import run_undisturbed
from harness.crash.setup import Setup, named
from harness.fault import wal
from harness.fault.process import Job, Tell, fork
from harness.fault.wal_records import Record, durable
from harness.server import directories

if TYPE_CHECKING:
    from harness.runner import Event
    from harness.server.local import LocalServer

DATABASE: Final = "subject"
FAULT: Final = "recovered"
COPIES: Final = 4
"""Copies of the directory that exist together: server, base, a recovered one; room to grow."""
LARGER: Final = 2
"""How many times as large a database may become by the migration, and by a clone for the judge."""


@dataclass(frozen=True)
class LogMark:
    """From this position of the log on, the run was in a step."""

    lsn: int
    step: str


@dataclass(frozen=True)
class Golden:
    """An undisturbed run that can be cut: its server, the base before it, its durable states."""

    server: LocalServer
    base: wal.BaseCopy
    states: dict[Point, Record]


@contextmanager
def golden(ground: Setup, direction: Direction) -> Iterator[Golden]:
    """Run in a direction on a server made for it, and say where it can be cut."""
    server = ground.server("durable")
    try:
        kept = wal.keeping(server)
        dsn = ground.furnish(kept.dsn(), DATABASE)
        require_room(kept.data_dir)
        if direction != "forward":
            _finish(ground, "forward", dsn, kept.dsn())
        base = wal.take(kept, direction)
        marks = _finish(ground, direction, dsn, kept.dsn())
        end = wal.inserted(kept.dsn())
        kept.stop()  # all of its log is now in the files
        records = durable(kept.bin_dir, kept.data_dir / "pg_wal", base.at, end)
        yield Golden(kept, base, named_points(direction, marks, records))
    finally:
        server.close()


def named_points(
    direction: Direction, marks: Sequence[LogMark], records: Sequence[Record]
) -> dict[Point, Record]:
    """A point for each record: the step it was written in, its kind, its number there."""
    counted: Counter[tuple[str, str]] = Counter()
    points = {}
    for record in records:
        step = [mark.step for mark in marks if mark.lsn <= record.lsn][-1]
        kind = str(record.kind)
        counted[step, kind] += 1
        boundary = f"{kind}-{counted[step, kind]}"
        points[Point("wal", direction, step, boundary, FAULT)] = record
    return points


def require_room(data_dir: Path) -> None:
    """Refuse at once when the copies will not fit beside a data directory."""
    size = sum(path.stat().st_size for path in data_dir.rglob("*") if path.is_file())
    require_bytes(data_dir, size * COPIES * LARGER)


def require_bytes(path: Path, needed: int) -> None:
    """Raise InfrastructureError when fewer bytes than needed are free where `path` is."""
    free = directories.free(path)
    if free < needed:
        raise InfrastructureError(
            f"copies of the data directory need {_megabytes(needed)}, {_megabytes(free)} are free",
            where=str(path),
            hint="make room there, or name another place in HARNESS_DATA",
        )


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:,.0f} MB"


def _finish(ground: Setup, direction: Direction, dsn: str, server_dsn: str) -> list[LogMark]:
    """Run to the end; where in the log each step began. Not every run tells its steps."""
    if not ground.resumes:
        run_undisturbed(ground, direction, dsn)
        return [LogMark(0, WHOLE)]
    with fork(_marking(ground, direction, dsn, server_dsn)) as process:
        ending = process.wait()
    if not ending.done:
        raise InfrastructureError(
            f"the undisturbed {direction} run ended with status {ending.status}: {ending.error}",
            hint="explore crashes of a plan that runs",
        )
    return [LogMark(0, START), *process.told]


def _marking(ground: Setup, direction: Direction, dsn: str, server_dsn: str) -> Job:
    """The job of running and telling marks; the runner waits while one is made."""

    def work(tell: Tell) -> None:
        if ground.prepare is not None:
            named(ground.prepare)()

        def mark(step: str) -> None:
            tell(LogMark(wal.inserted(server_dsn), step))

        def listen(event: Event) -> None:
            if event.kind == "step_started":
                mark(str(event.step))
            elif event.kind == "step_done":
                mark(END)  # until another step is begun

        runners.VERBS[direction](dsn, ground.sweeping(), on_event=listen)

    return work
