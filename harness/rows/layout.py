"""From a table's catalog entry to the units that make its rows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from harness.core.errors import UsageError
from harness.rows.check_hints import read_conditions
from harness.rows.copytext import NULL, join_fields
from harness.rows.counting import counted_unit, is_whole, room_left, sequence_stream
from harness.rows.draw import Draws, mix_in, spread_evenly, spread_skewed
from harness.rows.expression_column import computed_unit
from harness.rows.group import ColumnGroup, by_column, group_columns
from harness.rows.hints import NOTHING, Hints, merge_hints
from harness.rows.model import ForeignKey, Schema, Table
from harness.rows.overrides import ColumnOverride, TableOverride
from harness.rows.parents import SAMPLE, Cluster, cluster_keys, read_parents
from harness.rows.pool import CandidateMaker, CannotFill
from harness.rows.probe import Candidate, Probe
from harness.rows.profile import Profile
from harness.rows.sample.field import ValueField
from harness.rows.stream import Stream, stream_of
from harness.rows.unique import Distinct, decide_distinct
from harness.rows.unit import Combined, Counted, Dealt, Drawn, Paired, Referring, Serial, Unit

_NONE: Final = ColumnOverride(where="")
_POOL: Final = 1 << 11
_FEW: Final = 64


@dataclass(frozen=True)
class FillContext:
    """What all tables of one fill share."""

    probe: Probe
    schema: Schema
    guides: Mapping[int, Sequence[Hints]]
    profile: Profile
    seed: int


@dataclass(frozen=True)
class Layout:
    """The units of a table's rows; `server` are constraints that only the server can judge."""

    units: tuple[Unit, ...]
    count: int
    limit: str | None
    """The constraint that leaves room for no more than `count` rows."""
    server: tuple[str, ...]
    later: tuple[ForeignKey, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in the order in which the units make them."""
        return tuple(name for unit in self.units for name in unit.columns)


@dataclass
class Planner:
    """Chooses the units of one table. `later` are foreign keys that are set afterwards."""

    context: FillContext
    table: Table
    wanted: int
    present: int
    said: TableOverride
    later: frozenset[str]
    limits: list[tuple[int, str]] = field(default_factory=list)
    left: list[ForeignKey] = field(default_factory=list)
    """Foreign keys to its own rows that could not be set at once."""

    def plan(self) -> Layout:
        """The layout; raises CannotFill with the constraint that is in the way."""
        self.limits, self.left = [], []
        table = self.table
        names = [column.name for column in table.written]
        own = [key for key in self._keys() if key.parent == table.oid and len(key.columns) == 1]
        clusters = cluster_keys([key for key in self._keys() if key not in own])
        self.null = self._forced_null()
        self.parents = {c: p for cluster in clusters for c, p in self._parents(cluster)}
        named = [name for name in names if all(name not in key.columns for key in own)]
        conditions = read_conditions(table, self.context.probe)
        usable = [c for c in conditions if set(c.rule.columns) <= set(named)]
        groups = group_columns(named, list(self.parents), usable)
        self.maker = self._maker()
        self.home = by_column(groups)
        distinct = decide_distinct(table, groups, self._stream, self.wanted + self.present)
        units = [*self._units(groups, distinct)]
        units += [self._own(key, units) for key in own]
        count, limit = min(self.limits, default=(self.wanted, ""))
        unjudged = [c.rule.name for c in conditions if c not in usable]
        return Layout(
            units=tuple(units),
            count=min(count, self.wanted),
            limit=limit if count < self.wanted else None,
            server=tuple(distinct.server + unjudged),
            later=tuple(self.left),
        )

    def _keys(self) -> list[ForeignKey]:
        return [
            key
            for key in self.table.foreign_keys
            if key.name not in self.later
            and not any(self._given(self.said.columns.get(name)) for name in key.columns)
        ]

    @staticmethod
    def _given(said: ColumnOverride | None) -> bool:
        return said is not None and (said.values is not None or said.sql is not None)

    def _forced_null(self) -> set[str]:
        """Columns of foreign keys that are set later: NULL meanwhile, where they may be."""
        kept = {name for key in self._keys() for name in key.columns}
        return {
            name
            for key in self.table.foreign_keys
            if key.name in self.later
            for name in key.columns
            if name not in kept and not self.table.column(name).not_null
        }

    def _parents(
        self, cluster: Cluster
    ) -> Iterator[tuple[Cluster, Sequence[tuple[str | None, ...]]]]:
        """What the cluster may refer to; a key whose parent is empty is left NULL."""
        probe = self.context.probe
        once = any(
            set(unique.columns) <= set(cluster.columns) and not unique.predicate
            for unique in self.table.uniques
            if unique.columns
        )
        limit = max(SAMPLE, self.wanted) if once else SAMPLE
        unused = self.table if once and self.present else None
        found = read_parents(
            probe.conn, self.context.schema, cluster, limit=limit, unused_in=unused
        )
        if found:
            yield cluster, found
            return
        for key in cluster.keys:
            alone = Cluster((key,))
            rows = read_parents(probe.conn, self.context.schema, alone, limit=1)
            free = [name for name in key.columns if not self.table.column(name).not_null]
            if not rows and not free:
                why = "has no rows" if self.context.schema.table(key.parent) else "is not filled"
                raise CannotFill(key.name, f"it refers to {key.parent_name}, which {why}")
        # one by one: the first that has parents, the others NULL
        rest = [key for key in cluster.keys if self._leave_null(key)]
        for kept in cluster_keys([key for key in cluster.keys if key not in rest]):
            if kept.keys != cluster.keys:
                yield from self._parents(kept)
            else:
                raise CannotFill(kept.keys[0].name, "no parents fit together")

    def _leave_null(self, key: ForeignKey) -> bool:
        free = [name for name in key.columns if not self.table.column(name).not_null]
        rows = read_parents(self.context.probe.conn, self.context.schema, Cluster((key,)), limit=1)
        if free and not rows:
            self.null |= set(free if not key.match_full else key.columns)
        return bool(free) and not rows

    def _maker(self) -> CandidateMaker:
        context = self.context
        fields = {
            column.name: ValueField(
                type=context.schema.types[column.type],
                modifier=column.modifier,
                name=column.name,
                profile=context.profile,
                types=context.schema.types,
                hints=self._said_hints(self.said.columns.get(column.name)),
                guides=context.guides,
            )
            for column in self.table.written
        }
        return CandidateMaker(
            context.probe, self.table, fields, self.said.columns, self.parents,
            frozenset(self.null),
        )  # fmt: skip

    @staticmethod
    def _said_hints(said: ColumnOverride | None) -> Hints:
        if said is None:
            return Hints()
        patterns = (said.pattern,) if said.pattern else ()
        return Hints(low=said.low, high=said.high, patterns=patterns)

    def _key(self, *names: object) -> str:
        return "/".join(map(str, (self.context.seed, self.table.label, *names)))

    # unique columns

    def _stream(self, name: str) -> Stream | None:
        if self._given(self.said.columns.get(name)) or name in self.null:
            return None
        column, group = self.table.column(name), self.home[name]
        place = self.maker.fields[name]
        if column.sequence and is_whole(place):
            return sequence_stream(column)
        branch = self.maker.first_branch(group)
        hints = merge_hints(place.hints, branch.hints.get(name, NOTHING)) or place.hints
        stream = stream_of(replace(place, hints=hints), self.wanted, self._key(name, "stream"))
        if stream is None or not (group.conditions or place.type.kind == "d"):
            return stream
        last = max(min(self.wanted, stream.capacity) - 1, 0)
        tried = sorted({*range(min(_FEW, last + 1)), last // 2, last})
        return stream if self.maker.accepts(group, [(stream.at(n),) for n in tried]) else None

    # groups

    def _counted(self, name: str, stream: Stream) -> Unit:
        return counted_unit(self.context.probe.conn, self.table, name, stream, self.present)

    def _units(self, groups: Sequence[ColumnGroup], distinct: Distinct) -> Iterator[Unit]:
        combined = {group for gathered, _, _ in distinct.combined for group in gathered}
        for gathered, names, constraint in distinct.combined:
            yield self._combined(gathered, names, constraint)
        for group in groups:
            name = group.columns[0]
            if group in combined:
                continue
            if name in distinct.streams:
                stream, constraint = distinct.streams[name]
                unit = self._counted(name, stream)
                self.limits.append((room_left(stream, unit, self.present), constraint))
                yield unit
            elif group in distinct.dealt:
                yield self._dealt(group, *distinct.dealt[group])
            elif group.single and self.said.columns.get(name, _NONE).sql is not None:
                yield computed_unit(
                    self.context.probe.conn, name, self.said.columns[name],
                    range(self.present + 1, self.present + self.wanted + 1), self.context.seed,
                )  # fmt: skip
            elif group.single and self._is_serial(name):
                yield self._counted(name, sequence_stream(self.table.column(name)))
            else:
                yield self._drawn(group)

    def _is_serial(self, name: str) -> bool:
        column = self.table.column(name)
        return column.sequence is not None and is_whole(self.maker.fields[name])

    def _pool(
        self, group: ColumnGroup, wanted: int, distinct: Sequence[str] = ()
    ) -> list[Candidate]:
        if group.clusters and not group.conditions and len(group.clusters) == 1 and (
            set(group.columns) == set(group.clusters[0].columns)
        ):  # fmt: skip
            cluster = group.clusters[0]
            order = [cluster.columns.index(name) for name in group.columns]
            rows = [tuple(row[place] for place in order) for row in self.parents[cluster]]
            if not distinct:
                return rows
            marks = [group.columns.index(name) for name in distinct]
            return list({tuple(row[m] for m in marks): row for row in rows}.values())
        return self.maker.pool(group, wanted, self._key(*group.columns), distinct)

    def _dealt(self, group: ColumnGroup, distinct: Sequence[str], constraint: str) -> Unit:
        pool = self._pool(group, self.wanted + self.present, distinct)
        empty: Candidate = tuple(None for _ in group.columns)
        beyond = None
        if len(pool) < self.wanted:
            unique = next(u for u in self.table.uniques if u.name == constraint)
            free = all(not self.table.column(name).not_null for name in group.columns)
            if free and unique.nulls_distinct and self.maker.accepts(group, [empty]):
                beyond = join_fields(empty)
            else:
                self.limits.append((len(pool), constraint))
        return Dealt(group.columns, [join_fields(row) for row in pool], beyond)

    def _combined(
        self, groups: Sequence[ColumnGroup], names: frozenset[str], constraint: str
    ) -> Unit:  # fmt: skip
        pools = []
        for group in groups:
            distinct = [name for name in group.columns if name in names]
            pools.append([join_fields(row) for row in self._pool(group, self.wanted, distinct)])
        room = math.prod(map(len, pools))
        self.limits.append((room, constraint))
        columns = tuple(name for group in groups for name in group.columns)
        return Combined(columns, tuple(pools))

    def _drawn(self, group: ColumnGroup) -> Unit:
        draws = Draws(self._key("draws", *group.columns))
        columns = group.columns
        if group.single and columns[0] in self.null:
            return Drawn(columns, [NULL] * 2, draws)
        paired = self._paired(group, draws)
        if paired:
            return paired
        try:
            pool = self._few_or_many(group)
        except CannotFill:
            empty = tuple(None for _ in columns)
            free = all(not self.table.column(name).not_null for name in columns)
            if not free or not self.maker.accepts(group, [empty]):
                raise
            return Drawn(columns, [join_fields(empty)] * 2, draws)
        texts = [join_fields(row) for row in pool]
        slots = spread_skewed(texts) if group.clusters else spread_evenly(texts)
        return Drawn(columns, self._with_nulls(group, slots), draws)

    def _few_or_many(self, group: ColumnGroup) -> list[Candidate]:
        wanted = max(min(self.wanted, _POOL), _FEW)
        said = self.said.columns.get(group.columns[0]) if group.single else None
        if said is not None and said.values is not None:
            return self._given_values(group, said)
        if not self.maker.needs_proof(group):
            return self.maker.unproven(group, wanted, self._key(*group.columns))
        return self._pool(group, wanted)

    def _given_values(self, group: ColumnGroup, said: ColumnOverride) -> list[Candidate]:
        for value in said.values or ():
            if not self.maker.accepts(group, [(value,)]):
                raise UsageError(
                    f"{self.table.label} does not take {value!r} in {group.columns[0]}",
                    where=said.where,
                    hint="give values that its type and its CHECKs accept",
                )
        return [(value,) for value in said.values or ()]

    def _paired(self, group: ColumnGroup, draws: Draws) -> Unit | None:
        """Days and times apart: more moments than a pool has."""
        name = group.columns[0]
        place = self.maker.fields[name]
        if not group.single or place.type.name not in ("timestamp", "timestamptz"):
            return None
        if self.maker.needs_proof(group) or place.hints != Hints():
            return None
        made = self.maker.unproven(group, _POOL, self._key(name))
        days = [str(row[0]).partition(" ")[0] + " " for row in made]
        hours = [str(row[0]).partition(" ")[2] for row in made]
        if self._null_share(name):
            return None
        return Paired((name,), spread_evenly(days), spread_evenly(hours), draws)

    def _with_nulls(self, group: ColumnGroup, slots: list[str]) -> list[str]:
        names = group.columns
        nullable = [name for name in names if not self.table.column(name).not_null]
        if not nullable or (not group.single and group.conditions):
            return slots
        share = self._null_share(nullable[0])
        empty: Candidate = tuple(None if name in nullable else "" for name in names)
        if not share or len(nullable) < len(names):
            return slots
        if self.maker.needs_proof(group) and not self.maker.accepts(group, [empty]):
            return slots
        return mix_in(slots, join_fields(empty), share)

    def _null_share(self, name: str) -> float:
        column = self.table.column(name)
        said = self.said.columns.get(name)
        if column.not_null:
            return 0.0
        if said is not None and said.null is not None:
            return said.null
        usual = self.context.profile.empty
        if usual and re.search(r"(deleted|archived|cancell?ed|disabled)_(at|on)$", name.lower()):
            return 0.9
        return usual * (0, 0.5, 1, 2)[sum(name.encode()) % 4]

    def _own(self, key: ForeignKey, units: Sequence[Unit]) -> Unit:
        """The unit of a foreign key to the table's own rows."""
        name, column = key.columns[0], self.table.column(key.columns[0])
        made = next((unit for unit in units if unit.columns == key.keys), None)
        draws = Draws(self._key("draws", name))
        if isinstance(made, (Serial, Counted, Dealt)):
            offset = made.offset if isinstance(made, Counted) else 0
            at = made.at
            return Referring((name,), lambda row: at(row + offset), draws, not column.not_null)
        if column.not_null:
            raise CannotFill(key.name, "it refers to its own table, by a key that is not counted")
        self.left.append(key)
        return Drawn((name,), [NULL] * 2, draws)
