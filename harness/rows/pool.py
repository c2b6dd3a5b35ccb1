"""Pools of candidates that the server has accepted."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from harness.rows.group import ColumnGroup
from harness.rows.hints import NOTHING, Branch, Hints, Order, merge_branches, sort_key
from harness.rows.model import Column, Rule, Table
from harness.rows.overrides import ColumnOverride
from harness.rows.parents import Cluster
from harness.rows.probe import Candidate, Probe, ProbedColumn
from harness.rows.sample.field import ValueField
from harness.rows.sample.nested import UnknownType, knows_type, sample_value

_ROUNDS: Final = (1, 3, 8, 20)
"""How many times the wanted number of candidates are made, round after round."""
_MOST: Final = 200_000
_GUESSES: Final = ("1", "a", "", "0", "(1,2)", "{}", "t", "2024-01-01")
"""Tried for a type that nobody knows."""


_FREE: Final = Branch()


class CannotFill(Exception):  # noqa: N818 - it is an answer: the table is reported with it
    """A table cannot be filled: the constraint, and why."""

    def __init__(self, constraint: str, reason: str) -> None:
        super().__init__(f"{constraint}: {reason}")
        self.constraint = constraint
        self.reason = reason


@dataclass(frozen=True)
class CandidateMaker:
    """Makes candidates for one table."""

    probe: Probe
    table: Table
    fields: Mapping[str, ValueField]
    overrides: Mapping[str, ColumnOverride]
    parents: Mapping[Cluster, Sequence[tuple[str | None, ...]]]
    forced_null: frozenset[str]
    merged: dict[tuple[int, ...], Branch | None] = field(default_factory=dict, repr=False)
    hinted: dict[tuple[str, int], tuple[ValueField, Hints]] = field(
        default_factory=dict, repr=False
    )

    def pool(self, group: ColumnGroup, wanted: int, key: str, distinct: Sequence[str] = ()
             ) -> list[Candidate]:  # fmt: skip
        """Accepted candidates for the group's columns, at most `wanted`; distinct in `distinct`.

        Raises CannotFill when the server accepts none.
        """
        rng = random.Random(key)
        places = [self._place(self.table.column(name)) for name in group.columns]
        conditions = [condition.rule.expression for condition in group.conditions]
        picked = [group.columns.index(name) for name in distinct]
        found: dict[Candidate, Candidate] = {}
        for times in _ROUNDS:
            count = min(max(wanted * times, 256), _MOST)
            made = [self._candidate(group, rng) for _ in range(count)]
            made = list(dict.fromkeys(self._assigned(group, places, made)))
            accepted = self.probe.accepted(places, made, conditions)
            for number in accepted:
                value = made[number]
                mark = tuple(value[place] for place in picked) if picked else value
                if not (picked and None in mark):
                    found.setdefault(mark, value)
            if len(found) >= wanted or (not picked and _is_enough(len(accepted), len(made))):
                break
        if not found:
            raise self._refusal(group, rng)
        return list(found.values())[:wanted]

    def unproven(self, group: ColumnGroup, wanted: int, key: str) -> list[Candidate]:
        """Candidates that need no proof."""
        rng = random.Random(key)
        return list(dict.fromkeys(self._candidate(group, rng) for _ in range(wanted)))

    def first_branch(self, group: ColumnGroup) -> Branch:
        """One way to satisfy all of the group's conditions, always the same."""
        return self._branch(group, random.Random(0))

    def accepts(self, group: ColumnGroup, values: Sequence[Candidate]) -> bool:
        """Whether the server accepts all of these."""
        places = [self._place(self.table.column(name)) for name in group.columns]
        conditions = [condition.rule.expression for condition in group.conditions]
        return len(self.probe.accepted(places, values, conditions)) == len(values)

    def needs_proof(self, group: ColumnGroup) -> bool:
        """Whether a sampler may make what the group's columns do not take."""
        if group.conditions or group.clusters:
            return True
        name = group.columns[0]
        kind = self.fields[name].type
        return (
            kind.kind in "dcrm" or kind.kind == "a" or name in self.overrides
            or self.fields[name].profile.edge > 0 or not knows_type(self.fields[name])
        )  # fmt: skip

    def _assigned(
        self, group: ColumnGroup, places: Sequence[ProbedColumn], made: list[Candidate]
    ) -> list[Candidate]:
        """Candidates in which columns equal the expressions that they have to equal.

        Where that is one way of several, every other candidate goes another one.
        """
        for condition in group.conditions:
            step = 1 if len(condition.branches) == 1 else 2
            for said in dict.fromkeys(one for way in condition.branches for one in way.assigned):
                place = group.columns.index(said.column)
                values = self.probe.worth(places, made[::step], said.expression)
                for number, value in zip(range(0, len(made), step), values, strict=False):
                    row = made[number]
                    made[number] = (*row[:place], value, *row[place + 1 :])
        return made

    def _place(self, column: Column) -> ProbedColumn:
        return self.probe.place(column.name, column.type, column.declared)

    def _candidate(self, group: ColumnGroup, rng: random.Random) -> Candidate:
        branch = self._branch(group, rng)
        values: dict[str, str | None] = {}
        for cluster in group.clusters:
            values.update(self._reference(cluster, branch, rng))
        for name in group.columns:
            if name not in values:
                values[name] = self._value(name, group, branch.hints.get(name, NOTHING), rng)
        for order in branch.orders:
            self._put_in_order(order, values, group)
        return tuple(values[name] for name in group.columns)

    def _branch(self, group: ColumnGroup, rng: random.Random) -> Branch:
        if not group.conditions:
            return _FREE
        for _ in range(8):
            ways = tuple(rng.choice(condition.branches) for condition in group.conditions)
            chosen = self._merged(ways)
            if chosen is not None:
                return chosen
        return _FREE

    def _merged(self, ways: tuple[Branch, ...]) -> Branch | None:
        key = tuple(map(id, ways))
        if key not in self.merged:
            chosen: Branch | None = _FREE
            for way in ways:
                chosen = merge_branches(chosen, way) if chosen else None
            self.merged[key] = chosen
        return self.merged[key]

    def _hinted(self, name: str, hints: Hints) -> ValueField:
        place = self.fields[name]
        if hints is NOTHING:
            return place
        key = (name, id(hints))
        if key not in self.hinted:  # the hints are kept too, so that nobody else has their id
            self.hinted[key] = (replace(place, hints=_joined(place.hints, hints)), hints)
        return self.hinted[key][0]

    def _reference(
        self, cluster: Cluster, branch: Branch, rng: random.Random
    ) -> dict[str, str | None]:
        known = self.parents[cluster]
        values = dict(
            zip(cluster.columns, known[int(len(known) * rng.random() ** 1.5)], strict=True)
        )
        for name in cluster.columns:
            hints = branch.hints.get(name, NOTHING)
            if not self.table.column(name).not_null and self._empty(name, hints, True, rng):
                values[name] = None
        return values

    def _value(self, name: str, group: ColumnGroup, hints: Hints, rng: random.Random) -> str | None:
        if name in self.forced_null:
            return None
        said = self.overrides.get(name)
        nullable = not self.table.column(name).not_null
        if nullable and self._empty(name, hints, not group.single, rng):
            return None
        if said is not None and said.values is not None:
            return rng.choice(said.values)
        try:
            return sample_value(self._hinted(name, hints), rng)
        except UnknownType:
            return rng.choice(_GUESSES)

    def _empty(self, name: str, hints: Hints, several: bool, rng: random.Random) -> bool:
        if hints.null is not None:
            return hints.null
        said = self.overrides.get(name)
        if several and said is not None and said.null is not None:
            return rng.random() < said.null
        return several and rng.random() < max(self.fields[name].profile.empty, 0.1)

    def _put_in_order(
        self, order: Order, values: dict[str, str | None], group: ColumnGroup
    ) -> None:
        left, right = values.get(order.left), values.get(order.right)
        fixed = {name for cluster in group.clusters for name in cluster.columns}
        if left is None or right is None or {order.left, order.right} <= fixed:
            return
        if order.operator == "=":
            values[order.right if order.right not in fixed else order.left] = (
                left if order.right not in fixed else right
            )
            return
        ordered = sort_key(left) <= sort_key(right)
        wrong = (order.operator[0] == "<" and not ordered) or (order.operator[0] == ">" and ordered)
        if order.operator != "<>" and wrong and not {order.left, order.right} & fixed:
            values[order.left], values[order.right] = right, left

    def _refusal(self, group: ColumnGroup, rng: random.Random) -> CannotFill:
        """Which constraint is to blame: the one that accepts the fewest candidates by itself."""
        places = [self._place(self.table.column(name)) for name in group.columns]
        made = [self._candidate(group, rng) for _ in range(256)]
        bare = [replace(place, conditions=()) for place in places]
        read = [made[n] for n in self.probe.accepted(bare, made, [])]
        if not read:
            name = ", ".join(group.columns)
            return CannotFill(
                name,
                f"no value for column {name} can be made: {self.probe.complaint};"
                " give values in the project file",
            )
        tried = [
            (len(self.probe.accepted(bare, read, [rule.expression])), rule)
            for rule in (condition.rule for condition in group.conditions)
        ]
        for number, place in enumerate(places):
            for name, text in place.conditions:
                one = [replace(old, conditions=()) for old in places]
                one[number] = replace(place, conditions=((name, text),))
                tried.append((len(self.probe.accepted(one, read, [])), Rule(name, text)))
        least, rule = min(tried, key=lambda pair: pair[0])
        if least:
            names = ", ".join(dict.fromkeys(other.name for _, other in tried))
            return CannotFill(rule.name, f"no candidate satisfies all of {names}")
        return CannotFill(
            rule.name, f"none of {len(read)} candidates satisfies CHECK ({rule.expression})"
        )


def _joined(one: Hints, other: Hints) -> Hints:
    merged = merge_branches(Branch({"": one}), Branch({"": other}))
    return merged.hints[""] if merged else other


def _is_enough(accepted: int, made: int) -> bool:
    """Whether more rounds would hardly bring others: few were refused, or many were taken."""
    return accepted >= min(64, max(made // 4, 1))
