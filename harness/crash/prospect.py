"""What there is to strike, and the ground it stands on: the same on every machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from harness.crash import sample, workers
from harness.crash.applicability import applicable
from harness.crash.golden_note import Note
from harness.crash.model import DomainName, Task
from harness.crash.settings import CrashSettings
from harness.crash.setup import Setup
from harness.crash.undisturbed.study import studied
from harness.database import admin
from harness.server import Server
from harness.subject.protocol import Subject

LOOKING = "looking for points"

Told = Callable[[str, int, int], None]


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Prospect:
    """Every task that was found, before any is chosen.

    `failures` are domains that could not look, each with why; `notes` what undisturbed runs showed.
    """

    server: Server
    ground: Setup
    notes: tuple[Note, ...]
    every: list[Task]
    failures: Mapping[DomainName, str]


@contextmanager
def prospected(
    server: Server, settings: CrashSettings, subject: Subject, told: Told = silent
) -> Iterator[Prospect]:
    """Run the subject undisturbed on a server, and find every point of it."""
    told("running it undisturbed", 0, 0)
    with _grounded(settings, subject, server) as (ground, notes):
        told(LOOKING, 0, 0)
        failures: dict[DomainName, str] = {}
        found = workers.find_all(
            ground,
            applicable(settings.domains, subject),
            settings.workers,
            failures,
            lambda: told(LOOKING, 0, 0),
        )
        every = sample.in_directions(
            [task for some in found.values() for task in some], ground.directions
        )
        yield Prospect(server, ground, notes, every, failures)


@contextmanager
def _grounded(
    settings: CrashSettings, subject: Subject, server: Server
) -> Iterator[tuple[Setup, tuple[Note, ...]]]:
    """The seeded and the migrated database on a server, and what undisturbed runs come to."""
    _prove_reach(server.dsn(), subject)
    ground = Setup(
        subject=subject,
        rows=settings.rows,
        seed=settings.seed,
        provider=server.provider,
        version=server.version,
        owner_pid=os.getpid(),
        directions=settings.directions,
        lean=settings.boundaries and settings.points is not None,
        limit=subject.limit,
    )
    domains = applicable(settings.domains, subject)
    own = any(domain != "wire" for domain in domains)  # they make baselines of their own
    ground, place, notes = studied(ground, server.dsn(), twice=own)
    try:
        yield replace(ground, extra={"bench": place}), notes
    finally:
        place.close()


def _prove_reach(server_dsn: str, subject: Subject) -> None:
    """Have a subject show, on an empty database, that it reaches no other; Refused if not."""
    if subject.kind == "plan":
        return  # ours: it connects where it is told to
    name = admin.unique_name("harness_reach")
    admin.create(server_dsn, name)
    try:
        subject.prove_reach(admin.with_dbname(server_dsn, name))
    finally:
        admin.end_connections(server_dsn, name)
        admin.drop(server_dsn, name)
