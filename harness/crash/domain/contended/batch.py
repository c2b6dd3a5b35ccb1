"""A batch that runs into its timeout, because somebody holds one of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from psycopg import sql
from psycopg.types.numeric import Int8

from harness.core.sqlstate import QUERY_CANCELED
from harness.crash import runners
from harness.crash.domain.contended.strike import ended, first_retry, named, told_by
from harness.crash.model import Point
from harness.crash.run.cursor import Scene
from harness.crash.run.outcome import FaultOutcome
from harness.database import admin, ledger_view
from harness.database.ledger_names import spelled
from harness.fault.contention import Rival
from harness.plan import Plan, Script
from harness.runner.connection import configure, connect, set_variables
from harness.runner.keys import LOWEST

HISTORY = Path(__file__).with_name("history.sql")
KEPT = spelled("""
select before_key, last_key from {ledger_schema}.harness_history
where step = %(step)s and coalesce(before_key, %(lowest)s) < %(key)s and last_key >= %(key)s
order by at limit 1
""")
CLAIMED = spelled("""
select last_key from {batch_range}
where run_id = %s and step = %s and after_key < %s and last_key >= %s
""")
LARGEST = 2**63 - 1
TIMEOUT = 0.25


@dataclass(frozen=True)
class Batch:
    """A batch step on a database: the keys of its table, those it locks, and how many at a time."""

    script: Script
    keys: tuple[int, ...]
    locked: tuple[int, ...]

    @property
    def size(self) -> int:
        """Rows of a batch, small enough for several and large enough to be halved."""
        return self.script.batch or max(4, min(100, len(self.keys) // 4))

    def between(self, after: int, upto: int) -> int:
        """How many keys a range holds."""
        return sum(after < key <= upto for key in self.keys)

    def victim(self, boundary: str) -> int:
        """The key to hold."""
        return self.locked[0 if boundary == "first" else len(self.locked) // 2]


def statement_timeout(scene: Scene, point: Point, persistent: bool) -> FaultOutcome:
    """Hold a row for longer than a batch may take: it halves, and no key is passed over."""
    with scene.cursor.copy() as spare:
        batch = _look(scene, point, spare)
    key = batch.victim(point.boundary)
    plan = _plan(scene, batch)
    with scene.cursor.copy() as dsn:
        with admin.connection(dsn) as conn:
            conn.execute(spelled(HISTORY.read_text()))
        with Rival(dsn) as rival:
            held = rival.execute(_holding(batch.script), (key,))
            assert held == 1, "the row to hold is gone"
            with runners.start(
                scene.ground, scene.direction, dsn, plan, close=rival.sockets
            ) as runner:
                retry = first_retry(runner, point.step)
                if not persistent:
                    rival.close()
                ending = ended(runner)
        fired = told_by(retry, ending, QUERY_CANCELED)
        evidence = retry.message if retry else ending.error
        if persistent:
            reasons = named(ending, batch.script, QUERY_CANCELED) + _not_beyond(
                dsn, point.step, key
            )
            state, judged = scene.judged(dsn)
            return FaultOutcome(fired, ending.error or evidence, reasons + judged, state)
        after, upto = _range(dsn, point.step, key)
        count = batch.between(after, upto)
        evidence += f"; the batch of {batch.size} rows was done as one of {count}"
        reasons = () if count <= batch.size // 2 else (f"{count} rows are no half of a batch",)
        return FaultOutcome(fired, evidence, reasons + scene.ended(dsn, ending))


def _plan(scene: Scene, batch: Batch) -> Plan:
    return scene.ground.sweeping(
        batch_rows=batch.size,
        batch_min_rows=max(1, batch.size // 4),
        batch_statement_timeout=TIMEOUT,
        lock_timeout=30.0,
        concurrent_lock_timeout=1.0,
        retries=3,
    )


def _look(scene: Scene, point: Point, dsn: str) -> Batch:
    """Run the batch's statements over the whole table once, and see which rows they lock."""
    of, plan = scene.cursor.script(point.step), scene.ground.plan
    assert of.table is not None
    assert of.key is not None
    names = {"table": sql.SQL(of.table), "key": sql.SQL(of.key)}
    every = sql.SQL("select {key} from {table} order by {key}").format(**names)
    mine = sql.SQL(
        "select {key} from {table} where pg_current_xact_id()::xid in (xmin, xmax) order by {key}"
    ).format(**names)
    with connect(dsn, "look") as conn:
        configure(conn, plan.runner)
        set_variables(conn, {**plan.variables, "run_id": "1"})
        keys = [row[0] for row in conn.execute(every)]
        conn.execute("begin")
        for statement in of.statements:
            bounds = {"after": Int8(LOWEST), "upto": Int8(LARGEST)}
            conn.execute(statement.text.encode(), bounds)
        locked = [row[0] for row in conn.execute(mine)]
        conn.execute("rollback")
    return Batch(of, tuple(keys), tuple(locked))


def _holding(of: Script) -> sql.Composed:
    assert of.table is not None
    assert of.key is not None
    # names stand in the header as they are; beside a parameter a percent sign is written twice
    table, key = (sql.SQL(name.replace("%", "%%")) for name in (of.table, of.key))
    return sql.SQL("select from {} where {} = %s for update").format(table, key)


def _range(dsn: str, step: str, key: int) -> tuple[int, int]:
    """The range in which a key was done."""
    with admin.connection(dsn) as conn:
        row = conn.execute(KEPT, {"step": step, "lowest": LOWEST, "key": key}).fetchone()
    if row is None:
        return LOWEST, LARGEST
    before, last = row
    return LOWEST if before is None else before, last


def _not_beyond(dsn: str, step: str, key: int) -> tuple[str, ...]:
    """Whether the ledger claims a key that could not be done."""
    with admin.connection(dsn) as conn:
        run = ledger_view.last_run(conn)
        found = ledger_view.steps_of(conn, run).get(step) if run else None
        last = found.last_key if found else None
        claimed = conn.execute(CLAIMED, [run.id, step, key, key]).fetchone() if run else None
    last = claimed[0] if claimed else last
    if last is None or last < key:
        return ()
    return (f"the ledger says that key {key} is done, which was held: its last key is {last}",)
