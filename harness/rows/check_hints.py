"""Hints from CHECKs: of domains and of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.rows.expression import columns_of, parse_expression
from harness.rows.group import Condition
from harness.rows.hints import NOTHING, Branch, Hints
from harness.rows.model import Rule, Schema, Table, quote
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
    return [Condition(_with_generated(table, rule), solve_rule(rule, probe)) for rule in rules]


def _with_generated(table: Table, rule: Rule) -> Rule:
    """The rule about the columns that generated ones are made from."""
    made = [c for c in table.columns if c.generated is not None and c.name in rule.columns]
    if not made:
        return rule
    names = [name for name in rule.columns if table.column(name) not in made]
    names += [name for column in made for name in columns_of(column.generated)]
    fields = ", ".join(f"({c.generated})::{c.declared} AS {quote(c.name)}" for c in made)
    text = f"(SELECT ({rule.expression}) FROM (SELECT s.*, {fields}) v)"
    return Rule(rule.name, text, tuple(dict.fromkeys(names)))


def _partition_rule(table: Table) -> Rule:
    text = table.partitions or "true"
    known = {column.name for column in table.columns}
    return Rule(PARTITION, text, tuple(name for name in columns_of(text) if name in known))


def solve_rule(rule: Rule, probe: Probe) -> list[Branch]:
    """The ways to satisfy a rule; one that says nothing where it is not understood."""
    node = parse_expression(rule.expression)
    return solve_condition(node, probe) if node is not None else [Branch()]
