"""What a database's catalogs say about its functions, and what runs them without being asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg

_SQL: Final = Path(__file__).with_name("facts.sql").read_text("utf-8").split("-- ===\n")


class Routine(NamedTuple):
    """A function, procedure or aggregate. `text` is its definition where it can be read; of an
    aggregate and of an internal one the names of the functions that it is made of."""

    schema: str
    name: str
    language: str
    extension: str | None
    text: str


class Implicit(NamedTuple):
    """A function that runs without being called by name; `relation` is where, None for any."""

    schema: str
    name: str
    what: str
    relation: str | None


@dataclass(frozen=True)
class CatalogFacts:
    """Built-in functions (name -> volatile), the others, what runs by itself, which relations a
    statement on another one reaches, which are foreign, and which catalogs are shared."""

    builtin: dict[str, bool] = field(default_factory=dict)
    routines: tuple[Routine, ...] = ()
    implicit: tuple[Implicit, ...] = ()
    ways: tuple[tuple[str, str], ...] = ()
    foreign: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()

    def reached_by(self, relation: str) -> set[str]:
        """The names by which a statement may come to a relation: views, parents, references."""
        found, more = {relation}, [relation]
        while more:
            one = more.pop()
            new = {by for name, by in self.ways if name == one} - found
            found |= new
            more += new
        return found


def facts(conn: psycopg.Connection[Any]) -> CatalogFacts:
    """Read the facts of the connected database."""
    builtin, routines, implicit, ways, foreign, shared = (
        conn.execute(query.encode()).fetchall() for query in _SQL
    )
    return CatalogFacts(
        builtin={name: bool(volatile) for name, volatile in builtin},
        routines=tuple(Routine(*row) for row in routines),
        implicit=tuple(Implicit(*row) for row in implicit),
        ways=tuple((name, by) for name, by in ways),
        foreign=frozenset(name for (name,) in foreign),
        shared=frozenset(name for (name,) in shared),
    )
