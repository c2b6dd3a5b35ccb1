"""The whole exploration: find every point, strike, judge, and write down what it comes to."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import __version__, plan
from harness.database import admin, fingerprint
from harness.errors import InfrastructureError, UsageError
from harness.plan import Plan
from harness.report import crash_page
from harness.scenario.crash import coverage, sample, workers
from harness.scenario.crash.bench import furnished
from harness.scenario.crash.ground import Ground
from harness.scenario.crash.model import (
    DIRECTIONS,
    DOMAINS,
    Direction,
    DomainName,
    Point,
    Row,
    Task,
)
from harness.server import Server, choose
from harness.server.place import data_root, free

ROOM = 2 * 1024**3
"""Bytes that must be free where servers keep their data: two workers' servers and their copies."""

Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Settings:
    """What to explore. `points` None is all of them; `build` None writes nothing."""

    plan: Path
    rows: int = 1000
    seed: int = 1
    points: int | None = None
    boundaries: bool = False
    domains: tuple[DomainName, ...] = DOMAINS
    directions: tuple[Direction, ...] = DIRECTIONS
    faults: tuple[str, ...] = ()
    replay: str | None = None
    server: str = "embedded"
    pg_version: int | None = None
    workers: int = 2
    build: Path | None = Path("build")


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody listens."""


def run(settings: Settings, told: Told = silent) -> dict[str, Any]:
    """Explore and give the document that also stands in build/crash.json.

    Raises InfrastructureError when there is no server that may be killed or too little room, and
    UsageError for an unknown fault or point; nothing has been explored then.
    """
    subject = plan.load(settings.plan)
    if settings.replay:
        settings = replace(settings, domains=(Point.parse(settings.replay).domain,))
    _room()
    with _started(settings) as server:
        return run_on(server, settings, subject, told)


def run_on(
    server: Server, settings: Settings, subject: Plan, told: Told = silent
) -> dict[str, Any]:
    """Explore on a server that is there; other domains than wire start servers besides."""
    began = time.monotonic()
    with _grounded(settings, subject, server) as ground:
        told("looking for points", 0, 0)
        tasks = workers.find_all(ground, settings.domains, settings.workers)
        chosen = _chosen(settings, [task for some in tasks.values() for task in some])
        rows = _explored(settings, ground, chosen, told)
    expected = tuple(point for task in chosen for point in task.points)
    document = coverage.Coverage(
        expected, tuple(rows), tuple(step.id for step in subject.steps)
    ).document(
        coverage.Replay(settings.rows, settings.seed, _named(settings.plan)),
        _environment(settings, subject, server),
        seconds=time.monotonic() - began,
    )
    if settings.build is not None:
        coverage.write(document, settings.build / "crash.json")
        crash_page.render(document, settings.build / "report" / "crash.html")
    return document


def _room() -> None:
    root, _ = data_root()
    there = root if root.exists() else root.parent
    if free(there) < ROOM:
        raise InfrastructureError(
            f"only {free(there) // 2**20} MB are free where servers keep their data",
            where=str(root),
            hint=f"free {ROOM // 2**20} MB there, or name another directory in HARNESS_DATA",
        )


@contextmanager
def _started(settings: Settings) -> Iterator[Server]:
    """A server of this exploration's own, closed at the end."""
    server = choose(
        settings.server, version=settings.pg_version, profile="fast", owner_pid=os.getpid()
    )
    if not server.capabilities.can_kill or not server.capabilities.local_files:
        raise InfrastructureError(
            f"the exploration cannot kill and copy a server of provider {server.provider}",
            hint="use embedded or system: servers of its own, on this machine",
        )
    server.start()
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _grounded(settings: Settings, subject: Plan, server: Server) -> Iterator[Ground]:
    """The seeded and the migrated database on a server, and what they look like."""
    ground = Ground(
        plan=subject,
        rows=settings.rows,
        seed=settings.seed,
        provider=server.provider,
        version=server.version,
        owner_pid=os.getpid(),
        directions=settings.directions,
        lean=settings.boundaries and settings.points is not None,
    )
    place = furnished(ground, server.dsn())
    try:
        before, after = (
            fingerprint.take(admin.with_dbname(server.dsn(), name))
            for name in (place.source, place.target)
        )
        yield replace(ground, before=before, after=after, extra={"bench": place})
    finally:
        place.close()


def _chosen(settings: Settings, every: list[Task]) -> list[Task]:
    """The tasks to run, with the points that were asked for."""
    if settings.directions != DIRECTIONS:
        every = sample.in_directions(every, settings.directions)
    if settings.replay:
        every = sample.replayed(every, Point.parse(settings.replay))
    if settings.faults:
        every = sample.struck_by(every, settings.faults)
    if settings.points is not None:
        every = sample.sampled(
            every, settings.points, settings.seed, boundaries=settings.boundaries
        )
    return every


def _explored(settings: Settings, ground: Ground, chosen: Sequence[Task], told: Told) -> list[Row]:
    """Every row. Domains that mostly wait and those that mostly work are explored side by side."""
    total = sum(len(task.points) for task in chosen)
    rows: list[Row] = []
    told("striking", 0, total)
    for row in workers.run_tasks(ground, chosen, settings.workers):
        rows.append(row)
        told(row.point.domain, len(rows), total)
    return rows


def _named(path: Path) -> str | None:
    """The plan for a replay line; none when it is the one that is taken anyway."""
    return None if path == Path("sql/plan.toml") else str(path)


def _environment(settings: Settings, subject: Plan, server: Server) -> dict[str, Any]:
    return {
        "plan": f"{subject.name} {subject.version}",
        "plan hash": subject.hash,
        "postgres": server.version,
        "server": server.provider,
        "rows": settings.rows,
        "seed": settings.seed,
        "workers": settings.workers,
        "cores": os.cpu_count(),
        "harness": __version__,
        "python": platform.python_version(),
    }


def domains_of(text: str) -> tuple[DomainName, ...]:
    """Domains from a list with commas; UsageError for an unknown one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    strange = [name for name in names if name not in DOMAINS]
    if strange or not names:
        raise UsageError(
            f"no domain {strange[0]!r}" if strange else "no domain is named",
            hint="one or more of " + ", ".join(DOMAINS),
        )
    return tuple(name for name in DOMAINS if name in names)


def words(document: dict[str, Any]) -> Sequence[str]:
    """The answer for a person: figures by domain, failures with the line that replays each."""
    lines = [
        f"  {name:<12}{part['points']:>6} points, {part['fired']:>6} fired,"
        f" {part['states']:>4} states, {part['seconds']:7.1f} s of work"
        for name, part in document["domains"].items()
        if part["points"]
    ]
    for failure in (*document["failures"], *document["unknowns"]):
        lines.append(f"  {failure['outcome']}: {failure['id']}: {failure['reason']}")
        lines.append(f"    {failure['replay']}")
    lines.append(
        f"crash exploration: {document['verdict']}; {document['points']} points,"
        f" {document['fired']} fired, {document['states']} states,"
        f" {document['seconds']:.1f} s"
    )
    return lines
