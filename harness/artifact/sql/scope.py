"""What the names of a query mean: relations, their columns, and the scopes around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.artifact.renames import RelationChange, ValuePairs


@dataclass(frozen=True)
class Output:
    """A column of a relation or a query: its name before and after, and what its values became.

    `contested`: two things that the name may mean after. `gone`: it is not there any more.
    """

    old: str
    new: str
    values: ValuePairs | None = None
    contested: tuple[str, str] | None = None
    gone: bool = False


@dataclass
class Item:
    """An entry of a FROM clause; `columns` None: which columns it has is not known.

    `alias` is what qualifies its columns, `renamed` what does so after: the name of a relation
    without an alias changes with the relation. `visible` are the names of its columns after.
    """

    alias: str | None
    columns: Mapping[str, Output] | None
    schema: str | None = None
    renamed: str | None = None
    visible: frozenset[str] = frozenset()
    change: RelationChange | None = None

    @property
    def outputs(self) -> list[Output] | None:
        """Its columns in their order."""
        return None if self.columns is None else list(self.columns.values())


@dataclass
class Scope:
    """The entries of one FROM clause, inside those of the queries around it."""

    items: list[Item] = field(default_factory=list)
    outer: Scope | None = None
    merged: set[str] = field(default_factory=set)

    def chain(self) -> Iterator[Scope]:
        """This scope, then those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer


class Unclear(Exception):  # noqa: N818 - reads as what it is
    """A name of which nobody can say what it should be called after; why."""


def find_item(scope: Scope, schema: str | None, alias: str) -> Item | None:
    """The entry that a qualifier names, in this scope or around it."""
    for level in scope.chain():
        for item in level.items:
            if item.alias == alias and (schema is None or item.schema == schema):
                return item
    return None


def find_column(scope: Scope, name: str) -> Output | None:
    """What an unqualified name means; None where it is no column that is known here.

    Raises Unclear where it means two, or would after the migration.
    """
    passed: list[Item] = []
    for level in scope.chain():
        found = [item for item in level.items if item.columns and name in item.columns]
        if found:
            output = _agreed(level, name, found)
            _refuse_capture(level, passed, found, output)
            return output
        if any(item.columns is None for item in level.items):
            _refuse_unknown(level, name)
            return None
        passed += level.items
    return None


def _agreed(level: Scope, name: str, found: Sequence[Item]) -> Output:
    outputs = [item.columns[name] for item in found if item.columns]
    if len(outputs) > 1:
        if name not in level.merged:
            raise Unclear(f"{name!r} is a column of {len(outputs)} relations")
        if len({output.new for output in outputs}) > 1:
            raise Unclear(f"{name!r} joins columns that are called differently afterwards")
    return outputs[0]


def _refuse_capture(
    level: Scope, passed: Sequence[Item], found: Sequence[Item], output: Output
) -> None:
    """A relation that has the name only after would take it, silently or with an error."""
    others = [item for item in level.items if item not in found] if len(found) == 1 else []
    for item in (*passed, *others):
        if output.new in item.visible and output.new not in level.merged:
            raise Unclear(
                f"{output.old!r} would also mean the column {output.new!r} that"
                f" {item.renamed or item.alias!r} has afterwards; qualify it"
            )


def _refuse_unknown(level: Scope, name: str) -> None:
    """Whether a name belongs to an entry of unknown columns cannot be told; it seldom matters."""
    for around in level.outer.chain() if level.outer else ():
        for item in around.items:
            output = (item.columns or {}).get(name)
            if output is not None and (output.old != output.new or output.values):
                raise Unclear(f"{name!r} may be a column of {item.alias!r}, or of what is inside")
