"""Engines that are wrong in ways that real ones are: the runner, changed where it is loaded.

Each defect is a function without arguments that changes `harness.runner` in the process that calls
it: a ground's `prepare` names it as `engine_defects:NAME`. Nothing here is part of the product.
A defect that no exploration catches means that the exploration is blind.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.numeric import Int8

from harness.core.errors import HarnessError
from harness.plan import Script, Statement
from harness.runner import (
    backward,
    batch_step,
    claim,
    concurrent_step,
    forward,
    ledger,
    ledger_statements,
    lock,
    retry,
    steps,
    transaction_step,
)
from harness.runner.connection import connect
from harness.runner.index import Wanted
from harness.runner.ledger import Checkpoint, Ledger
from harness.runner.lock import Backend
from harness.runner.session import RunnerSession
from harness.runner.step_work import SqlFailed, StepWork, changed

Defect = Callable[[], None]
Reaction = Callable[[RunnerSession, Checkpoint], None]
COUNT_AGAIN = sql.SQL(
    "UPDATE migration_control.run AS r SET (steps_begun, steps_done) = (SELECT"
    " pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE s.state = 'done')"
    " FROM migration_control.step AS s WHERE s.run_id = r.id) WHERE r.id = {};"
)
write_checkpoint = ledger_statements.checkpoint_sql  # as it is, whatever is put in its place


def change(owner: Any, **attributes: object) -> None:
    """Put something else in the place of what must be there."""
    for name, value in attributes.items():
        assert hasattr(owner, name), f"{owner} has no {name}: the engine has changed"
        setattr(owner, name, value)


# --- the checkpoint


def checkpoint_outside_the_transaction() -> None:
    """Commits the work, and the checkpoint in a second transaction right after it."""
    commit = RunnerSession.commit

    def twice(self: RunnerSession, *rows: sql.Composed) -> None:
        commit(self)
        if rows:
            commit(self, sql.Composed([sql.SQL("BEGIN;")]), *rows)

    change(RunnerSession, commit=twice)


def last_key_stored_before_the_batch() -> None:
    """Commits how far a batch will come, then does the batch in a transaction of its own."""

    def batch(work: StepWork, size: int, at: Any) -> bool:
        session, script = work.session, work.script
        statement: Statement | None = script.statements[0]
        try:
            query = batch_step._upto(work, size, at)
            with session.transaction(work.id, script, query) as answer:
                upto, count, _, at.goal = batch_step._range(answer.fetchone())
                state = "running" if count == size else "done"
                if upto is None:
                    session.checkpoint(batch_step._checkpoint(work, "done", at))
                    return True
                reached = batch_step.BatchPosition(upto, at.rows + count, at.batches + 1)
                session.checkpoint(batch_step._checkpoint(work, state, reached))
            bounds: dict[str, object] = {"after": Int8(at.last_key), "upto": Int8(upto)}
            with session.transaction(work.id, script):
                for statement in script.statements:
                    changed(session.work.execute(statement.text.encode(), bounds))
                session.commit()
        except psycopg.Error as error:
            raise SqlFailed(error, script, statement) from error
        at.last_key, at.rows, at.batches = upto, reached.rows, reached.batches
        return state == "done"

    change(batch_step, _batch=batch)


def batch_bound_is_exclusive() -> None:
    """Bounds a batch by `<` its last key where `<=` is right: one row of each range is left out."""
    _change_scripts(lambda script: _rewritten(script, "<= %(upto)s", "< %(upto)s"))


def resumed_batch_repeats_its_last_key() -> None:
    """Resumes a batch step at the last key that was done, for the first after it."""
    run = batch_step.run

    def one_too_early(work: StepWork) -> int:
        if work.row is not None and work.row.last_key is not None:
            work.row = dataclasses.replace(work.row, last_key=work.row.last_key - 1)
        return run(work)

    steps.RUNNERS["batch"] = one_too_early


# --- indexes


def if_not_exists_after_a_concurrent_index() -> None:
    """Creates an index CONCURRENTLY IF NOT EXISTS: what bears the name is believed to be it."""

    def create(work: StepWork, want: Wanted) -> None:
        text = want.statement.text.replace("CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS", 1)
        concurrent_step._send(work, dataclasses.replace(want.statement, text=text))

    def leave(work: StepWork, want: Wanted, failure: SqlFailed) -> None:
        """Such an engine does not look at what a failed build left."""

    change(concurrent_step, _create=create, _tidy=leave)


# --- one runner at a time


def no_advisory_lock() -> None:
    """Takes no lock: whoever comes begins."""
    change(lock, acquire=lambda *_: None)


def no_fence() -> None:
    """Takes the lock, but neither ends the backend of the run it takes over nor compares epochs.

    So what a dead or paused runner left under way goes on beside its successor.
    """
    _forget_the_fence()
    change(claim, settle_ledger=lambda session: ledger.read(session.lock))


def unhandled_sigstop() -> None:
    """Keeps its lock by a lease that nothing enforces: a runner silent for too long is replaced.

    It is not ended, its connections are left alone, and when it wakes up it does not look whether
    it still is the one: the runner that was paused writes on.
    """
    lapsed: set[Backend] = set()
    attempt = lock._try

    def let_be(_conn: Any, backend: Backend, _patience: float) -> bool:
        lapsed.add(backend)
        return False

    _forget_the_fence()
    change(lock, end=let_be, _try=lambda conn: bool(lapsed) or attempt(conn))


def _forget_the_fence() -> None:
    change(ledger_statements, fence_sql=lambda *_: sql.Composed([sql.SQL("SELECT 1, NULL::text;")]))


# --- lost connections and unknown commits


def retry_without_reading_again() -> None:
    """Goes on after a lost connection from what it remembers, without reading the ledger again."""
    remembered: dict[int, dict[str, Checkpoint]] = {}
    settled = claim.settle_ledger

    def remember(row: Checkpoint) -> None:
        remembered.setdefault(row.run_id, {})[row.step] = row

    def recalled(session: RunnerSession) -> Ledger:
        found = settled(session)
        if session.context.claimed is None:
            remembered.update({number: dict(rows) for number, rows in found.steps.items()})
            return found
        number = session.context.claimed[0]
        return dataclasses.replace(found, steps={**found.steps, number: remembered.get(number, {})})

    _watch_commits(heard=remember)
    change(claim, settle_ledger=recalled)


def unknown_commit_taken_for_done() -> None:
    """Records a step as done when the connection was lost at its commit: it was sent, after all."""

    def believe(session: RunnerSession, row: Checkpoint) -> None:
        _on_a_new_connection(session, row.run_id, write_checkpoint(row))

    _watch_commits(lost=believe)


def unknown_commit_taken_for_failed() -> None:
    """Takes a step's checkpoint back when the connection was lost at its commit: do it again."""
    heard: dict[tuple[int, str], Checkpoint] = {}

    def disbelieve(session: RunnerSession, row: Checkpoint) -> None:
        forget = sql.SQL("DELETE FROM migration_control.step WHERE run_id = {} AND step = {};")
        statement = forget.format(sql.Literal(row.run_id), sql.Literal(row.step))
        earlier = heard.get((row.run_id, row.step))
        if earlier is not None:
            statement += write_checkpoint(earlier)
        _on_a_new_connection(session, row.run_id, statement)

    _watch_commits(lost=disbelieve, heard=lambda row: heard.update({(row.run_id, row.step): row}))


def _watch_commits(
    *, lost: Reaction | None = None, heard: Callable[[Checkpoint], None] | None = None
) -> None:
    """Call `heard` for each checkpoint whose commit was answered, `lost` where it is unknown."""
    written: list[Checkpoint] = []
    begin, commit = RunnerSession.__init__, RunnerSession.commit

    def note(row: Checkpoint) -> sql.Composed:
        written[:] = [row]
        return write_checkpoint(row)

    def watched(self: RunnerSession, *rows: sql.Composed) -> None:
        row = written.pop() if written else None
        try:
            commit(self, *rows)
        except psycopg.Error as error:
            if row is not None and lost is not None and self.lost(error):
                lost(self, row)
            raise
        if row is not None and heard is not None:
            heard(row)

    def remember_where(self: RunnerSession, dsn: str, context: Any) -> None:
        self.context = context
        self.__dict__["dsn"] = dsn
        begin(self, dsn, context)

    change(RunnerSession, __init__=remember_where, commit=watched)
    change(ledger_statements, checkpoint_sql=note)
    change(transaction_step, checkpoint_sql=note)


def _on_a_new_connection(session: RunnerSession, run_id: int, statement: sql.Composed) -> None:
    """Write to the ledger what is believed, if the server can be reached."""
    with suppress(psycopg.Error, HarnessError):
        conn = connect(session.__dict__["dsn"], "belief")
        with conn, conn.transaction():
            conn.execute("SET LOCAL lock_timeout = '2s'")
            conn.execute(statement)
            conn.execute(COUNT_AGAIN.format(sql.Literal(run_id)))


# --- resume


def resume_skips_a_begun_step() -> None:
    """Resumes after the last step that the ledger knows, whether it was finished or not."""
    _skip_on_resume(lambda row: row.state != "done")


def resume_skips_a_failed_step() -> None:
    """Records the step that failed as its position, and resumes after it."""
    note = retry.note_failure

    def with_position(work: StepWork, message: str) -> None:
        with suppress(psycopg.Error), work.session.transaction(work.id):
            work.session.checkpoint(work.checkpoint("running", rows=-1))
        note(work, message)

    change(retry, note_failure=with_position)
    _skip_on_resume(lambda row: row.rows == -1)


def _skip_on_resume(skipped: Callable[[Checkpoint], bool]) -> None:
    run_step = steps.run_step

    def skipping(
        session: RunnerSession,
        step: str,
        position: int,
        script: Script,
        done: dict[str, Checkpoint],
        watch: Any = None,
    ) -> None:
        row = done.get(step)
        if row is None or not skipped(row):
            run_step(session, step, position, script, done, watch)

    change(forward, run_step=skipping)
    change(backward, run_step=skipping)


# --- rollback


def rollback_forgets_privileges() -> None:
    """Rolls back shapes and rows, but no GRANT or REVOKE."""
    _forget_on_the_way_back("GrantStmt", "GRANT|REVOKE")


def rollback_forgets_policies() -> None:
    """Rolls back shapes and rows, but no row-level policy."""
    _forget_on_the_way_back("(Create|Alter|Drop)(Policy)?Stmt", r"(CREATE|ALTER|DROP) POLICY")


def rollback_forgets_a_sequence() -> None:
    """Rolls back shapes and rows, but not where a sequence stands and how it counts."""
    _forget_on_the_way_back("AlterSeqStmt|SelectStmt", "ALTER SEQUENCE|SELECT setval")


def rollback_forgets_a_comment() -> None:
    """Rolls back shapes and rows, but no COMMENT."""
    _forget_on_the_way_back("CommentStmt", "COMMENT ON")


def _rollback_forgets_rights() -> None:
    rollback_forgets_privileges()
    rollback_forgets_policies()


def _rollback_forgets_the_rest() -> None:
    rollback_forgets_a_sequence()
    rollback_forgets_a_comment()


def _forget_on_the_way_back(tag: str, words: str) -> None:
    def forgotten(statement: Statement) -> bool:
        return bool(re.fullmatch(tag, statement.tag) and re.match(words, statement.text))

    def forgetful(script: Script) -> Script:
        kept = tuple(one for one in script.statements if not forgotten(one))
        return dataclasses.replace(script, statements=kept)

    _change_scripts(forgetful, back=True)


def _rewritten(script: Script, old: str, new: str) -> Script:
    changed_ones = tuple(
        dataclasses.replace(one, text=one.text.replace(old, new)) for one in script.statements
    )
    return dataclasses.replace(script, statements=changed_ones)


def _change_scripts(rewrite: Callable[[Script], Script], *, back: bool = False) -> None:
    """Let the engine execute something else than the plan says; its files' hashes stay."""
    for module in (backward,) if back else (forward, backward):
        change(module, run_step=_rewriting(module.run_step, rewrite))


def _rewriting(
    run_step: Callable[..., None], rewrite: Callable[[Script], Script]
) -> Callable[..., None]:
    def changed_step(
        session: RunnerSession,
        step: str,
        position: int,
        script: Script,
        done: dict[str, Checkpoint],
        watch: Any = None,
    ) -> None:
        run_step(session, step, position, rewrite(script), done, watch)

    return changed_step
