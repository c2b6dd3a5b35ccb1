"""What the harness asks of a migration, whoever wrote it and with whatever tool.

A subject describes; it starts nothing and kills nothing by itself. Who explores it starts its
processes, strikes at them, and compares what they leave. Subjects are pickled and sent to worker
processes: every one is a frozen dataclass of plain values, its seeder a function of a module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias, get_args

import psycopg

from harness.core.direction import Direction

Part = Literal["baseline", "back", "cleanup", "steps", "ledger"]
"""What a subject may have, or not.

`baseline`: it makes the schema before by itself; without one that is what the seeder makes, or an
empty database. `back`: a way back. `cleanup`: a run that ends the way back. `steps`: `revisions`
names its units in their order, and its runs tell which they are at. `ledger`: its runs commit each
step together with a checkpoint of ours, so that a killed run goes on where it stood; a subject
without one starts forward again, and whether it can is what an exploration finds out.
"""
PARTS: tuple[Part, ...] = get_args(Part)

Connection: TypeAlias = "psycopg.Connection[Any]"


LIMIT: Final = 120.0
"""Seconds that a run may take where nothing is said."""


@dataclass(frozen=True)
class Revision:
    """A unit of a subject: a step of a plan, a revision of another tool.

    `forward` and `back` name its files below the subject's `root`; None where it has none.
    """

    name: str
    forward: str | None = None
    back: str | None = None


@dataclass(frozen=True)
class Position:
    """How far a database has come, by the subject's own account.

    `value` holds only tuples, texts, numbers, booleans and None. Two positions of one subject are
    the same exactly when their values are equal, whichever database or server they were read in:
    so it holds no time, no process id and no oid. `words` say it to a person.
    """

    value: tuple[Any, ...]
    words: str = field(compare=False, default="")


@dataclass(frozen=True)
class Invocation:
    """A process to start: what is executed, the whole of its environment, where.

    `argv` is executed as it stands; a command line of a shell is ("/bin/sh", "-c", text). Nothing
    is inherited: a variable that is not in `environment` is not set. A run that has not ended after
    `limit` seconds is killed with everything that it started.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path | None = None
    limit: float = LIMIT


@dataclass(frozen=True)
class Seeded:
    """What a seeder did: rows in all, and by table, schema-qualified where there are several."""

    rows: int
    seconds: float
    tables: Mapping[str, int]


Progress = Callable[[str, int, int], None]
"""Called with a table, the rows that are done, and those of all tables."""


class Seeder(Protocol):
    """Fills the schema before with rows: same arguments, same rows. A function of a module."""

    def __call__(
        self,
        dsn: str,
        *,
        rows: int,
        seed: int,
        profile: str = "real",
        progress: Progress | None = None,
    ) -> Any:
        """Fill the database; gives something with the fields of `Seeded`.

        Raises a HarnessError (Refused) when the rows do not fit, naming table and constraint.
        """
        ...


NEEDED: Mapping[Direction, Part | None] = {
    "forward": None,
    "rollback": "back",
    "cleanup": "cleanup",
}
"""The part that a run in a direction needs."""


class Subject(Protocol):
    """A migration under test. Every DSN that is passed in names a database of the harness's own."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def kind(self) -> str:
        """plan, command, alembic …"""
        ...

    @property
    def has(self) -> frozenset[Part]:
        """The parts it has. What needs another one is not applicable to it, and never passed."""
        ...

    @property
    def root(self) -> Path:
        """The directory that its files are named from."""
        ...

    @property
    def files(self) -> Mapping[str, str]:
        """What it is made of: the sha256 of each file, by its name below `root`."""
        ...

    @property
    def hash(self) -> str:
        """The identity of what it is made of: it changes when a run could do anything else."""
        ...

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """Its units in their order forward; empty when it cannot tell."""
        ...

    @property
    def bookkeeping(self) -> tuple[str, ...]:
        """Relations of its own accounts, as schema.table, or a name in whatever schema.

        They are left out of the fingerprint, with what belongs to them. Their content is its
        position, if it has one.
        """
        ...

    @property
    def seeder(self) -> Seeder | None:
        """What makes its rows; None: they are made from the catalog, by `harness.rows`."""
        ...

    def prepare(self, dsn: str) -> list[str]:
        """Make the schema before in an empty database; the relations that were made.

        Does nothing for a subject without a baseline. Raises a HarnessError naming file and line.
        """
        ...

    def invocation(self, direction: Direction, dsn: str) -> Invocation:
        """The process that runs it in a direction against `dsn`, or that resumes such a run.

        It is started as the leader of a process group: a signal to that group must reach all of
        it, and whatever of it is left when the leader has ended is killed. What keeps it from
        other databases than `dsn` is part of the invocation.

        Raises UsageError for a direction that it does not have.
        """
        ...

    def unlocking(self, dsn: str) -> Invocation | None:
        """The process that removes the lock which a killed run left; None: none is left."""
        ...

    def position(self, conn: Connection) -> Position | None:
        """How far the database has come; None when it cannot tell. Reads only.

        Raises Refused when its accounts contradict themselves: no run can go on from there.
        """
        ...

    @property
    def limit(self) -> float:
        """How many seconds a run of it may take."""
        ...

    @property
    def guard(self) -> str:
        """What keeps its processes from other databases, in words; empty where nothing has to."""
        ...

    def prove_reach(self, dsn: str) -> None:
        """Show, before anything of it is run, that its processes reach `dsn` and nothing else.

        Raises Refused when they connect elsewhere. A subject that we run ourselves has nothing to
        show.
        """
        ...


def has_direction(subject: Subject, direction: Direction) -> bool:
    """Whether a subject can be run in a direction."""
    part = NEEDED[direction]
    return part is None or part in subject.has
