"""Where a run can be kept waiting: found by running it once undisturbed and noting its locks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.crash.run.cursor import RunCursor
from harness.database import admin, ledger_view
from harness.database.ledger_names import spelled
from harness.database.locks import SHARE_UPDATE_EXCLUSIVE, strength_of_mode
from harness.plan import Script
from harness.runner.index import wanted

NOTES = Path(__file__).with_suffix(".sql")
HELD = spelled("""
select h.step, n.name, array_agg(distinct h.mode)
from {ledger_schema}.harness_held as h
join {ledger_schema}.harness_named as n on n.relation = h.relation and n.at = h.at - 1
where n.kind in ('r', 'p', 'v')
group by h.step, n.name order by h.step, n.name
""")
STATES = spelled(
    "select distinct step, state from {ledger_schema}.harness_held order by step, state"
)
TABLES = spelled("""
select distinct h.step, n.name, t.name
from {ledger_schema}.harness_held as h
join {ledger_schema}.harness_named as n on n.at = h.at - 1 and n.indexed is not null
join {ledger_schema}.harness_named as t on t.at = n.at and t.relation = n.indexed
where h.state = 'intent'
""")


@dataclass(frozen=True)
class Needs:
    """What a step needs: locks on relations that are there before it, and checkpoints.

    `locks` maps a relation to the strongest mode, as pg_locks names it, the strongest first;
    `batches` is 0 also where they found nothing to change.
    """

    locks: dict[str, str]
    states: tuple[str, ...]
    batches: int


def look(cursor: RunCursor) -> dict[str, Needs]:
    """Run to the end and say what each step needed; uses the cursor up."""
    with admin.connection(cursor.dsn) as conn:
        conn.execute(spelled(NOTES.read_text()))
    cursor.to_end()
    with admin.connection(cursor.dsn) as conn:
        held = conn.execute(HELD).fetchall()
        states = conn.execute(STATES).fetchall()
        tables = {(step, name): of for step, name, of in conn.execute(TABLES)}
        run = ledger_view.last_run(conn)
        begun = ledger_view.steps_of(conn, run) if run else {}
    batches = {name: step.batches for name, step in begun.items() if step.rows > 0}
    found: dict[str, Needs] = {}
    for step in cursor.steps:
        locks = {name: max(modes, key=strength_of_mode) for of, name, modes in held if of == step}
        locks |= _concurrent(step, cursor.script(step), tables)
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
