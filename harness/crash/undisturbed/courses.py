"""Undisturbed runs of a plan, kept at their ends: before, migrated, rolled back, cleaned up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness import runner
from harness.core.direction import Direction
from harness.core.errors import HarnessError
from harness.crash.model import START, WHOLE
from harness.crash.process_run import run_undisturbed
from harness.crash.setup import Setup
from harness.crash.undisturbed.sequences import SequenceWatch
from harness.database import admin, template
from harness.runner import Event

WHY = "the exploration tries the clean-up"


@dataclass(frozen=True)
class Failed:
    """A run that nothing disturbed and that failed nevertheless."""

    direction: Direction
    step: str
    error: str


@dataclass
class Course:
    """Databases nobody is connected to, at the ends of runs that began with the same one.

    `back` and `cleaned` are missing where that run failed, or the plan has none.
    """

    ends: dict[str, str] = field(default_factory=dict)
    watches: list[SequenceWatch] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)


def take(
    ground: Setup, server_dsn: str, before: str, *, gaps: bool, directions: Sequence[str]
) -> Course:
    """Migrate a clone of the database `before`, and roll back and clean up clones of that."""
    course = Course({"before": before})
    course.ends["after"] = _go(course, server_dsn, ground, "forward", before, gaps)
    ways: tuple[tuple[Direction, str], ...] = (("rollback", "back"), ("cleanup", "cleaned"))
    for direction, end in ways:
        if direction not in directions:
            continue
        try:
            found = _go(course, server_dsn, ground, direction, course.ends["after"], gaps)
        except _Failure as failure:
            course.failed.append(failure.failed)
        else:
            course.ends[end] = found
    return course


class _Failure(Exception):  # noqa: N818 - what became of a run
    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.error)
        self.failed = failed


def _go(
    course: Course, server_dsn: str, ground: Setup, direction: Direction, begin: str, gaps: bool
) -> str:
    """Run on a clone of the database `begin`; the clone's name."""
    dsn = template.clone(server_dsn, begin)
    watch = SequenceWatch(dsn, gaps)
    course.watches.append(watch)
    at = [START]

    def listen(event: Event) -> None:
        if event.kind == "step_started":
            at.append(str(event.step))
        watch.hear(event)

    try:
        run_on(ground, direction, dsn, listen)
    except HarnessError as error:
        if direction == "forward":
            raise
        watch.close()
        admin.drop(server_dsn, admin.dbname(dsn))
        raise _Failure(Failed(direction, at[-1], str(error))) from error
    finally:
        watch.close()
    admin.end_connections(server_dsn, admin.dbname(dsn))
    return admin.dbname(dsn)


def run_on(ground: Setup, direction: Direction, dsn: str, listen: Callable[[Event], None]) -> None:
    """Run in this process, as the product does; a subject that is not ours in one of its own."""
    if not ground.resumes:
        run_undisturbed(ground, direction, dsn)
        listen(Event("step_done", WHOLE))
        return
    plan = ground.sweeping()
    if direction == "forward":
        runner.migrate(dsn, plan, on_event=listen)
    elif direction == "rollback":
        runner.rollback(dsn, plan, on_event=listen)
    else:
        runner.cleanup(dsn, plan, override_retention=WHY, on_event=listen)


@contextmanager
def dropped(server_dsn: str, names: list[str]) -> Iterator[None]:
    """Drop databases at the end of the block, those too that are added in it."""
    try:
        yield
    finally:
        for name in names:
            admin.drop(server_dsn, name)
