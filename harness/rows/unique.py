"""How a table's rows are kept distinct: which group of columns is counted, dealt or combined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.rows.group import ColumnGroup, by_column
from harness.rows.model import Table, Unique
from harness.rows.stream import Stream

StreamOf = Callable[[str], Stream | None]


@dataclass
class Distinct:
    """What was decided. What is in none of these is drawn at random."""

    streams: dict[str, tuple[Stream, str]] = field(default_factory=dict)
    """Columns counted through, each with the constraint that asks for it."""
    dealt: dict[ColumnGroup, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Groups dealt out of a pool: the columns to be distinct, and the constraint."""
    combined: list[tuple[tuple[ColumnGroup, ...], frozenset[str], str]] = field(
        default_factory=list
    )
    """Groups whose pools are combined: the columns to be distinct, and the constraint."""
    server: list[str] = field(default_factory=list)
    """Constraints that only the server can judge."""

    @property
    def taken(self) -> set[str]:
        """Columns whose values are decided."""
        dealt = [name for group in self.dealt for name in group.columns]
        combined = [name for groups, _, _ in self.combined for g in groups for name in g.columns]
        return {*self.streams, *dealt, *combined}


def decide_distinct(
    table: Table, groups: Sequence[ColumnGroup], stream_of: StreamOf, wanted: int
) -> Distinct:
    """For each unique and exclusion constraint one way to satisfy it."""
    decided = Distinct()
    home = by_column(groups)
    for unique in sorted(table.uniques, key=lambda unique: unique.predicate is not None):
        if not _is_satisfied(unique, decided):
            _decide(unique, decided, home, _streamable(unique, home, decided, stream_of), wanted)
    return decided


def _is_satisfied(unique: Unique, decided: Distinct) -> bool:
    if unique.excludes:
        return any(name in decided.streams for name in _equal(unique))
    names = {*unique.columns, *unique.inner}
    if any(name in decided.streams for name in names):
        return True
    if any(set(columns) <= names for columns, _ in decided.dealt.values()):
        return True
    return any(columns <= names for _, columns, _ in decided.combined)


def _equal(unique: Unique) -> tuple[str, ...]:
    """The plain columns of an exclusion constraint that are compared by equality."""
    if unique.inner:
        return ()
    return tuple(name for name, operator in zip(unique.columns, unique.operators, strict=True)
                 if operator == "=")  # fmt: skip


def _streamable(
    unique: Unique, home: Mapping[str, ColumnGroup], decided: Distinct, stream_of: StreamOf
) -> list[tuple[str, Stream]]:
    """Columns of the constraint that could be counted through, the best first."""
    names = list(dict.fromkeys((*unique.inner, *reversed(unique.columns))))
    found = []
    for name in names:
        group = home.get(name)
        if group is None or not group.single or name in decided.taken:
            continue
        if unique.excludes and not _keeps_apart(unique, name):
            continue
        stream = stream_of(name)
        if stream is not None and stream.capacity > 0:
            found.append((name, stream))
    return sorted(found, key=lambda pair: -min(pair[1].capacity, 1 << 31))


def _keeps_apart(unique: Unique, name: str) -> bool:
    if unique.inner:
        return False
    operator = dict(zip(unique.columns, unique.operators, strict=True)).get(name)
    return operator in ("=", "&&")


def _decide(
    unique: Unique, decided: Distinct, home: Mapping[str, ColumnGroup],
    streams: list[tuple[str, Stream]], wanted: int,
) -> None:  # fmt: skip
    names = tuple(dict.fromkeys((*unique.columns, *unique.inner)))
    ample = [pair for pair in streams if pair[1].capacity >= wanted]
    inside = [home[name] for name in names if name in home]
    around = list(dict.fromkeys(inside))
    if ample:
        name, stream = ample[0]
        decided.streams[name] = (stream, unique.name)
    elif _is_beyond(unique, around, decided) or len(inside) < len(names):
        decided.server.append(unique.name)
    elif len(around) == 1 and streams and len(names) == 1:
        decided.streams[streams[0][0]] = (streams[0][1], unique.name)
    elif len(around) == 1:
        decided.dealt[around[0]] = (tuple(name for name in around[0].columns if name in names),
                                    unique.name)  # fmt: skip
    elif all(not set(g.columns) - set(names) or g.single or len(g.clusters) == 1 for g in around):
        decided.combined.append((tuple(around), frozenset(names), unique.name))
    else:
        decided.server.append(unique.name)


def _is_beyond(unique: Unique, around: Sequence[ColumnGroup], decided: Distinct) -> bool:
    """Whether only the server can tell rows apart that the constraint keeps apart."""
    if unique.excludes or unique.predicate is not None or not around:
        return True
    return any(set(group.columns) & decided.taken for group in around)
