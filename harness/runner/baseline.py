"""baseline: the plan's roles and schema into an empty database, in one transaction."""

from __future__ import annotations

import psycopg

from harness.errors import AnotherRunnerError, Refused, UsageError
from harness.plan import Plan, Script, Statement
from harness.runner.backoff import delay, pause
from harness.runner.connection import Connection, configure, connect, set_variables
from harness.runner.lock import acquire
from harness.runner.outcome import never
from harness.runner.transaction_step import AFTER, BEFORE
from harness.runner.work import SqlFailed

RELATIONS = """
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = c.oid
    AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e')
ORDER BY 1
"""
ATTEMPTS = 8


def baseline(dsn: str, plan: Plan) -> list[str]:
    """Apply the baseline's scripts in order and give the relations made; all of it or nothing."""
    if not plan.baseline:
        raise UsageError("the plan has no baseline directory", where=str(plan.root))
    with connect(dsn, "baseline") as conn:
        configure(conn, plan.runner)
        set_variables(conn, {**plan.variables, "run_id": "0"})
        acquire(conn, plan.runner, set())
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _apply(conn, plan)
            except SqlFailed as failure:
                if attempt == ATTEMPTS or not _is_race(failure.error):
                    raise failure.explained(attempt) from failure.error
                pause(delay(attempt, plan.runner), never)
    raise AnotherRunnerError("other baselines are being made on this server")


def _is_race(error: psycopg.Error) -> bool:
    """Roles belong to the whole server: two baselines at once may meet while making them."""
    text = str(error)
    met = "tuple concurrently updated" in text or "pg_authid" in text or "pg_auth_members" in text
    return met or error.sqlstate in ("40001", "40P01", "55P03")


def _apply(conn: Connection, plan: Plan) -> list[str]:
    with conn.transaction():
        found = [row[0] for row in conn.execute(RELATIONS).fetchall()]
        if found:
            names = ", ".join(found[:5])
            raise Refused(
                f"the database is not empty: it holds {names}", hint="name an empty database"
            )
        for script in plan.baseline:
            for statement in script.statements:
                _execute(conn, script, statement)
        return [row[0] for row in conn.execute(RELATIONS).fetchall()]


def _execute(conn: Connection, script: Script, statement: Statement) -> None:
    try:
        conn.execute((BEFORE + statement.text + AFTER).encode())
    except psycopg.Error as error:
        raise SqlFailed(error, script, statement, len(BEFORE)) from error
