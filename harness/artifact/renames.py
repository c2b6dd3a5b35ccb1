"""The rename map: what every old relation, column and value is called after the migration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from harness.artifact.schema import RelationName, SeenRelation, SeenSchema


@dataclass(frozen=True)
class ValuePairs:
    """What the values of a column became: every pair that differs, and what stayed as it was.

    `torn` are old values that became several new ones. `closed`: the column takes no other values
    than those of `kept` and of the pairs, so that one which is in neither is refused.
    """

    pairs: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    torn: frozenset[str] = frozenset()
    closed: bool = True
    declared: frozenset[str] = frozenset()
    """Old values of which a person said what they became."""

    def inverse(self) -> ValuePairs:
        """From the new values to the old ones; a new value of several old ones is torn, unless one
        of these is declared.
        """
        back: dict[str, list[str]] = {}
        for old, new in self.pairs.items():
            back.setdefault(new, []).append(old)
        said = {new: [old for old in olds if old in self.declared] for new, olds in back.items()}
        found = {new: said[new] or olds for new, olds in back.items()}
        pairs = {new: olds[0] for new, olds in found.items() if len(olds) == 1}
        kept = self.kept - pairs.keys()
        return ValuePairs(pairs, kept, frozenset(found.keys() - pairs.keys()), self.closed)

    @property
    def chained(self) -> frozenset[str]:
        """Old values that some other old value becomes: a second run would rename them again."""
        return frozenset(self.pairs) & frozenset(self.pairs.values())


@dataclass(frozen=True)
class RelationChange:
    """One relation before and after; `new` is None where it is gone.

    `columns` has every old column that is still there. `contested` are those of which the number
    says one name and the old name another: (by number, by name).
    """

    old: SeenRelation
    new: SeenRelation | None
    columns: Mapping[str, str] = field(default_factory=dict)
    contested: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    values: Mapping[str, ValuePairs] = field(default_factory=dict)
    rival: RelationName | None = None
    """Another relation that now bears the old name, and may be what is meant."""

    @property
    def changes(self) -> bool:
        """Whether a query that names the relation may have to change."""
        return (
            self.new is None
            or self.new.name != self.old.name
            or self.new.columns != self.old.columns
            or bool(self.values or self.contested or self.rival)
        )

    def inverse(self) -> RelationChange:
        """The change of the way back."""
        assert self.new is not None, "what is gone has no way back"
        columns = {new: old for old, new in self.columns.items()}
        values = {self.columns[old]: one.inverse() for old, one in self.values.items()}
        return RelationChange(self.new, self.old, columns, {}, values)


@dataclass(frozen=True)
class RenameMap:
    """What is called how before and after, for every relation of the schema before."""

    before: SeenSchema
    after: SeenSchema
    changes: Mapping[RelationName, RelationChange]

    def inverse(self) -> RenameMap:
        """The map of the way back, for artifacts of a migration that was rolled back."""
        back = [one.inverse() for one in self.changes.values() if one.new is not None]
        return RenameMap(self.after, self.before, {one.old.name: one for one in back})

    def find(self, schema: str | None, name: str) -> RelationChange | None:
        """The change of the relation that a name means before."""
        found = self.before.find(schema, name)
        return self.changes.get(found.name) if found is not None else None

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Finds a text that may name a relation of which anything changes."""
        names = {one.old.name.name for one in self.changes.values() if one.changes}
        if not names:
            return re.compile(r"(?!)")
        return re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)), re.I)

    @property
    def says_nothing(self) -> bool:
        """Whether nothing at all is called otherwise, or gone."""
        return not any(
            one.new is None
            or one.new.name != one.old.name
            or any(one.columns.get(name) != name for name in one.old.columns)
            or any(pairs.pairs for pairs in one.values.values())
            for one in self.changes.values()
        )
