"""baseline: the plan's roles and schema into an empty database.

Each file runs as `psql --single-transaction -f` would: in a session and a transaction of its own.
How far it came is recorded with each, so a baseline that was stopped midway goes on; until then
every other command says that it is unfinished.
"""

from __future__ import annotations

import psycopg

from harness.core.errors import AnotherRunnerError, HarnessError, Refused
from harness.core.sqlstate import advice_for
from harness.database import admin
from harness.plan import Plan, Script
from harness.runner import baseline_file, baseline_progress
from harness.runner.backoff import delay, pause
from harness.runner.connection import Connection, configure, connect, is_lost
from harness.runner.lock import acquire
from harness.runner.outcome import never
from harness.runner.step_work import SqlFailed

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
    """Apply the baseline's files in order and give the relations made.

    Nothing is done for a plan without one. Refused when the database is not empty, unless an
    unfinished baseline of the same files is in it: that one is finished.
    """
    with connect(dsn, "baseline") as conn:
        admin.refuse_standby(conn)
        configure(conn, plan.runner)
        acquire(conn, plan.runner, set())
        done = _begun(conn, plan)
        for number, script in enumerate(plan.baseline, 1):
            if number > done:
                _apply_again_and_again(dsn, plan, script, number)
        return [str(row[0]) for row in conn.execute(RELATIONS).fetchall()] if plan.baseline else []


def _begun(conn: Connection, plan: Plan) -> int:
    """How many files of the plan's baseline are in the database; Refused when others are."""
    if not plan.baseline:
        return 0
    done = baseline_progress.read(conn)
    if done:
        baseline_progress.refuse_changed(plan, done)
        return len(done)
    found = [row[0] for row in conn.execute(RELATIONS).fetchall()]
    if found:
        names = ", ".join(found[:5])
        raise Refused(f"the database is not empty: it holds {names}", hint="name an empty database")
    return 0


def _apply_again_and_again(dsn: str, plan: Plan, script: Script, number: int) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _apply(dsn, plan, script, number)
        except SqlFailed as failure:
            if attempt == ATTEMPTS or not _is_race(failure.error):
                raise _explained(failure, attempt, number) from failure.error
            pause(delay(attempt, plan.runner), never)
    raise AnotherRunnerError(
        "other baselines are being made on this server", hint="try again when they are made"
    )


def _is_race(error: psycopg.Error) -> bool:
    """Roles belong to the whole server: two baselines at once may meet while making them."""
    text = str(error)
    met = "tuple concurrently updated" in text or "pg_authid" in text or "pg_auth_members" in text
    return met or advice_for(error.sqlstate).retry == "patiently"


def _explained(failure: SqlFailed, attempts: int, number: int) -> HarnessError:
    error = failure.explained(attempts)
    hint = baseline_file.advice(failure.error) or error.hint
    if number > 1:
        hint = f"{hint}; the files before it are in place: run `harness baseline` again to go on"
    return type(error)(error.message, where=error.where, hint=hint)


def _apply(dsn: str, plan: Plan, script: Script, number: int) -> None:
    """Run one file, and record it in the same transaction."""
    last = number == len(plan.baseline)
    with connect(dsn, "baseline") as conn:
        configure(conn, plan.runner)
        try:
            with conn.transaction():
                baseline_file.run(conn, plan, script)
                conn.execute("RESET SESSION AUTHORIZATION")  # and with it the role
                baseline_progress.record(conn, plan, script, number, last=last)
        except psycopg.Error as error:
            if is_lost(conn, error):
                raise
            raise SqlFailed(error, script, None) from error  # what is checked at the end only
