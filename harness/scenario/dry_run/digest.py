"""From looks and samples to what a step did: a function of what was recorded, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from harness.database.locks import strength_of_mode
from harness.plan import Script
from harness.runner.step_work import shortened
from harness.scenario.dry_run.look import Look
from harness.scenario.dry_run.model import LockSeen, StatementSeen

Key = tuple[str, str]


@dataclass
class _Statement:
    seconds: float = 0.0
    wal: int = 0
    runs: int = 0
    locks: set[Key] = field(default_factory=set)
    rewritten: set[str] = field(default_factory=set)
    read: dict[str, int] = field(default_factory=dict)


@dataclass
class _Lock:
    seconds: float = 0.0
    rewrites: bool = False
    read: int = 0
    changed: int = 0
    statement: int | None = None


class Digest:
    """What looks told of one step. `spent` is what the looks themselves took of its time."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self.statements: dict[int, _Statement] = {}
        self.locks: dict[Key, _Lock] = {}
        self.seconds, self.looks = 0.0, len(looks)
        self.spent = sum((look.ended - look.began).total_seconds() for look in looks)
        self.wal_spent = sum(look.wal_ended - look.wal_began for look in looks)
        for _, group in groupby(looks, key=lambda look: look.transaction):
            self._transaction(list(group))

    def _transaction(self, looks: list[Look]) -> None:
        taken: dict[Key, float] = {}
        elapsed = 0.0
        for before, after in pairwise(looks):
            seconds = (after.began - before.ended).total_seconds()
            statement = self.statements.setdefault(after.statement, _Statement())
            statement.seconds += seconds
            statement.wal += after.wal_began - before.wal_ended
            statement.runs += 1
            self._step(before, after, statement)
            for relation, mode, *_ in after.seen:
                taken.setdefault((relation, mode), elapsed)
            elapsed += seconds
        self.seconds += elapsed
        for key, since in taken.items():
            lock = self.locks[key]
            lock.seconds = max(lock.seconds, elapsed - since)

    def _step(self, before: Look, after: Look, statement: _Statement) -> None:
        """What changed from one look to the next."""
        had = {(relation, mode) for relation, mode, *_ in before.seen}
        new_before = {relation for relation, _, written, *_ in before.seen if written}
        read_before = {relation: read for relation, _, _, read, _ in before.seen}
        for relation, mode, written, read, changed in after.seen:
            lock = self.locks.setdefault((relation, mode), _Lock())
            lock.changed = max(lock.changed, changed or 0)
            if (relation, mode) not in had:
                statement.locks.add((relation, mode))
                if lock.statement is None:
                    lock.statement = after.statement
            if written and relation not in new_before:
                statement.rewritten.add(relation)
                lock.rewrites = True
            more = (read or 0) - (read_before.get(relation) or 0)
            if more > 0:
                statement.read[relation] = max(statement.read.get(relation, 0), more)
                lock.read += more


def statements(script: Script, digest: Digest) -> tuple[StatementSeen, ...]:
    """Each statement of a script, with what was seen of it."""
    found = []
    for number, statement in enumerate(script.statements, 1):
        seen = digest.statements.get(number)
        plain = StatementSeen(statement.line, statement.tag, shortened(statement.text))
        if seen is not None:
            plain = StatementSeen(
                plain.line,
                plain.tag,
                plain.text,
                seconds=seen.seconds,
                wal_bytes=max(seen.wal, 0),
                runs=seen.runs,
                locks=tuple(sorted(seen.locks)),
                rewritten=tuple(sorted(seen.rewritten)),
                read=tuple(sorted(seen.read.items())),
            )
        found.append(plain)
    return tuple(found)


def locks(
    script: Script, digest: Digest, seconds: float, sampled: Mapping[Key, float], counts: bool
) -> tuple[LockSeen, ...]:
    """Every lock of a step, the strongest first: what was held at its end, and what samples saw.

    What a transaction step took beside its statements is added to each lock that was held at its
    end: the commit lies in it. `seconds` is 0 where pauses lie in it too.
    """
    tail = max(0.0, seconds - digest.seconds)
    found = []
    for key in {*digest.locks, *sampled}:
        held = digest.locks.get(key)
        length = held.seconds + tail if held else sampled[key]
        number = held.statement if held else None
        if number is None and len(script.statements) == 1:
            number = 1
        found.append(
            LockSeen(
                relation=key[0],
                mode=key[1],
                seconds=length,
                rewrites=held is not None and held.rewrites,
                rows_read=(held.read if held else 0) if counts else None,
                rows_changed=held.changed if held else 0,
                line=script.statements[number - 1].line if number else None,
            )
        )
    return tuple(sorted(found, key=lambda one: (-strength_of_mode(one.mode), one.relation)))
