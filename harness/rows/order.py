"""The order in which tables are filled: parents first, circles broken where that is possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from harness.rows.model import ForeignKey, Schema, Table


@dataclass(frozen=True)
class Circle:
    """Tables that are filled together; `later` are the foreign keys set when all have rows."""

    tables: tuple[Table, ...]
    later: Mapping[int, tuple[ForeignKey, ...]] = field(default_factory=dict)


def order_tables(schema: Schema) -> list[Circle]:
    """Every table after those that it refers to; tables in a circle together."""
    known = {table.oid: table for table in schema.tables}
    graph = {
        table.oid: {key.parent for key in table.foreign_keys
                    if key.parent in known and key.parent != table.oid}
        for table in schema.tables
    }  # fmt: skip
    return [_break_circle([known[oid] for oid in group]) for group in _components(graph)]


def may_be_later(table: Table, key: ForeignKey) -> bool:
    """Whether rows can be written before the foreign key is set."""
    return key.deferrable or any(not table.column(name).not_null for name in key.columns)


def _break_circle(tables: Sequence[Table]) -> Circle:
    oids = {table.oid for table in tables}
    later: dict[int, tuple[ForeignKey, ...]] = {}
    own = {
        table.oid: tuple(
            key for key in table.foreign_keys
            if key.parent == table.oid and len(key.columns) > 1 and may_be_later(table, key)
        )
        for table in tables
    }  # fmt: skip
    later.update({oid: keys for oid, keys in own.items() if keys})
    inside = [
        (table, key)
        for table in tables
        for key in table.foreign_keys
        if key.parent in oids and key.parent != table.oid
    ]
    # nullable ones first: what is NULL for a moment hurts nobody
    open_edges = sorted(
        (pair for pair in inside if may_be_later(*pair)), key=lambda pair: pair[1].deferrable
    )
    while True:
        left = [
            pair for pair in inside if pair[1] not in later.get(pair[0].oid, ())
        ]  # fmt: skip
        sorter = TopologicalSorter({t.oid: {k.parent for a, k in left if a is t} for t in tables})
        try:
            order = list(sorter.static_order())
        except CycleError as error:
            edge = _edge_of(error.args[1], open_edges, later)
            if edge is None:  # nothing to break it with: the first one finds no parents
                return Circle(tuple(tables), later)
            later[edge[0].oid] = (*later.get(edge[0].oid, ()), edge[1])
        else:
            places = {oid: place for place, oid in enumerate(order)}
            return Circle(tuple(sorted(tables, key=lambda t: places[t.oid])), later)


def _edge_of(
    cycle: Sequence[int],
    edges: Sequence[tuple[Table, ForeignKey]],
    later: Mapping[int, tuple[ForeignKey, ...]],
) -> tuple[Table, ForeignKey] | None:
    steps = set(zip(cycle[1:], cycle, strict=False))
    for table, key in edges:
        if (table.oid, key.parent) in steps and key not in later.get(table.oid, ()):
            return table, key
    return None


def _components(graph: Mapping[int, set[int]]) -> Iterator[list[int]]:
    """Strongly connected components, those that others refer to first (Tarjan)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    found: list[list[int]] = []
    for root in graph:
        if root in index:
            continue
        path: list[tuple[int, Iterator[int]]] = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while path:
            node, rest = path[-1]
            step = next(rest, None)
            if step is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    place = stack.index(node)
                    found.append(stack[place:])
                    del stack[place:]
            elif step not in index:
                index[step] = low[step] = len(index)
                stack.append(step)
                path.append((step, iter(sorted(graph[step]))))
            elif step in stack:
                low[node] = min(low[node], index[step])
    yield from found
