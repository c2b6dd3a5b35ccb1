"""What is measured of a run besides where it stands; None is what cannot be seen from here."""

from __future__ import annotations

from dataclasses import dataclass

from harness.observe.process_use import ProcessUse


@dataclass(frozen=True)
class StepTime:
    """How long a step has taken, from its beginning to its last checkpoint."""

    step: str
    seconds: float


@dataclass(frozen=True)
class StatementTime:
    """A statement by its number in pg_stat_statements: calls, all of its time, the longest."""

    number: str
    calls: int
    seconds: float
    longest: float


@dataclass(frozen=True)
class DatabaseUse:
    """Bytes of blocks that a database read and found in memory, of temporary files, of all WAL."""

    read_bytes: int
    found_bytes: int
    temporary_bytes: int
    wal_bytes: int | None


@dataclass(frozen=True)
class HostUse:
    """The server's host where it is this one: bytes free on its fullest disk, load, server."""

    free_bytes: int
    load: float
    server: ProcessUse | None


@dataclass(frozen=True)
class RunFigures:
    """`running` is for how long the statement under way has run, `statements` the slowest ones."""

    database: DatabaseUse
    host: HostUse | None = None
    runner: ProcessUse | None = None
    running: float | None = None
    steps: tuple[StepTime, ...] = ()
    statements: tuple[StatementTime, ...] | None = None
