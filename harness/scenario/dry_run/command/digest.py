"""From what was recorded of a foreign run to steps: what leads to one commit is one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from harness.core.direction import StepDirection
from harness.database.locks import blocked_by_mode, strength_of_mode
from harness.runner.step_work import shortened
from harness.scenario.dry_run.command import statements
from harness.scenario.dry_run.command.catalog import Held, RelationSeen
from harness.scenario.dry_run.command.wire_watch import Sent
from harness.scenario.dry_run.model import LockSeen, StatementSeen, StepSeen

EXCLUSIVE: Final = "AccessExclusiveLock"


@dataclass(frozen=True)
class CommitSpan:
    """What leads to one commit, and the relations before it and after it.

    `sampled` has how long samples saw each lock, `log` the bytes that were written.
    """

    step: str
    first: int
    sent: tuple[Sent, ...]
    before: Mapping[int, RelationSeen]
    after: Mapping[int, RelationSeen]
    sampled: Mapping[Held, float]
    log: int


def step_of(stretch: CommitSpan, direction: StepDirection, began: float, file: str) -> StepSeen:
    """The step as a dry run tells it. `began` is the moment of the run's first."""
    sent, rewritten = stretch.sent, _rewritten(stretch)
    found = tuple(_statements(stretch, rewritten))
    alone = len(sent) == 1 and any(map(statements.is_concurrent, sent[0].texts))
    return StepSeen(
        id=stretch.step,
        direction=direction,
        kind="concurrent" if alone else "transaction",
        file=file,
        began=sent[0].began - began,
        seconds=sum(one.seconds for one in sent),
        rows=sum(statements.rows_written(one.tags) for one in sent),
        wal_bytes=stretch.log,
        temp_bytes=0,
        done=True,
        statements=found,
        locks=_locks(stretch, rewritten),
    )


def _texts(stretch: CommitSpan) -> Iterator[tuple[int, str, Sent]]:
    """Every statement with its number in the run, from one."""
    number = stretch.first
    for one in stretch.sent:
        for text in one.texts:
            yield number, text, one
            number += 1


def _rewritten(stretch: CommitSpan) -> dict[str, int]:
    """Relations that have another file than before, with the statement that may have done it."""
    found: dict[str, int] = {}
    for oid, old in stretch.before.items():
        new = stretch.after.get(oid)
        if new is None or not old.bytes or new.node == old.node:
            continue
        texts = [(n, t) for n, t, _ in _texts(stretch) if statements.tag_of(t)
                 in statements.REWRITING]  # fmt: skip
        named = [n for n, text in texts if statements.mentions(text, old.name)]
        found[new.name] = (named or [n for n, _ in texts] or [stretch.first])[0]
    return found


def _statements(stretch: CommitSpan, rewritten: Mapping[str, int]) -> Iterator[StatementSeen]:
    known: set[str] = set()
    log = None
    for number, text, one in _texts(stretch):
        locks = {(stretch.before[oid].name, mode) for oid, mode in one.held
                 if oid in stretch.before}  # fmt: skip
        new = tuple(sorted({lock for lock in locks if repr(lock) not in known}))
        known |= {repr(lock) for lock in locks}
        wal, log = (None if log is None else max(0, one.log - log)), one.log
        yield StatementSeen(
            number,
            statements.tag_of(text),
            shortened(text),
            seconds=one.seconds / len(one.texts),
            wal_bytes=wal,
            runs=1,
            locks=new,
            rewritten=tuple(sorted(name for name, at in rewritten.items() if at == number)),
        )


@dataclass
class _LockHeld:
    seconds: float
    line: int
    changed: int = 0


def _locks(stretch: CommitSpan, rewritten: Mapping[str, int]) -> tuple[LockSeen, ...]:
    """Every lock on a relation that was there before, the strongest first."""
    found = _looked(stretch)
    lines = {number: one for number, _, one in _texts(stretch)}
    for (oid, mode), seconds in stretch.sampled.items():
        if oid in stretch.before:
            key = (stretch.before[oid].name, mode)
            held = found.setdefault(key, _LockHeld(seconds, stretch.first))
            held.seconds = max(held.seconds, seconds)
    for name, line in rewritten.items():  # it takes this lock, whether a sample saw it or not
        found.setdefault((name, EXCLUSIVE), _LockHeld(lines[line].seconds, line))
    seen = [
        LockSeen(name, mode, lock.seconds, rewrites=name in rewritten and mode == EXCLUSIVE,
                 rows_changed=lock.changed, line=lock.line)
        for (name, mode), lock in found.items()
    ]  # fmt: skip
    return tuple(sorted(seen, key=lambda one: (-strength_of_mode(one.mode), one.relation)))


def _looked(stretch: CommitSpan) -> dict[tuple[str, str], _LockHeld]:
    """Locks that were held between two statements, from the first of them to the end."""
    found: dict[tuple[str, str], _LockHeld] = {}
    since: dict[tuple[int, str, str], float] = {}
    for number, text, one in _texts(stretch):
        for oid, mode in one.held:
            if oid not in stretch.before:
                continue
            name = stretch.before[oid].name
            since.setdefault((one.backend, name, mode), one.began)
            lock = found.setdefault((name, mode), _LockHeld(0.0, number))
            if statements.mentions(text, name):
                lock.changed += statements.rows_changed(one.tags)
        ended = one.began + one.seconds
        for key in [key for key in since if key[0] == one.backend]:
            lock = found[key[1:]]
            lock.seconds = max(lock.seconds, ended - since[key])
            if one.status == "I":
                del since[key]
    return found


def with_reads(steps: tuple[StepSeen, ...], read: Mapping[str, int]) -> tuple[StepSeen, ...]:
    """The steps with rows that a run read, where a plain CREATE INDEX must have read them."""
    return tuple(replace(step, statements=tuple(_read_by(step, read))) for step in steps)


def _read_by(step: StepSeen, read: Mapping[str, int]) -> Iterator[StatementSeen]:
    for one in step.statements:
        names = [name for name in read if statements.mentions(one.text, name)]
        if statements.builds_index_under_lock(one.text) and names:
            one = replace(one, read=tuple((name, read[name]) for name in names))
        yield one


def unplaced(steps: tuple[StepSeen, ...], read: Mapping[str, int]) -> dict[str, int]:
    """Rows that were read of relations which the run locks against users: by which statement, and
    whether under that lock, is not seen from outside."""
    placed = {name for step in steps for one in step.statements for name, _ in one.read}
    stopped = {lock.relation for step in steps for lock in step.locks if blocked_by_mode(lock.mode)}
    return {name: rows for name, rows in read.items() if name in stopped - placed and rows}
