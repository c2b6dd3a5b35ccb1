"""Where a run can be kept waiting: found by running it once undisturbed and noting its locks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.crash.run.walk import Walk
from harness.database import admin
from harness.database.locks import SHARE_UPDATE_EXCLUSIVE, strength_of_mode
from harness.plan import Script
from harness.runner.index import wanted

NOTES = Path(__file__).with_suffix(".sql")
HELD = """
select h.step, n.name, array_agg(distinct h.mode)
from migration_control.harness_held as h
join migration_control.harness_named as n on n.relation = h.relation and n.at = h.at - 1
where n.kind in ('r', 'p', 'v')
group by h.step, n.name order by h.step, n.name
"""
STATES = "select distinct step, state from migration_control.harness_held order by step, state"
BATCHES = """
select step, case when rows > 0 then batches else 0 end from migration_control.step
where run_id = (select max(id) from migration_control.run)
"""
TABLES = """
select distinct h.step, n.name, t.name
from migration_control.harness_held as h
join migration_control.harness_named as n on n.at = h.at - 1 and n.indexed is not null
join migration_control.harness_named as t on t.at = n.at and t.relation = n.indexed
where h.state = 'intent'
"""


@dataclass(frozen=True)
class Needs:
    """What a step needs: locks on relations that are there before it, and checkpoints.

    `locks` maps a relation to the strongest mode, as pg_locks names it, the strongest first;
    `batches` is 0 also where they found nothing to change.
    """

    locks: dict[str, str]
    states: tuple[str, ...]
    batches: int


def look(walk: Walk) -> dict[str, Needs]:
    """Run to the end and say what each step needed; uses the walk up."""
    with admin.connection(walk.dsn) as conn:
        conn.execute(NOTES.read_bytes())
    walk.advance(lambda _: False)
    with admin.connection(walk.dsn) as conn:
        held = conn.execute(HELD.encode()).fetchall()
        states = conn.execute(STATES.encode()).fetchall()
        tables = {(step, name): of for step, name, of in conn.execute(TABLES.encode())}
        batches = dict(conn.execute(BATCHES.encode()).fetchall())
    found: dict[str, Needs] = {}
    for step in walk.steps:
        locks = {name: max(modes, key=strength_of_mode) for of, name, modes in held if of == step}
        locks |= _concurrent(step, walk.script(step), tables)
        strongest = sorted(locks, key=lambda name: -strength_of_mode(locks[name]))
        found[step] = Needs(
            {name: locks[name] for name in strongest},
            tuple(state for of, state in states if of == step),
            batches.get(step, 0),
        )
    return found


def _concurrent(step: str, of: Script, tables: dict[tuple[str, str], str]) -> dict[str, str]:
    """The table of an index that is built or dropped outside of any transaction."""
    if of.kind != "concurrent":
        return {}
    want = wanted(of.statements[0])
    table = str(want.table) if want.table else tables[step, str(want.index)]
    return {table: SHARE_UPDATE_EXCLUSIVE}
