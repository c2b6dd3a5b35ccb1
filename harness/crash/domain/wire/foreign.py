"""Runs without checkpoints of ours, struck from their beginning at every message they send.

Such a run is not known from inside: it may have several connections and open others on its way. So
a message is named by its connection and its place there, and a step is what leads to one commit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import zip_longest

import psycopg

from harness.core.direction import DIRECTIONS, Direction
from harness.core.errors import HarnessError, InfrastructureError, StepFailed
from harness.crash.domain.wire.golden import commits, signature
from harness.crash.model import CoverageRow, Point, Task
from harness.crash.process_run import MessageWitness, StrikeAt, shortened, watched
from harness.crash.setup import Setup
from harness.crash.state import Oracle, StateVerdict, identify, settle, unlike_end
from harness.crash.tally import point_done
from harness.crash.templates import Templates, bench
from harness.database import admin
from harness.fault.frames import ANSWERED
from harness.fault.process import Ending
from harness.fault.proxy import Act
from harness.fault.strikes import Heard

CLOSING = "closing"
ENDING = "end"  # the step behind the last commit
FAULTS: dict[str, Act] = {"cut": Act.CUT, "unheard": Act.UNHEARD, "sigkill": Act.CUT}
COST = 3.0  # seconds that a point may take, about: it starts the tool three times
SHARE = 30  # points that one task explores


@dataclass(frozen=True)
class GoldenMessage:
    """A message of the golden run: the `place`th of its connection, in the step of its commit."""

    step: str
    link: int
    place: int
    kind: str
    signature: str
    text: str

    @property
    def boundary(self) -> str:
        """Its name in a point: connections count from one."""
        return f"c{self.link + 1}-m{self.place:02d}"

    def faults(self) -> Iterator[str]:
        """What can be done there: only an answer can be lost."""
        answered = self.kind in ANSWERED - {"ssl", "gss"} or self.kind == "X"
        return (name for name in FAULTS if answered or name != "unheard")


def golden_run(ground: Setup, place: Templates, direction: Direction) -> tuple[GoldenMessage, ...]:
    """Every message of an undisturbed run, proven repeatable by a second one.

    Raises StepFailed when the run fails, InfrastructureError when two of them differ or nothing
    of it was seen.
    """
    first, second = (_recorded(ground, place, direction) for _ in range(2))
    shared = {}
    for one, other in zip_longest(sorted(first, key=_place), sorted(second, key=_place)):
        same = _in_common(one, other) if one and other else None
        if same is None:
            raise InfrastructureError(
                f"two undisturbed {direction} runs differ: {_named(one)}, then {_named(other)}",
                hint="a sweep needs a run without chance; look for clocks and chance in it",
            )
        shared[_place(same)] = same
    return tuple(shared[_place(one)] for one in first)


def _in_common(one: GoldenMessage, other: GoldenMessage) -> GoldenMessage | None:
    """What a message of two runs has in common; None where it is not the same one.

    A tool may draw a name by chance (yoyo does, to try out transactions): then it is the verb.
    """
    if replace(one, text="") == replace(other, text=""):
        return one
    alike = replace(one, signature=_verb(one.kind, one.text))
    same = replace(other, signature=_verb(other.kind, other.text))
    return alike if replace(alike, text="") == replace(same, text="") else None


def _verb(kind: str, text: str) -> str:
    return f"{kind} {' '.join(text.split()[:2]).upper()}"


def _place(sent: GoldenMessage) -> tuple[int, int]:
    return sent.link, sent.place


def _named(sent: GoldenMessage | None) -> str:
    return f"{sent.boundary} in {sent.step} is {sent.signature}" if sent else "no message"


def _recorded(ground: Setup, place: Templates, direction: Direction) -> tuple[GoldenMessage, ...]:
    dsn = place.start(direction)
    try:
        witness = MessageWitness()
        ending = watched(ground, direction, dsn, witness)
        if ending.status != 0:
            raise StepFailed(
                f"the undisturbed {direction} run ended with {ending.status}:"
                f" {witness.refused or ending.error}",
                hint="an exploration needs a run that succeeds; correct it first",
            )
        settle(place.server_dsn, admin.dbname(dsn))
    finally:
        place.drop(dsn)
    if not witness.frames:
        raise InfrastructureError(
            "the subject cannot be traced: nothing it sent went through the proxy",
            hint="it must connect to the DSN that it is given, without TLS",
        )
    return tuple(_in_steps(witness))


def _in_steps(witness: MessageWitness) -> Iterator[GoldenMessage]:
    """The messages in their order, each in the step of the commit that it leads to."""
    heard = witness.trace
    last = max((number for number, one in enumerate(heard) if commits(one)), default=-1)
    step = 1
    for number, (one, (frame, _)) in enumerate(zip(heard, witness.frames, strict=True)):
        name = f"commit-{step}" if number <= last else ENDING
        text = shortened(one.text)
        yield GoldenMessage(name, frame.link.number, frame.place, one.kind, signature(one), text)
        step += commits(one)


def tasks(ground: Setup) -> list[Task]:
    """Every point of the directions that the subject has, found in golden runs."""
    found: list[Task] = []
    with bench(ground) as place:
        for direction in filter(ground.goes, DIRECTIONS):
            sent = golden_run(ground, place, direction)
            points = [
                Point("wire", direction, one.step, one.boundary, fault)
                for one in sent
                for fault in one.faults()
            ]
            points.append(
                Point("wire", direction, ENDING, f"m{len(sent) + 1:02d}", CLOSING)
            )  # one message further than the run has
            for begin in range(0, len(points), SHARE):
                share = tuple(points[begin : begin + SHARE])
                found.append(Task("wire", share, COST * len(share), {"sent": sent}))
    return found


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at every point of a task, each on a clone of the database that the run begins with."""
    sent: tuple[GoldenMessage, ...] = task.extra["sent"]
    with bench(ground) as place:
        oracle = Oracle(ground, place.server_dsn)
        return [_row(oracle, place, sent, point) for point in task.points]


def _row(
    oracle: Oracle, place: Templates, sent: Sequence[GoldenMessage], point: Point
) -> CoverageRow:
    began = time.monotonic()
    dsn = place.start(point.direction)
    try:
        row = _struck(oracle, place, sent, point, dsn)
    except (TimeoutError, HarnessError, psycopg.Error) as error:
        row = CoverageRow(point, False, "unknown", reason=str(error).strip())
    finally:
        with suppress(TimeoutError):  # what a killed run began may go on
            settle(place.server_dsn, admin.dbname(dsn))
        place.drop(dsn)
    point_done()
    return replace(row, seconds=time.monotonic() - began)


def _struck(
    oracle: Oracle, place: Templates, sent: Sequence[GoldenMessage], point: Point, dsn: str
) -> CoverageRow:
    beat = next((one for one in sent if one.boundary == point.boundary), None)
    decision = StrikeAt()
    if beat is not None:
        decision = StrikeAt(link=beat.link, place=beat.place, act=FAULTS[point.fault])
    ending = watched(oracle.ground, point.direction, dsn, decision, kills=point.fault == "sigkill")
    settle(place.server_dsn, admin.dbname(dsn))
    fired, evidence = _fired(decision, sent, beat)
    evidence += f"; the run ended with {ending.status}"
    if not fired:
        return CoverageRow(point, False, "fail", reason=evidence, evidence=evidence)
    found = identify(oracle.ground, dsn)
    too_early = _ended_too_early(oracle.ground, point.direction, dsn, ending)
    judged = oracle.judge(point.direction, dsn, found)
    if beat is None and ending.status != 0:
        too_early = f"the undisturbed run ended with {ending.status}: {ending.error}"
    if too_early:
        judged = StateVerdict(
            "fail", judged.state, "; ".join(filter(None, (too_early, judged.reason)))
        )
    return CoverageRow(point, True, judged.verdict, judged.state, judged.reason, evidence)


def _fired(
    decision: StrikeAt, sent: Sequence[GoldenMessage], beat: GoldenMessage | None
) -> tuple[bool, str]:
    """Whether it was the point's message that was struck; what to say of it."""
    if beat is None:
        number = len(decision.frames)
        return number <= len(sent), f"{number} messages were sent, {len(sent)} in the golden run"
    if decision.met is None:
        return False, f"message {beat.boundary} was never sent"
    message = decision.met.message
    found = signature(Heard(message.kind, message.text, len(message.data), (), ""))
    if beat.signature not in (found, _verb(message.kind, message.text)):
        return False, f"message {beat.boundary} was {found}, not {beat.signature}"
    return True, f"message {beat.boundary} {beat.text or beat.kind}"


def _ended_too_early(ground: Setup, direction: Direction, dsn: str, ending: Ending) -> str:
    """What is wrong when a struck run says that all is done; empty when that is so."""
    if ending.status != 0:
        return ""
    unlike = unlike_end(ground, direction, dsn, "then")
    return f"the struck run ended with 0, as if all was done: {unlike[0]}" if unlike else ""
