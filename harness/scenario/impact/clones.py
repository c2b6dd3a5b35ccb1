"""Two databases of one lineage on a server of our own: seeded, and seeded then migrated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.crash.setup import Setup
from harness.crash.templates import furnished
from harness.database import admin
from harness.subject.overlay import apply_overlay, overlay_files
from harness.subject.protocol import Subject


@dataclass(frozen=True)
class Clones:
    """The DSNs of the database before and of the one after, on one server."""

    server: str
    before: str
    after: str


@contextmanager
def before_and_after(
    subject: Subject, *, rows: int, seed: int, provider: str, version: int | None
) -> Iterator[Clones]:
    """Both databases, for the length of a block; the subject's overlay is in both.

    Raises StepFailed when the migration fails, Refused when the overlay does.
    """
    files = overlay_files(subject)
    ground = Setup(subject, rows, seed, provider, version)
    server = ground.server("fast")
    try:
        subject.prove_reach(server.dsn())
        made = furnished(ground, server.dsn(), lambda dsn: apply_overlay(dsn, files))
        dsn = server.dsn()
        yield Clones(dsn, admin.with_dbname(dsn, made.source), admin.with_dbname(dsn, made.target))
    finally:
        server.close()
