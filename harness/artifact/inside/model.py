"""What a look inside a database finds: an artifact, what came of it, what shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import psycopg

from harness.artifact.renames import RenameMap

Connection: TypeAlias = psycopg.Connection[Any]
InsideOutcome = Literal["same", "differs", "cannot", "silent", "unknown"]


@dataclass(frozen=True)
class DatabasePair:
    """The database before and the one after, connected, and the map between them.

    What is tried on either is rolled back. `timeout` is how long a statement may take, in seconds.
    """

    before: Connection
    after: Connection
    renames: RenameMap
    timeout: float = 10.0


@dataclass(frozen=True)
class InsideArtifact:
    """An artifact in the database, by its kind and name, and what the migration does to it.

    `statement` shows it, on a database before and on one after. With `used` False nobody is known
    to depend on it: it is told, and does not fail a run.
    """

    kind: str
    name: str
    outcome: InsideOutcome
    reason: str = ""
    statement: str = ""
    sqlstate: str = ""
    evidence: tuple[str, ...] = ()
    hint: str = ""
    used: bool = True

    @property
    def key(self) -> str:
        """By which a declaration names it."""
        return f"{self.kind} {self.name}"


Finder = Callable[[DatabasePair], Iterator[InsideArtifact]]


@dataclass(frozen=True)
class InsideKind:
    """A kind of artifacts in a database: what finds and judges them."""

    name: str
    find: Finder


USERS: Final = (
    "n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and n.nspname <> all (%(ours)s)"
)
