"""Who waited for the migration: two witnesses, the clients' clock and the server's log.

A victim is an operation of the workload that waited for a lock. The log says for how long, who held
the lock, and who queued ahead; the step is the one whose work the wait fell into. The holder is
the culprit; that it waited behind a queue is said apart, since who queues keeps nobody waiting
by himself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from harness.traffic.history import History, Operation, StepWindow, WorkloadSession
from harness.traffic.server_log import LockWait, ServerLog
from harness.traffic.spans import Spans

SLACK: Final = 0.02  # seconds by which the two clocks may differ
RUNNER: Final = "harness "  # how the names of a runner's sessions begin
_RELATION: Final = re.compile(r"relation (\d+) of database \d+")
Starved: TypeAlias = Callable[[int, float, float], float]
NOBODY: Final = "a session that is gone"


@dataclass(frozen=True)
class Victim:
    """An operation that waited: how long by the log, how long it took by the client.

    `blocker` held the lock; `behind` is the runner's statement that queued ahead, if one did.
    `step` is empty where the wait fell into no step. `since` is when it began to wait, `starved`
    how long whoever it waited for had no core meanwhile, `session` the process of the runner's.
    """

    client: int
    operation: str
    kind: str
    table: str
    direction: str
    step: str
    step_kind: str
    waited: float
    took: float | None
    lock: str
    blocker: str
    by_runner: bool
    behind: str = ""
    statement: str = ""
    since: float = 0.0
    starved: float = 0.0
    session: int | None = None


@dataclass(frozen=True)
class Witnesses:
    """The victims, and where the two witnesses do not agree."""

    victims: Sequence[Victim] = ()
    disagreements: Sequence[str] = ()
    waits: int = 0


@dataclass
class _Clients:
    """The workload by backend: which client it served when, and what that client did."""

    sessions: dict[int, list[WorkloadSession]] = field(default_factory=dict)
    operations: dict[int, list[Operation]] = field(default_factory=dict)

    def client(self, pid: int, at: float) -> int | None:
        """The client whose session a backend was at a moment."""
        found = [one for one in self.sessions.get(pid, ()) if one.since <= at + SLACK]
        return found[-1].client if found else None

    def operation(self, client: int, begun: float, ended: float) -> Operation | None:
        """What a client was doing between two moments."""
        every = self.operations.get(client, [])
        place = bisect_right(every, begun + SLACK, key=lambda one: one.sent)
        one = every[place - 1] if place else None
        if one is None or (one.answered is not None and one.answered + SLACK < ended):
            return None
        return one


def find_victims(
    history: History,
    log: ServerLog,
    relations: Mapping[str, str] | None = None,
    starved: Starved = lambda _pid, _begun, _ended: 0.0,
) -> Witnesses:
    """Every operation that waited for a lock, attributed to step, statement and blocker.

    `relations` are names by oid: the log has no names. `starved` says how long a process had no
    core between two moments.
    """
    clients = _Clients()
    for session in sorted(history.sessions, key=lambda one: one.since):
        clients.sessions.setdefault(session.pid, []).append(session)
    for done in sorted(history.operations, key=lambda one: one.sent):
        clients.operations.setdefault(done.client, []).append(done)
    statements, work = _statements(log), _Work.of(history.steps)
    victims, disagreements, count = [], [], 0
    for logged in log.waits:
        wait = replace(logged, target=name_target(logged.target, relations or {}))
        begun, ended = wait.begun - history.epoch, wait.ended - history.epoch
        client = clients.client(wait.pid, begun)
        if client is None:
            continue
        count += 1
        operation = clients.operation(client, begun, ended)
        if operation is None:
            disagreements.append(
                f"the log has client {client} wait {1000 * wait.seconds:.0f} ms for {wait.target},"
                " and no operation of that client took as long"
            )
            continue
        step = work.step(begun, ended)
        victim = _victim(operation, wait, step, log.applications, statements)
        lacked = max(
            (starved(pid, begun, ended) for pid in (*wait.holders, *wait.ahead)), default=0.0
        )
        victims.append(replace(victim, since=begun, starved=lacked))
    return Witnesses(victims, disagreements, count)


def _victim(
    operation: Operation,
    wait: LockWait,
    step: StepWindow | None,
    names: Mapping[int, str],
    statements: Mapping[int, str],
) -> Victim:
    answered = operation.answered
    behind = next((pid for pid in wait.ahead if names.get(pid, "").startswith(RUNNER)), None)
    runner = next((pid for pid in wait.holders if names.get(pid, "").startswith(RUNNER)), None)
    holder = runner if runner is not None else next(iter(wait.holders), None)
    return Victim(
        client=operation.client, operation=operation.name, kind=operation.kind,
        table=operation.table,
        direction=step.direction if step else "", step=step.step if step else "",
        step_kind=step.kind if step else "",
        waited=wait.seconds, took=None if answered is None else answered - operation.sent,
        lock=f"{wait.mode} on {wait.target}",
        blocker=NOBODY if holder is None else names.get(holder, f"process {holder}"),
        by_runner=runner is not None or behind is not None,
        behind="" if behind is None else statements.get(behind, names[behind]),
        statement=wait.statement, session=runner if runner is not None else behind,
    )  # fmt: skip


def name_target(target: str, relations: Mapping[str, str]) -> str:
    """What a lock is on, by the name of the relation where it is known."""
    found = _RELATION.search(target)
    name = relations.get(found[1]) if found else None
    return target.replace(found[0], name) if found and name else target


def _statements(log: ServerLog) -> dict[int, str]:
    """The statement that each backend waited with last."""
    return {wait.pid: wait.statement for wait in log.waits if wait.statement}


@dataclass(frozen=True)
class _Work:
    """The steps in the order of time, and when each was at work."""

    steps: Sequence[StepWindow]
    spans: Spans

    @classmethod
    def of(cls, steps: Sequence[StepWindow]) -> _Work:
        ordered = sorted(steps, key=lambda step: (step.begun, step.done))
        return cls(ordered, Spans.of((step.begun, step.done) for step in ordered))

    def step(self, begun: float, ended: float) -> StepWindow | None:
        """The step whose work overlaps most with a time; None where none does."""
        best, most = None, 0.0
        for place in self.spans.meeting(begun - SLACK, ended + SLACK):
            step = self.steps[place]
            overlap = min(ended, step.done + SLACK) - max(begun, step.begun - SLACK)
            if overlap > most:
                best, most = step, overlap
        return best


def waited_by_step(
    victims: Sequence[Victim], *, undisturbed: bool = False
) -> dict[tuple[str, str], float]:
    """The longest that one client waited for the locks of one transaction, by direction and step.

    A runner has a session for each transaction: what a client waited for two batches is no sum.
    With `undisturbed` without the time for which those it waited for had no core.
    """
    sums: dict[tuple[str, str, int, int | None], float] = {}
    for victim in victims:
        if victim.by_runner and victim.step:
            key = (victim.direction, victim.step, victim.client, victim.session)
            waited = victim.waited - (victim.starved if undisturbed else 0.0)
            sums[key] = sums.get(key, 0.0) + waited
    longest: dict[tuple[str, str], float] = {}
    for (direction, step, _, _), seconds in sums.items():
        longest[direction, step] = max(seconds, longest.get((direction, step), 0.0))
    return longest
