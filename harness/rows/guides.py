"""Hints from CHECKs: of domains and of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.rows.expression import parse_expression
from harness.rows.group import Condition
from harness.rows.hints import NOTHING, Branch, Hints
from harness.rows.model import Rule, Schema, Table
from harness.rows.probe import Probe
from harness.rows.solve import satisfy_all, solve_condition

PARTITION = "partition"
"""What the bounds of partitions are called, where no constraint has a name."""


def guide_domains(schema: Schema, probe: Probe) -> Mapping[int, Sequence[Hints]]:
    """For each domain the ways to satisfy its CHECKs."""
    guides = {}
    for oid, kind in schema.types.items():
        if kind.kind == "d" and kind.rules:
            ways = satisfy_all(solve_rule(rule, probe) for rule in kind.rules)
            guides[oid] = [way.hints.get("value", NOTHING) for way in ways] or [NOTHING]
    return guides


def read_conditions(table: Table, probe: Probe) -> list[Condition]:
    """The table's CHECKs and its partitions' bounds, with the ways to satisfy each."""
    rules = list(table.checks)
    if table.partitions is not None:
        rules.append(_partition_rule(table))
    return [Condition(rule, solve_rule(rule, probe)) for rule in rules]


def _partition_rule(table: Table) -> Rule:
    from harness.rows.expression import columns_of

    text = table.partitions or "true"
    known = {column.name for column in table.columns}
    return Rule(PARTITION, text, tuple(name for name in columns_of(text) if name in known))


def solve_rule(rule: Rule, probe: Probe) -> list[Branch]:
    """The ways to satisfy a rule; one that says nothing where it is not understood."""
    node = parse_expression(rule.expression)
    return solve_condition(node, probe) if node is not None else [Branch()]
