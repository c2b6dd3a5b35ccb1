"""Columns whose values are chosen together: a foreign key's, or those that one CHECK compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.rows.hints import Branch
from harness.rows.model import Rule
from harness.rows.parents import Cluster


@dataclass(frozen=True, eq=False)
class Condition:
    """A CHECK of the table, and the ways to satisfy it."""

    rule: Rule
    branches: Sequence[Branch]


@dataclass(frozen=True, eq=False)
class ColumnGroup:
    """Columns, the foreign keys among them, and the CHECKs about them."""

    columns: tuple[str, ...]
    clusters: tuple[Cluster, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def single(self) -> bool:
        """Whether it is one column that refers to nothing."""
        return len(self.columns) == 1 and not self.clusters


@dataclass
class _Parts:
    parent: dict[str, str] = field(default_factory=dict)

    def root(self, name: str) -> str:
        while self.parent.setdefault(name, name) != name:
            name = self.parent[name]
        return name

    def unite(self, names: Sequence[str]) -> None:
        for name in names[1:]:
            self.parent[self.root(name)] = self.root(names[0])


def group_columns(
    names: Sequence[str],
    clusters: Sequence[Cluster],
    conditions: Sequence[Condition],
) -> list[ColumnGroup]:
    """The written columns in groups, in the table's order."""
    parts = _Parts()
    for cluster in clusters:
        parts.unite(cluster.columns)
    for condition in conditions:
        parts.unite(condition.rule.columns)
    members: dict[str, list[str]] = {}
    for name in names:
        members.setdefault(parts.root(name), []).append(name)
    return [
        ColumnGroup(
            tuple(columns),
            tuple(c for c in clusters if c.columns[0] in columns),
            tuple(c for c in conditions if set(c.rule.columns) & set(columns)),
        )
        for columns in members.values()
    ]


def by_column(groups: Sequence[ColumnGroup]) -> Mapping[str, ColumnGroup]:
    """The group of each column."""
    return {name: group for group in groups for name in group.columns}
