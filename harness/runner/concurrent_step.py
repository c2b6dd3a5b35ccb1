"""A concurrent step: intent recorded first, and on resume the effect is examined.

CREATE INDEX CONCURRENTLY commits three times inside one statement, and a backend may finish what a
dead client began. So neither ledger nor name says how far an index came; the catalog does.
"""

from __future__ import annotations

import contextlib

import psycopg
from pglast.parser import ParseError
from psycopg import sql

from harness.core.errors import Refused
from harness.core.sqlstate import DUPLICATE_TABLE
from harness.plan import Statement
from harness.runner import index, long_use
from harness.runner.index import FoundIndex, Wanted, wanted
from harness.runner.long_use import LongUse
from harness.runner.retry import give_up_or_wait
from harness.runner.step_work import SqlFailed, StepWork
from harness.runner.working import next_rows


def run(work: StepWork) -> int:
    """Bring the index into the state that the script describes; changes no rows."""
    want = wanted(work.script.statements[0])
    intended = work.row is not None
    while True:
        work.session.check_stop(work.id)
        try:
            if not intended:
                _intend(work, want)
                intended = True
            reach = _create if want.creates else _drop
            reach(work, want)
            with work.session.transaction(work.id):
                work.session.checkpoint(work.checkpoint("done", about=want.named))
            return 0
        except psycopg.Error as error:
            give_up_or_wait(work, SqlFailed(error, work.script, want.statement))
        except SqlFailed as failure:
            _tidy(work, want, failure)
            give_up_or_wait(work, failure)


def _intend(work: StepWork, want: Wanted) -> None:
    found = _look(work, want)
    forward = work.session.run.direction == "forward"
    if want.creates and found is not None and forward:
        raise Refused(
            f"{want.index} is there already, and this run did not make it",
            where=work.script.at(want.statement.line),
            hint="look who made it; rename or drop it, then run again",
        )
    with work.session.transaction(work.id):
        work.session.checkpoint(work.checkpoint("intent", about=want.named))


def _create(work: StepWork, want: Wanted) -> None:
    found = _look_alone(work, want)
    if found is not None and _is_ours_to_drop(work, want, found):
        _send(work, _dropping(want))
        found = None
    if found is None:
        _send(work, want.statement)
        found = _look(work, want)
        if found is None or not found.finished:
            raise psycopg.errors.ObjectNotInPrerequisiteState(
                f"index {want.index} is not valid after it was built"
            )
    elif not _is_described(work, found, want):
        raise Refused(
            f"{want.index} is there, but not as the plan describes it: {found.definition}",
            where=work.script.at(want.statement.line),
            hint="look who made it; drop it, then run again",
        )


def _look(work: StepWork, want: Wanted) -> FoundIndex | None:
    return index.found(work.session.work.ask(index.look_sql(want.index)).fetchone())


def _look_alone(work: StepWork, want: Wanted) -> FoundIndex | None:
    """What bears the name, when nobody is there for whom the statement would wait for long.

    Raises Stopped when somebody is for as long as the plan allows. All is asked in one message.
    """
    session = work.session
    use = LongUse(session.settings)
    while True:
        users_sql = long_use.concurrent_sql(session.settings, want)
        look = index.look_sql(want.index)
        cursor = session.work.ask(look if users_sql is None else look + sql.SQL(";") + users_sql)
        found = index.found(cursor.fetchone())
        nothing_to_do = found is None if not want.creates else found is not None and found.finished
        users = use.of(next_rows(cursor)) if users_sql is not None else []
        if nothing_to_do or not users:
            session.end_use(work.id, use)
            return found
        session.wait_used(work.id, use, users)


def _is_described(work: StepWork, found: FoundIndex, want: Wanted) -> bool:
    settings = dict(work.script.settings)
    if not index.may_be_described(found, want, settings.get("default_tablespace", "")):
        return False
    try:
        probe = index.probe_sql(found, want)
    except (ParseError, ValueError, StopIteration):
        return index.is_alike(found, want, None)
    return index.is_alike(found, want, work.session.work.probe(work.script, probe))


def _is_ours_to_drop(work: StepWork, want: Wanted, found: FoundIndex) -> bool:
    """Whether what bears the name is a half-built index on the right table."""
    if not found.is_index or found.table != want.table:
        raise Refused(
            f"{want.index} is there, but is not an index on {want.table}",
            where=work.script.at(want.statement.line),
            hint="look who made it; rename or drop it, then run again",
        )
    return not found.finished


def _drop(work: StepWork, want: Wanted) -> None:
    found = _look_alone(work, want)
    resumed = work.row is not None or work.attempts > 1
    if found is None and (resumed or work.session.run.direction == "rollback"):
        return  # a crash came after it was dropped, or before the way forward had built it
    _send(work, want.statement)


def _dropping(want: Wanted) -> Statement:
    text = f"DROP INDEX CONCURRENTLY {want.index.sql}"
    return Statement(text, want.statement.line, "DropStmt")


def _send(work: StepWork, statement: Statement) -> None:
    """Run a statement outside any transaction, under the script's own settings."""
    try:
        work.session.work.send(work.script, work.id, statement.text)
    except psycopg.Error as error:
        raise SqlFailed(error, work.script, statement) from error


def _tidy(work: StepWork, want: Wanted, failure: SqlFailed) -> None:
    """Drop the invalid index that a failed build leaves behind, so that nothing half-made stays."""
    if work.session.lost(failure.error) or not want.creates or work.session.context.stop():
        return  # the next run looks again
    if failure.error.sqlstate == DUPLICATE_TABLE:
        return  # what bears the name is another's
    with contextlib.suppress(psycopg.Error, SqlFailed):
        found = _look(work, want)
        if found and found.table == want.table and not found.finished:
            _send(work, _dropping(want))
