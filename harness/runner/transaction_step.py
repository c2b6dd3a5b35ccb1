"""A transaction step: its work and its checkpoint commit together, exactly once."""

from __future__ import annotations

import psycopg

from harness.plan import Statement
from harness.runner.ledger import checkpoint_sql
from harness.runner.retry import retrying
from harness.runner.work import SqlFailed, Work, changed

BEFORE = "SAVEPOINT statement;\n"
AFTER = "\n;RELEASE SAVEPOINT statement"


def run(work: Work) -> int:
    """Run the script in one transaction; give the number of rows it changed."""
    return retrying(work, lambda: _attempt(work))


def _attempt(work: Work) -> int:
    session, script = work.session, work.script
    statement: Statement | None = script.statements[0] if script.statements else None
    try:
        with session.transaction(work.id, script):
            rows = 0
            if work.watch is not None:
                work.watch.before()
            for statement in script.statements:
                session.check_stop(work.id)
                rows += _execute(work, statement)
            statement = None
            noted = work.watch.after() if work.watch is not None else []
            session.commit(checkpoint_sql(work.checkpoint("done", rows=rows)), *noted)
            return rows
    except psycopg.Error as error:
        raise SqlFailed(error, script, statement, len(BEFORE)) from error


def _execute(work: Work, statement: Statement) -> int:
    """One round trip: a savepoint before the statement, and its release after."""
    return changed(work.session.execute((BEFORE + statement.text + AFTER).encode()))
