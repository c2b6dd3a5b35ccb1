"""A transaction step: its work and its checkpoint commit together, exactly once."""

from __future__ import annotations

import psycopg

from harness.plan import Statement
from harness.plan.block_locks import unseen_locks
from harness.plan.isolation import opens_with
from harness.runner.ledger_statements import checkpoint_sql
from harness.runner.retry import retrying
from harness.runner.step_work import SqlFailed, StepWork


def run(work: StepWork) -> int:
    """Run the script in one transaction; give the number of rows it changed.

    No savepoint stands around a statement: nothing is ever gone on with behind one that failed, and
    in a subtransaction SQL means something else (a new enum's labels, an exported snapshot, xmin).
    """
    _tell_unseen(work)
    return retrying(work, lambda: _attempt(work))


def _tell_unseen(work: StepWork) -> None:
    """Say once where the script may lock tables for whose long users nobody looks."""
    if work.session.settings.long_use and (places := unseen_locks(work.script)):
        words = f"which tables are locked is not known: {'; '.join(places[:3])}"
        more = f"; and {len(places) - 3} more" if len(places) > 3 else ""
        text = f"{words}{more}; nobody looks who uses them for long, lock_timeout bounds the wait"
        work.session.context.tell("locks_unseen", work.id, message=text)


def _attempt(work: StepWork) -> int:
    session, script = work.session, work.script
    head, rest = opens_with(script)
    statement: Statement | None = script.statements[0] if script.statements else None
    try:
        with session.transaction(work.id, script, head=[one.text for one in head]):
            rows = 0
            if work.watch is not None:
                work.watch.before()
            for statement in rest:
                session.check_stop(work.id)
                rows += session.work.change(statement.text)
            statement = None
            noted = work.watch.after() if work.watch is not None else []
            session.commit(checkpoint_sql(work.checkpoint("done", rows=rows)), *noted)
            return rows
    except psycopg.Error as error:
        raise SqlFailed(error, script, statement) from error
