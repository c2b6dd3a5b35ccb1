"""Look between the statements of a plan, from inside the transactions that run them.

The runner runs a copy of the plan in which a call stands before, between and after the statements
of each script. What it notes is therefore held, rewritten and read by that very transaction, and
is undone with it. Files and hashes are those of the real plan.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from harness.core.direction import StepDirection
from harness.core.errors import Refused
from harness.database import admin
from harness.database.catalog import USER_RELATIONS
from harness.database.ledger_names import spelled
from harness.plan import Phase, Plan, Script, Statement, Step
from harness.scenario.dry_run import wal

SCHEMA: Final = "harness_dry_run"
_SQL: Final = Path(__file__).with_name("look.sql")
_REFRESH: Final = f"""
WITH now AS MATERIALIZED (
  SELECT c.oid AS id, c.schema || '.' || c.relation AS name,
    pg_catalog.pg_relation_filenode(c.oid) AS node, pg_catalog.pg_relation_size(c.oid) AS bytes
  FROM ({USER_RELATIONS}) AS c
  WHERE c.kind IN ('r', 'p', 'v', 'm', 'f') AND c.schema <> 'harness_dry_run'
), gone AS (
  DELETE FROM harness_dry_run.relation AS r WHERE NOT EXISTS (SELECT FROM now WHERE now.id = r.id)
)
INSERT INTO harness_dry_run.relation AS r (id, name, node, bytes)
SELECT id, name, node, bytes FROM now
ON CONFLICT (id) DO UPDATE SET name = excluded.name, node = excluded.node, bytes = excluded.bytes
WHERE (r.name, r.node, r.bytes) IS DISTINCT FROM (excluded.name, excluded.node, excluded.bytes)
"""  # noqa: S608 - a constant
_LOOKS: Final = """
SELECT k.number, k.statement, k.transaction::text AS transaction, k.began, k.ended,
  (k.wal_began - '0/0')::bigint AS wal_began, (k.wal_ended - '0/0')::bigint AS wal_ended,
  coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(r.name, s.mode,
    r.bytes > 0 AND s.node <> r.node, s.read, s.changed) ORDER BY r.name, s.mode)
    FILTER (WHERE r.id IS NOT NULL), '[]') AS seen
FROM harness_dry_run.look AS k
LEFT JOIN harness_dry_run.seen AS s ON s.look = k.number
LEFT JOIN harness_dry_run.relation AS r ON r.id = s.relation
WHERE k.direction = %s AND k.step = %s
GROUP BY k.number ORDER BY k.number
"""


@dataclass(frozen=True)
class Look:
    """One look: after `statement` statements of its transaction; `seen` has what was locked then,
    as relation, mode, whether it was written anew since the step began (an empty one never is),
    rows read by sequential scans, and rows updated or deleted."""

    number: int
    statement: int
    transaction: str
    began: datetime
    ended: datetime
    wal_began: int
    wal_ended: int
    seen: list[list[Any]]


def install(conn: psycopg.Connection[Any]) -> None:
    """Put what looks need into the scratch database, past its own settings and event triggers.

    Refused where that cannot be.
    """
    own(conn)
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        conn.execute("SET session_replication_role = replica")
    try:
        conn.execute(_SQL.read_bytes())
    except psycopg.Error as error:
        raise Refused(
            "the copy cannot be looked at from inside:"
            f" {error.diag.message_primary or type(error).__name__}",
            hint="the role must be allowed to make schemas, and language plpgsql must be there",
        ) from error
    wal.install(conn)


def own(conn: psycopg.Connection[Any]) -> None:
    """Let the session write, as the role that logged in, whatever the database sets for it."""
    admin.writable(conn)
    conn.execute("SET ROLE NONE")


def listen(conn: psycopg.Connection[Any]) -> None:
    """When the ledger is there: have statistics handed on with every checkpoint."""
    conn.execute(
        spelled(
            "CREATE OR REPLACE TRIGGER harness_dry_run AFTER INSERT OR UPDATE ON {step}"
            " FOR EACH ROW EXECUTE FUNCTION harness_dry_run.hand_on()"
        )
    )


def learn(conn: psycopg.Connection[Any]) -> dict[int, str]:
    """Note the relations that are there now; oid -> name."""
    conn.execute(_REFRESH.encode())
    rows = conn.execute("SELECT id, name FROM harness_dry_run.relation").fetchall()
    return {int(number): str(name) for number, name in rows}


def looks(conn: psycopg.Connection[Any], direction: StepDirection, step: str) -> list[Look]:
    """The looks of a step that was committed, by the relations noted before it."""
    with conn.cursor(row_factory=class_row(Look)) as cursor:
        return cursor.execute(_LOOKS.encode(), [direction, step]).fetchall()


def instrumented(plan: Plan) -> Plan:
    """The plan with looks between its statements; it asks for no verdict, on a copy."""
    phases = tuple(_phase(phase) for phase in plan.phases)
    return replace(plan, phases=phases, require_verdict=None)


def _phase(phase: Phase) -> Phase:
    return replace(phase, steps=tuple(_step(step) for step in phase.steps))


def _step(step: Step) -> Step:
    return replace(
        step,
        forward=_script(step.forward, "forward", step.id),
        rollback=_script(step.rollback, "rollback", step.id),
    )


def _script(script: Script, direction: StepDirection, step: str) -> Script:
    """Nothing may stand beside a concurrent statement: that one is watched from outside alone."""
    if script.kind == "concurrent" or not script.statements:
        return script
    return replace(script, statements=tuple(_between(script.statements, direction, step)))


def _between(
    statements: Sequence[Statement], direction: StepDirection, step: str
) -> list[Statement]:
    found = [_call(direction, step, 0, statements[0].line)]
    for number, statement in enumerate(statements, 1):
        found += [statement, _call(direction, step, number, statement.line)]
    return found


def _call(direction: StepDirection, step: str, number: int, line: int) -> Statement:
    call = sql.SQL("SELECT harness_dry_run.look({}, {}, {})").format(
        sql.Literal(direction), sql.Literal(step), sql.Literal(number)
    )
    return Statement(call.as_string(None), line, "SelectStmt")
