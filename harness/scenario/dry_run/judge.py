"""What a dry run's evidence comes to: a function of the evidence, which touches no database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from harness.core.finding import Finding
from harness.database.locks import blocked_by_mode, words_of_mode
from harness.document.base import Word
from harness.plan import DryRunRules
from harness.scenario.dry_run.model import (
    Evidence,
    LockSeen,
    Ran,
    StatementSeen,
    StepSeen,
)

SCHEMA_CHANGES: Final = ("AlterTableStmt", "AlterDomainStmt", "IndexStmt", "ReindexStmt")
"""What the server reads for these can be had without stopping users."""
BETTER: Final = {
    "cannot use subquery in check constraint": "a CHECK sees its own row alone; use a trigger",
    "cannot use subquery in index predicate": "an index sees its own row alone",
}
"""What Postgres says without a hint -> the hint."""
SLEEP: Final = re.compile(r"\bpg_sleep(?:_for|_until)?\s*\(", re.I)
SHOWN: Final = 10  # differences that one finding repeats


def findings(evidence: Evidence, rules: DryRunRules) -> tuple[Finding, ...]:
    """Everything that must be mended before the plan may run, then what is good to know."""
    found = [*evidence.notes]
    for run in evidence.runs:
        found += _troubles(run)
        for step in run.steps:
            found += _step(step, rules)
    found += _way_back(evidence)
    order = {"critical": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda one: order[one.severity]))


def verdict(found: Sequence[Finding], evidence: Evidence) -> Word:
    """fail by a critical finding; unknown when something could not be seen; else pass."""
    if any(finding.severity == "critical" for finding in found):
        return "fail"
    unseen = any(lock.rows_read is None for step in evidence.steps for lock in step.locks)
    unproven = evidence.goes_back and evidence.differences is None
    if unproven or unseen or any(f.severity == "warning" for f in found):
        return "unknown"
    return "pass"


def _troubles(run: Ran) -> Iterator[Finding]:
    trouble = run.trouble
    if trouble is None:
        return
    failed = trouble.sqlstate is not None
    yield Finding(
        "dry-run.step-failed" if failed else "dry-run.refused",
        "critical",
        trouble.where or run.direction,
        trouble.message,
        next(
            (hint for said, hint in BETTER.items() if said in trouble.message), trouble.hint or ""
        ),
        "\n".join(
            f"{name}: {value}"
            for name, value in (("SQLSTATE", trouble.sqlstate), ("statement", trouble.statement))
            if value
        ),
    )


def _step(step: StepSeen, rules: DryRunRules) -> Iterator[Finding]:
    own_reading: list[tuple[str, int]] = []
    for statement in step.statements:
        locked = _locked(step, statement)
        if locked and SLEEP.search(statement.text):
            yield _sleep(step, statement, locked)
        for relation in statement.rewritten:
            if relation in locked:
                rows = dict(statement.read).get(relation)
                yield _by_size(rows, _rewrite(step, statement, locked[relation]), rules)
        for relation, rows in statement.read:
            if relation not in locked or relation in statement.rewritten:
                continue
            if statement.tag in SCHEMA_CHANGES:
                yield _by_size(rows, _scan(step, statement, locked[relation], rows), rules)
            else:
                text = f"line {statement.line}: {rows:,} rows of {relation}"
                own_reading.append((text, rows))
    if own_reading:
        yield _reading(step, own_reading, rules)
    yield from _lengths(step, rules)
    yield from _one_transaction(step, rules)


def _by_size(rows: int | None, finding: Finding, rules: DryRunRules) -> Finding:
    """What is done to a table of a few rows is over before users notice; what is long is told by
    the length of its lock."""
    if rows is None or rows >= rules.small_rows:
        return finding
    limit = f"fewer than [dry_run] small_rows = {rules.small_rows:,}"
    few = f"{rows:,} row{'' if rows == 1 else 's'} only, {limit}"
    return replace(finding, severity="info", evidence=f"{finding.evidence}\n{few}")


def _locked(step: StepSeen, statement: StatementSeen) -> dict[str, LockSeen]:
    """What stops users of a relation while a statement runs: the strongest lock taken by then."""
    held = [lock for lock in step.locks if blocked_by_mode(lock.mode)]
    held = [lock for lock in held if lock.line is None or lock.line <= statement.line]
    return {lock.relation: lock for lock in reversed(held)}


def _lengths(step: StepSeen, rules: DryRunRules) -> Iterator[Finding]:
    for lock in _longest(step.locks):
        if lock.seconds > rules.max_lock:
            yield _held(step, lock, rules)
    for retry in step.retries:
        yield Finding(
            "dry-run.retry",
            "info",
            step.id,
            f"{step.direction}: tried again: {retry}",
            "look whether something else uses the copy's server",
        )


def _longest(locks: Iterable[LockSeen]) -> list[LockSeen]:
    """Of each relation the lock that stops users longest."""
    best: dict[str, LockSeen] = {}
    for lock in sorted(locks, key=lambda one: one.seconds):
        if lock.stops:
            best[lock.relation] = lock
    return list(best.values())


def _rewrite(step: StepSeen, statement: StatementSeen, lock: LockSeen) -> Finding:
    return Finding(
        "dry-run.rewrite",
        "critical",
        f"{step.file}:{statement.line}",
        f"{step.id} {step.direction} writes {lock.relation} anew while {lock.stops} wait",
        "add a column, fill it in batches, then swap the names",
        _evidence(statement, lock),
    )


def _scan(step: StepSeen, statement: StatementSeen, lock: LockSeen, rows: int) -> Finding:
    identity = "dry-run.scan-under-lock"
    hint = "add the constraint NOT VALID, and validate it in a step of its own"
    if statement.tag == "IndexStmt":
        identity, hint = "dry-run.index-stops-writers", "make it a concurrent step of its own"
    return Finding(
        identity,
        "critical",
        f"{step.file}:{statement.line}",
        f"{step.id} {step.direction} reads {rows:,} rows of {lock.relation} while {lock.stops} of"
        " users wait",
        hint,
        _evidence(statement, lock),
    )


def _reading(step: StepSeen, read: list[tuple[str, int]], rules: DryRunRules) -> Finding:
    """The plan's own reading under a lock: a rollback may have to, the way there need not."""
    many = any(rows > rules.small_rows for _, rows in read)
    return Finding(
        "dry-run.reads-under-lock",
        "critical" if many and step.direction == "forward" else "info",
        f"{step.file}:{read[0][0].removeprefix('line ').partition(':')[0]}",
        f"{step.id} {step.direction} reads whole tables under a lock that stops users",
        "it takes longer on larger tables; read before the lock, or dry-run on a database of full"
        " size",
        "\n".join(text for text, _ in read),
    )


def _sleep(step: StepSeen, statement: StatementSeen, locked: dict[str, LockSeen]) -> Finding:
    return Finding(
        "dry-run.sleeps",
        "critical",
        f"{step.file}:{statement.line}",
        f"{step.id} {step.direction} sleeps while users of {', '.join(sorted(locked))} wait",
        "leave the sleep out; the runner paces a plan by its throttles",
        statement.text,
    )


def _one_transaction(step: StepSeen, rules: DryRunRules) -> Iterator[Finding]:
    """Rows of users that one transaction changes stay locked until its end."""
    if step.kind != "transaction" or step.direction != "forward":
        return
    for lock in step.locks:
        if lock.rows_changed > rules.small_rows:
            yield Finding(
                "dry-run.one-transaction",
                "critical",
                f"{step.file}:{lock.line}" if lock.line else step.id,
                f"{step.id} changes {lock.rows_changed:,} rows of {lock.relation} in one"
                " transaction; who writes one of them waits for its end",
                "make it a batch step of its own",
                f"{words_of_mode(lock.mode)} on {lock.relation} for {lock.seconds:.3f} s",
            )


def _held(step: StepSeen, lock: LockSeen, rules: DryRunRules) -> Finding:
    """Rows of a batch are no more than told: the runner makes the next batches smaller."""
    rows_of_a_batch = step.kind == "batch" and not blocked_by_mode(lock.mode)
    return Finding(
        "dry-run.lock-held",
        "info" if rows_of_a_batch else "critical",
        f"{step.file}:{lock.line}" if lock.line else step.id,
        f"{step.id} {step.direction} keeps {lock.stops} of {lock.relation} waiting for"
        f" {lock.seconds:.2f} s, allowed are {rules.max_lock:g} s",
        "take the lock later in the step, or make the step smaller",
        f"{words_of_mode(lock.mode)} on {lock.relation} for {lock.seconds:.3f} s",
    )


def _evidence(statement: StatementSeen, lock: LockSeen) -> str:
    return (
        f"{statement.text}\n{words_of_mode(lock.mode)} on {lock.relation} for {lock.seconds:.3f} s,"
        f" {statement.wal_bytes or 0:,} bytes of WAL"
    )


def _way_back(evidence: Evidence) -> Iterator[Finding]:
    if evidence.differences is None and evidence.goes_back:
        yield Finding(
            "dry-run.way-back-unknown",
            "warning",
            "rollback",
            f"whether the rollback restores everything was not proven: {evidence.why_not}",
            "dry-run a database that is not migrated",
        )
    unexplained = evidence.unexplained
    if unexplained:
        yield Finding(
            "dry-run.way-back",
            # Settings and privileges of the database are no part of what is in it.
            "warning" if set(unexplained) <= set(evidence.around) else "critical",
            "rollback",
            f"after the rollback {len(unexplained)} things are not as before",
            "make the rollback undo exactly what its step did",
            _shown(unexplained),
        )
    for left in evidence.left:
        stays = f"; {left.stays} stays" if left.stays else ""
        yield Finding(
            "dry-run.irreversible",
            "info",
            left.step,
            f"declared irreversible: {left.reason}{stays}",
            "read what it left: nothing else brings that back",
            _shown(left.differences) or "it left nothing",
        )


def _shown(differences: Sequence[str]) -> str:
    more = len(differences) - SHOWN
    return "\n".join([*differences[:SHOWN], *([f"{more} more"] if more > 0 else [])])
