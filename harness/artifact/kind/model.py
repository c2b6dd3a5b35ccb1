"""What a kind of artifact finds in a file, and what it must be able to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.artifact.text.tree import Path, TextTree

Dialect = Literal["sql", "grafana"]


@dataclass(frozen=True)
class FoundQuery:
    """A query in a file: where, its text, how its variables are spelled.

    `scope` is the part of the file in which its result's columns are named; `run` False: it is not
    run, since it is a part of another one or asks another database.
    """

    path: Path
    text: str
    dialect: Dialect = "sql"
    scope: Path = ()
    frame: str = ""
    """What stands before it to make a query of a part of one, such as a condition."""


@dataclass(frozen=True)
class FoundName:
    """A place that names a column of a result; `templated`: inside `${…}` of a longer text."""

    path: Path
    scope: Path
    templated: bool = False


@dataclass(frozen=True)
class FoundOption:
    """A place that holds values of a variable: one, or a list with commas between."""

    path: Path
    variable: str
    listed: bool = False


@dataclass(frozen=True)
class FoundRelation:
    """A place that holds the name of a relation, or with `column` one of its columns."""

    path: Path
    relation: str
    column: str | None = None


@dataclass(frozen=True)
class Found:
    """Everything in a file that may name the schema."""

    queries: Sequence[FoundQuery] = ()
    variables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    """Variables whose values are the result of a query, with that query."""
    names: Sequence[FoundName] = ()
    options: Sequence[FoundOption] = ()
    relations: Sequence[FoundRelation] = ()
    expressions: Sequence[Path] = ()
    """PromQL."""
    foreign: Sequence[tuple[Path, str]] = ()
    """Queries that are not for this database, and why."""


@dataclass(frozen=True)
class ArtifactKind:
    """A kind of artifact: its name, how its files end, and what reads one.

    `read` gives None for a file that is none of its kind. `exports`: the columns of its queries'
    results become labels of metrics, which rules may name.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[TextTree], Found | None]
    exports: bool = False
