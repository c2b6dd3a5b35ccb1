"""The whole exploration: find every point, strike, judge, and write down what it comes to."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from harness import __version__, plan
from harness.core.errors import InfrastructureError
from harness.core.quantity import size
from harness.core.tree_hash import tool_hash
from harness.core.writable import refuse_unwritable
from harness.crash import coverage, coverage_file, sample, workers
from harness.crash.applicability import cleanup_steps, places_of, steps_of
from harness.crash.golden_note import Note
from harness.crash.model import START, WHOLE, CoverageRow, Point, Task
from harness.crash.prospect import Prospect, Told, prospected, silent
from harness.crash.replay import PointReplay
from harness.crash.request import Enumeration
from harness.crash.settings import CrashSettings, narrowed
from harness.crash.setup import Setup
from harness.crash.share import shard_document, take_share
from harness.document.crash import CrashDocument
from harness.plan import Plan
from harness.server import Server, choose
from harness.server.directories import data_root, free
from harness.subject.choice import is_default_plan
from harness.subject.plan import PlanSubject
from harness.subject.protocol import Subject

ROOM = 512 * 1024**2
"""Bytes that must be free where servers keep their data, for each worker: at 1,000 rows its server
and copies, and a share of the server that all begin with, took 350 MB at most."""
RUNS = 3  # of a subject at a point: struck, resumed, and back
STRIKING = "striking"
EXPLORABLE = "use embedded or system: servers of its own, on this machine"


Strike = Callable[[Prospect, Sequence[Task], Callable[[int], None]], Iterator[CoverageRow]]
"""Who strikes: the rows of the tasks, as they come; it tells how many points are done."""


def run(
    settings: CrashSettings, told: Told = silent, struck: Strike | None = None
) -> CrashDocument:
    """Explore and give the document that also stands in build/crash.json.

    Raises InfrastructureError when there is no server that may be killed or too little room, and
    UsageError for an unknown fault or point; nothing has been explored then, and as a rule not even
    a server started.
    """
    subject = settings.subject or PlanSubject(plan.load(settings.plan))
    settings = narrowed(settings, subject)
    if settings.server == "container":
        raise _inexplorable(settings.server)
    if settings.build is not None:
        for name in ("crash.json", "report/crash.html"):
            refuse_unwritable(settings.build / name, "name a directory for --build")
    _room(settings.workers)
    with _started(settings) as server:
        return run_on(server, settings, subject, told, struck)


def run_on(
    server: Server,
    settings: CrashSettings,
    what: Subject | Plan,
    told: Told = silent,
    struck: Strike | None = None,
) -> CrashDocument:
    """Explore on a server that is there; other domains than wire start servers besides."""
    subject = PlanSubject(what) if isinstance(what, Plan) else what
    settings = narrowed(settings, subject)
    began = time.monotonic()
    with prospected(server, settings, subject, told) as prospect:
        return strike(prospect, settings, told, struck, began)


def strike(
    prospect: Prospect,
    settings: CrashSettings,
    told: Told = silent,
    struck: Strike | None = None,
    began: float | None = None,
) -> CrashDocument:
    """Strike what is asked for of all that was found. UsageError when that is nothing.

    Without `struck` worker processes of this machine do it.
    """
    began = time.monotonic() if began is None else began
    whole = _chosen(settings, prospect.every)
    chosen = take_share(whole, settings.shard, settings.costs)
    number = sum(len(task.points) for task in chosen)
    told(STRIKING, 0, number)
    rows = list(
        (struck or _struck_here(settings))(
            prospect, chosen, lambda done: told(STRIKING, done, number)
        )
    )
    return _ledger(prospect, settings, whole, chosen, rows, began)


def _ledger(
    prospect: Prospect,
    settings: CrashSettings,
    whole: Sequence[Task],
    chosen: Sequence[Task],
    rows: Sequence[CoverageRow],
    began: float,
) -> CrashDocument:
    """The document of an exploration, which is written where it is to stand."""
    ground, every, subject = prospect.ground, prospect.every, prospect.ground.subject
    expected = tuple(point for task in chosen for point in task.points)
    places = places_of(settings, ground, prospect.failures)
    steps = steps_of(subject, every)
    document = coverage.Coverage(
        expected,
        tuple(_compared(row, ground) for row in rows),
        steps["forward"],
        Enumeration.of_tasks(
            settings.asked,
            every,
            absent=places.absent,
            unlooked=places.unlooked,
            faultless=places.faultless,
        ),
        _files(subject),
        (
            *prospect.notes,
            *_bounds(ground, len(expected), sum(len(task.points) for task in every)),
        ),
        steps["cleanup"],
        steps.get("rollback"),
        tuple(point for task in whole for point in task.points),
    ).document(
        _replay(settings, prospect.server),
        _environment(settings, subject, prospect.server),
        seconds=time.monotonic() - began,
    )
    document = msgspec.structs.replace(
        document,
        omitted={table: dict(columns) for table, columns in ground.omit.items()},
        drawn=sorted(ground.drawn),
        shard=shard_document(whole, settings.shard, settings.costs),
    )
    if settings.build is not None:
        coverage_file.write(document, settings.build / "crash.json")
    return document


def _bounds(ground: Setup, struck: int, of: int) -> Iterator[Note]:
    """What bounds the exploration of a subject whose every run is a process that is started."""
    if ground.resumes:
        return
    minutes = of * RUNS * ground.seconds / 60
    reason = (
        f"a point starts the {ground.subject.kind} about {RUNS} times, {ground.seconds:.1f} s each:"
        f" {struck} of {of} points were taken, all (--points all) are about {minutes:.0f} minutes"
        f" of work; a run that had not ended after {ground.limit:.0f} s was killed"
    )
    yield Note("bounds", "info", "forward", START, reason)


def _compared(row: CoverageRow, ground: Setup) -> CoverageRow:
    """A pass is none where all that the step changes could not be compared."""
    direction = row.point.direction
    unseen = (direction, row.point.step) in ground.hidden or (direction, WHOLE) in ground.hidden
    if row.verdict != "pass" or not unseen:
        return row
    reason = "all that this step changes differs by itself from run to run: nothing was compared"
    return replace(row, verdict="unknown", reason=reason)


def _files(subject: Subject) -> dict[tuple[str, str], str]:
    """Direction and step -> the file that is run there, below the subject's directory."""
    found = {}
    for each in subject.revisions:
        found["forward", each.name] = each.forward or ""
        found["rollback", each.name] = each.back or ""
    return found | {("cleanup", step): name for step, name in cleanup_steps(subject).items()}


def _room(workers: int) -> None:
    root, _ = data_root()
    there, needed = root if root.exists() else root.parent, ROOM * workers
    if free(there) < needed:
        raise InfrastructureError(
            f"only {size(free(there))} are free where servers keep their data",
            where=str(root),
            hint=f"free {size(needed)} there for {workers} workers, take fewer of them,"
            " or name another directory in HARNESS_DATA",
        )


def _inexplorable(provider: str) -> InfrastructureError:
    return InfrastructureError(
        f"the exploration cannot kill and copy a server of provider {provider}", hint=EXPLORABLE
    )


@contextmanager
def _started(settings: CrashSettings) -> Iterator[Server]:
    """A server of this exploration's own, closed at the end."""
    server = choose(
        settings.server, version=settings.pg_version, profile="fast", owner_pid=os.getpid()
    )
    if not server.capabilities.can_kill or not server.capabilities.local_files:
        raise _inexplorable(server.provider)
    server.start()
    try:
        yield server
    finally:
        server.close()


def _chosen(settings: CrashSettings, every: list[Task]) -> list[Task]:
    """The tasks to run, with the points that were asked for."""
    if settings.replay:
        every = sample.replayed(every, Point.parse(settings.replay))
    if settings.faults:
        every = sample.struck_by(every, settings.faults)
    if settings.points is not None:
        every = sample.sampled(
            every, settings.points, settings.seed, boundaries=settings.boundaries
        )
    return every


def _struck_here(settings: CrashSettings) -> Strike:
    """Domains that mostly wait and those that mostly work are explored side by side."""

    def struck(
        prospect: Prospect, chosen: Sequence[Task], tell: Callable[[int], None]
    ) -> Iterator[CoverageRow]:
        return workers.run_tasks(prospect.ground, chosen, settings.workers, tell)

    return struck


def _replay(settings: CrashSettings, server: Server) -> PointReplay:
    """How a point is repeated, here or on another machine: from the same place of a checkout.

    A server that could not be struck again, such as a gate's container, is named by its version.
    """
    plan_path = _relative(settings.plan) if settings.subject is None else None
    provider = "embedded" if server.provider == "embedded" else "system"
    return PointReplay(
        settings.rows,
        settings.seed,
        None if plan_path is None or is_default_plan(plan_path, Path.cwd()) else str(plan_path),
        provider,
        server.version,
        settings.named,
    )


def _relative(path: Path) -> Path:
    """A path as it is said below the working directory; one from elsewhere stays whole."""
    whole, here = path.resolve(), Path.cwd().resolve()
    return whole.relative_to(here) if whole.is_relative_to(here) else path


def _environment(settings: CrashSettings, subject: Subject, server: Server) -> dict[str, Any]:
    guard = {"guard": subject.guard} if subject.guard else {}
    return guard | {
        "plan": subject.name,
        "plan hash": subject.hash,
        "postgres": server.version,
        "server": server.provider,
        "rows": settings.rows,
        "seed": settings.seed,
        "workers": settings.workers,
        "cores": os.cpu_count(),
        "harness": __version__,
        "tool hash": tool_hash(),
        "python": platform.python_version(),
    }
