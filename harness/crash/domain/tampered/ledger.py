"""The ledger changed by somebody else: its columns, its rows, its bits on disk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from harness.core.direction import Direction
from harness.core.errors import InfrastructureError
from harness.core.exit_status import ExitStatus
from harness.core.poll import wait_until
from harness.crash import runners, state
from harness.crash.domain.tampered.outcome import attempt
from harness.crash.domain.tampered.placement import PlacedDatabase
from harness.crash.model import Point
from harness.crash.run.outcome import FaultOutcome
from harness.database import admin, template
from harness.database.ledger_names import identifier, spelled
from harness.fault import tamper

if TYPE_CHECKING:
    from harness.crash.setup import Setup
    from harness.database.fingerprint import Fingerprint
    from harness.server import Server

STEP = identifier("step")
CURRENT = spelled("(select max(id) from {run})")
ROWS: dict[str, sql.Composable] = {
    "step": spelled(
        "(run_id, position) = (select run_id, position from {step}"
        " order by run_id desc, position desc limit 1)"
    ),
    "batch_range": spelled(
        "(run_id, step, number) = (select run_id, step, number from {batch_range}"
        " order by run_id desc, step desc, number desc limit 1)"
    ),
    "run": sql.SQL("id = {}").format(CURRENT),
    "plan_file": spelled(
        "(run_id, path) = (select f.run_id, f.path from {plan_file} as f"
        " join {run} as r on r.id = f.run_id and r.direction = 'forward'"
        " where f.path like 'phases/%' order by f.run_id desc, f.path limit 1)"
    ),
    "ledger": sql.SQL("true"),
}
"""The row of each table that is tampered with: the latest; of files, one of the way forward."""

WITHIN = {"run.state", "run.direction", "run.steps_done"}
UNSEALED = {"step.started_at", "step.updated_at", "batch_range.updated_at"}
SEALED = ("step.", "batch_range.")
CHANGES: dict[str, str] = {
    "plan_file.run_id": "run_id + 100",
    "step.state": "case when state = 'running' then 'done' else 'running' end",
    "batch_range.state": "case when state = 'running' then 'done' else 'running' end",
    "run.state": "case when state = 'running' then 'completed' else 'running' end",
    "run.direction": "case when direction = 'forward' then 'rollback' else 'forward' end",
    "run.undoes": "case when undoes is null then id end",
}
BY_TYPE: dict[str, str] = {
    "bigint": "coalesce({0}, 0) + 1",
    "integer": "coalesce({0}, 0) + 1",
    "text": "coalesce({0}, '') || 'x'",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 day'",
}
COLUMNS = spelled("""
select table_name, column_name, data_type from information_schema.columns
where table_schema = {ledger_schema_name} and table_name = any(%s)
order by table_name, ordinal_position
""")
BITS = {"checked": 8, "unchecked": 32}
"""How many bits of a checkpoint are flipped: seen by the page's checksum, and by the seal alone."""

NAMES = r"the ledger|checkpoint of step|run \d|the plan changed"


def faults(dsn: str, boundary: str) -> list[str]:
    """Every column of the ledger that can be changed, and every table that can lose a row.

    Within a step only what says how far it came: the rest is the same there as between steps.
    """
    with admin.connection(dsn) as conn:
        cut = conn.execute(spelled("select exists (select from {batch_range})")).fetchone()
        known = [name for name in ROWS if name != "batch_range" or cut == (True,)]
        rows = conn.execute(COLUMNS, [known]).fetchall()
    every = [f"{table}.{column}" for table, column, _ in rows]
    every += ["step.deleted", "plan_file.deleted"]
    every += ["batch_range.deleted"] if "batch_range" in known else []
    if boundary == "between":
        return every
    return [one for one in every if one.startswith(SEALED) or one in WITHIN]


def strike(stand: PlacedDatabase, point: Point) -> FaultOutcome:
    """Change one thing, and run on in every direction that is open."""
    table, _, what = point.fault.partition(".")
    outcomes = []
    changed = 0
    for direction in directions(stand.scene.ground, point.direction):
        with stand.copy() as dsn:
            changed = tamper.execute(dsn, _change(dsn, table, what, ROWS[table]))
            outcomes.append(_attempt(stand, direction, dsn, point))
    return _struck(stand, changed == 1, outcomes)


def directions(ground: Setup, direction: Direction) -> tuple[Direction, ...]:
    """From a migration one may go on or back, if the plan leads back; from a rollback only on."""
    both = direction == "forward" and ground.returns
    return ("forward", "rollback") if both else (direction,)


def _attempt(stand: PlacedDatabase, direction: Direction, dsn: str, point: Point) -> FaultOutcome:
    scene = stand.scene
    sealed = point.fault.startswith(SEALED) and point.fault not in UNSEALED
    if point.fault == "step.deleted":  # what was only begun may be begun again, if it ends golden
        sealed = point.boundary == "between"
    anything = point.fault.startswith("run.")  # a run's row may be read as another state's
    return attempt(
        scene.ground,
        scene.cursor.server_dsn,
        direction,
        dsn,
        names="." if anything else f"{NAMES}|{re.escape(point.step)}",
        kept=stand.fingerprint,
        must_refuse=sealed or point.fault.startswith(("plan_file.", "ledger.version")),
    )


def _struck(stand: PlacedDatabase, fired: bool, outcomes: list[FaultOutcome]) -> FaultOutcome:
    """What came of it; a refusal is worth as much as the state that it keeps."""
    reasons = [reason for outcome in outcomes for reason in outcome.reasons]
    came = "; ".join(outcome.evidence for outcome in outcomes)
    state = ""
    if any(outcome.refused for outcome in outcomes):
        state, bad = stand.judged
        reasons += bad
    return FaultOutcome(fired, came, tuple(reasons), state)


def _change(dsn: str, table: str, what: str, rows: sql.Composable) -> sql.Composed:
    of = identifier(table)
    if what == "deleted":
        return sql.SQL("delete from {} where {}").format(of, rows)
    with admin.connection(dsn) as conn:
        known = conn.execute(COLUMNS, [[table]]).fetchall()
    types = {column: kind for _, column, kind in known}
    column = sql.Identifier(what)
    given = CHANGES.get(f"{table}.{what}")
    value = sql.SQL(given or BY_TYPE[types[what]]).format(column)
    return sql.SQL("update {} set {} = {} where {}").format(of, column, value, rows)


def bits(
    ground: Setup, server: Server, name: str, points: list[Point], kept: Fingerprint
) -> dict[Point, FaultOutcome]:
    """Flip a bit of the latest checkpoint in a copy for each point, all in one restart.

    `name` is the database to copy. DSNs from before are void after this.
    """
    copies = {}
    for point in points:
        dsn = template.clone(server.dsn(), name)
        copies[point] = (admin.dbname(dsn), tamper.stored(dsn, STEP, ROWS["step"]))
    unchecked = points[0].fault.startswith("bit.unchecked")
    with admin.connection(server.dsn()) as conn:
        conn.execute(f"alter system set ignore_checksum_failure = {'on' if unchecked else 'off'}")
    server.stop()
    assert server.data_dir is not None, "bits are flipped where the files can be reached"
    flips = {}
    for point, (_, row) in copies.items():
        mode, number = point.fault.split(".")[1:]
        flips[point] = tamper.flip_bit(server.data_dir, row, int(number), BITS[mode])
    server.start()
    server.wait_ready()
    found = {}
    for point, (copy, _) in copies.items():
        found[point] = _flipped(ground, server, copy, point, str(flips[point]), kept)
        _drop(server, copy)
    return found


def _drop(server: Server, name: str) -> None:
    """Drop a copy; the server may be coming up again from what it met in another one."""

    def dropped() -> bool:
        try:
            admin.drop(server.dsn(), name)
        except (psycopg.OperationalError, InfrastructureError):
            return False
        return True

    wait_until(dropped, 60, f"the end of {name}")


def _reading(
    ground: Setup, server: Server, name: str, direction: Direction, kept: Fingerprint
) -> FaultOutcome:
    names = rf"{NAMES}|SQLSTATE XX00[01]"
    dsn = admin.with_dbname(server.dsn(), name)
    return attempt(ground, server.dsn(), direction, dsn, names=names, kept=kept)


def _down(
    ground: Setup, server: Server, name: str, direction: Direction, kept: Fingerprint
) -> FaultOutcome:
    """The server itself breaks on the row: the runner, like anybody, loses its connection.

    The ledger cannot be looked at without breaking the server again; everything else can.
    """
    server.wait_ready()
    ending = runners.run(ground, direction, admin.with_dbname(server.dsn(), name))
    server.wait_ready()
    came = f"{direction}: status {ending.status}, {ending.error or 'no message'}"
    reasons = []
    if ending.status not in (ExitStatus.FAILED, ExitStatus.INFRASTRUCTURE, ExitStatus.STOPPED):
        reasons.append(f"ended with status {ending.status} when the server went down")
    reasons += state.differences(
        kept, _left(ground, server, name), "after the server went down", ground.drawn
    )
    told = f"the server breaks on reading it; {came}"
    return FaultOutcome(True, told, tuple(reasons), endings=(ending,))


def _left(ground: Setup, server: Server, name: str) -> Fingerprint:
    """What a database is when its server is up again: one may answer before it notices a crash."""

    def taken() -> Fingerprint | None:
        try:
            return ground.identity(admin.with_dbname(server.dsn(), name))
        except (psycopg.OperationalError, InfrastructureError):
            return None

    found = wait_until(taken, 60, f"a look at {name}")
    assert found is not None
    return found


def _flipped(
    ground: Setup, server: Server, name: str, point: Point, flip: str, kept: Fingerprint
) -> FaultOutcome:
    """Run on the damaged copy; once it went on, there is nothing left to go back from."""
    outcomes: list[FaultOutcome] = []
    for direction in directions(ground, point.direction):
        if all(outcome.refused for outcome in outcomes):
            try:
                outcomes.append(_reading(ground, server, name, direction, kept))
            except (InfrastructureError, psycopg.OperationalError):
                outcomes.append(_down(ground, server, name, direction, kept))
    reasons = tuple(reason for outcome in outcomes for reason in outcome.reasons)
    came = "; ".join(outcome.evidence for outcome in outcomes)
    return FaultOutcome(True, f"{flip}; {came}", reasons)
