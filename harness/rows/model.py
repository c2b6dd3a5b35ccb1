"""What the catalog says about the tables to fill: types, columns, constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    """A CHECK of a domain or a table: its name and its SQL expression."""

    name: str
    expression: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attribute:
    """A field of a composite type."""

    name: str
    type: int
    modifier: int


@dataclass(frozen=True)
class Type:
    """A type of the catalog; `kind` is pg_type.typtype, or `a` for an array."""

    oid: int
    schema: str
    name: str
    kind: str
    element: int = 0
    base: int = 0
    base_modifier: int = -1
    base_declared: str = ""
    not_null: bool = False
    subtype: int = 0
    labels: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def quoted(self) -> str:
        """The type's name as SQL takes it."""
        return f"{quote(self.schema)}.{quote(self.name)}"


@dataclass(frozen=True)
class Sequence:
    """A sequence that gives a column its values."""

    oid: int
    start: int
    increment: int
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Column:
    """A column; `declared` is its type as it was written, `generated` the expression it is by."""

    name: str
    type: int
    modifier: int
    declared: str
    not_null: bool = False
    generated: str | None = None
    sequence: Sequence | None = None


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: the rows of `parent` that `columns` may refer to by `keys`."""

    name: str
    columns: tuple[str, ...]
    parent: int
    parent_name: str
    keys: tuple[str, ...]
    deferrable: bool
    match_full: bool


@dataclass(frozen=True)
class Unique:
    """A unique or an exclusion constraint, or a unique index.

    `columns` are its plain columns, `inner` those inside of its expressions.
    """

    name: str
    columns: tuple[str, ...]
    inner: tuple[str, ...] = ()
    predicate: str | None = None
    nulls_distinct: bool = True
    deferrable: bool = False
    operators: tuple[str, ...] = ()

    @property
    def excludes(self) -> bool:
        """Whether it is an exclusion constraint by more than equality."""
        return any(operator != "=" for operator in self.operators)


@dataclass(frozen=True)
class Table:
    """A table to fill: not a partition, not a view."""

    oid: int
    schema: str
    name: str
    partitioned: bool
    columns: tuple[Column, ...]
    checks: tuple[Rule, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    uniques: tuple[Unique, ...] = ()
    triggers: tuple[str, ...] = ()
    row_security: bool = False
    partitions: str | None = None
    """An expression that is true for a row that some partition takes."""

    @property
    def label(self) -> str:
        """The table's name as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """The table's name as SQL takes it."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    @property
    def only(self) -> str:
        """The table without the tables that inherit from it, as SQL takes it in FROM."""
        return self.quoted if self.partitioned else f"ONLY {self.quoted}"

    def column(self, name: str) -> Column:
        """The column of this name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns that a row is written with."""
        return tuple(column for column in self.columns if column.generated is None)


@dataclass(frozen=True)
class Schema:
    """Everything that rows are made from."""

    tables: tuple[Table, ...]
    types: Mapping[int, Type] = field(repr=False)

    def table(self, oid: int) -> Table | None:
        """The table with this oid, None when it is none of those to fill."""
        return next((table for table in self.tables if table.oid == oid), None)


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'
