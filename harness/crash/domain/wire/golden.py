"""The golden run on the wire: every message of a run that nothing disturbs, cut at its commits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import pglast.parser

from harness.core.direction import Direction
from harness.core.errors import InfrastructureError, StepFailed
from harness.crash import runners
from harness.crash.model import END, START
from harness.crash.setup import Setup
from harness.crash.state import settle
from harness.crash.templates import Templates
from harness.database import admin
from harness.fault.process import JobProcess
from harness.fault.proxy import Proxy
from harness.fault.strikes import Heard, MessageRecorder
from harness.runner import Event

UNDISTURBED = 3  # attempts at a run that nobody is in the way of
READS = ("SELECT", "SET", "RESET", "SHOW", "BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True)
class WireMessage:
    """A message of the golden run, and the `place`th of its step.

    `signature` is what it has in common with the same message of another run: its kind and its
    SQL without the literals. `commits`: something was committed when it was answered. `mark` tells
    runs of one direction apart that do not begin at the same state.
    """

    step: str
    place: int
    kind: str
    signature: str
    size: int
    commits: bool
    mark: str = ""

    @property
    def boundary(self) -> str:
        """Its name in a point."""
        return f"{self.mark}m{self.place:02d}"


@dataclass(frozen=True)
class Segment:
    """The messages up to one commit, after the one before it."""

    number: int
    beats: tuple[WireMessage, ...]

    @property
    def step(self) -> str:
        """The step it belongs to."""
        return self.beats[0].step

    @property
    def ends_in(self) -> str:
        """The step that its commit belongs to: before its first, a run is nowhere yet."""
        return self.beats[self.to_commit - 1].step

    @property
    def to_commit(self) -> int:
        """How many messages lead up to its commit, that one included."""
        return next(n for n, beat in enumerate(self.beats, 1) if beat.commits)

    def marked(self, mark: str) -> Segment:
        """The same segment of a run that is told apart by `mark`."""
        return replace(self, beats=tuple(replace(beat, mark=mark) for beat in self.beats))


def trace(ground: Setup, bench: Templates, direction: Direction) -> list[WireMessage]:
    """Run on a clone and give every message; StepFailed when the run itself fails.

    A run that had to try something again was disturbed, by an autovacuum worker's lock perhaps: it
    is made again, and no more than a few times.
    """
    for _ in range(UNDISTURBED):
        found, told = _trace(ground, bench, direction)
        if not any(event.kind == "retry" for event in told):
            break
    return found


def _trace(
    ground: Setup, bench: Templates, direction: Direction
) -> tuple[list[WireMessage], list[Event]]:
    dsn = bench.start(direction)
    try:
        with Proxy(dsn) as proxy:
            plan = ground.sweeping()
            process = runners.start(ground, direction, proxy.dsn, plan, close=proxy.descriptors)
            with process:
                recorder = MessageRecorder(lambda: step_of(process))
                proxy.serve([process], recorder)
                ending = process.wait()
        if not ending.done:
            raise StepFailed(
                f"the undisturbed {direction} run ended with {ending.status}: {ending.error}",
                hint="an exploration needs a plan that runs; correct it first",
            )
        settle(bench.server_dsn, admin.dbname(dsn))
    finally:
        bench.drop(dsn)
    if not recorder.frames:
        raise InfrastructureError(
            "the subject cannot be traced: nothing it sent went through the proxy",
            hint="it must connect to the DSN that it is given, without TLS",
        )
    return beats(recorder.trace), process.told


def step_of(process: JobProcess) -> str:
    """The step that a runner process is at, by what it told before its last message."""
    process.listen()
    for event in reversed(process.told):
        if event.kind == "step_started":
            return str(event.step)
        if event.kind == "step_done":  # the next message belongs to the next step, if there is one
            return END
    return START


def beats(heard: list[Heard]) -> list[WireMessage]:
    """Messages with their place in their step; what follows the last commit of a step is END."""
    found: list[WireMessage] = []
    places: dict[str, int] = {}
    for one in heard:
        places[one.note] = places.get(one.note, 0) + 1
        found.append(
            WireMessage(
                one.note, places[one.note], one.kind, signature(one), one.size, commits(one)
            )
        )
    return found


def signature(one: Heard) -> str:
    """What a message has in common with the same message of another run."""
    if not one.text:
        return one.kind
    try:
        text = pglast.parser.fingerprint(one.text)
    except pglast.parser.ParseError:
        text = hashlib.sha256(one.text.encode()).hexdigest()[:16]
    return f"{one.kind} {text}"


def commits(one: Heard) -> bool:
    """Whether something may have been committed: at the end no transaction is open, and the answer
    has a tag that is no mere reading."""
    if not one.tags or one.tags[-1] != "I":
        return False
    return any(not tag.startswith(READS) for tag in one.tags[:-1])


def segments(found: list[WireMessage]) -> list[Segment]:
    """The run cut after each commit; what follows the last one belongs to the last segment."""
    cut: list[Segment] = []
    current: list[WireMessage] = []
    for beat in found:
        current.append(beat)
        if beat.commits:
            cut.append(Segment(len(cut), tuple(current)))
            current = []
    if current and cut:
        cut[-1] = Segment(cut[-1].number, cut[-1].beats + tuple(current))
    return cut


def difference(one: list[WireMessage], other: list[WireMessage]) -> str:
    """Where two traces first differ, in words; empty when they are the same."""
    for number, (a, b) in enumerate(zip(one, other, strict=False), 1):
        if replace(a, size=0) != replace(b, size=0):
            return f"message {number} ({a.step} {a.boundary}) is {a.signature}, then {b.signature}"
    if len(one) != len(other):
        return f"one run sent {len(one)} messages, the other {len(other)}"
    return ""


def golden(ground: Setup, bench: Templates, direction: Direction) -> list[Segment]:
    """The golden run's segments, proven repeatable: two runs sent the same messages.

    On lean ground there is one: the chain of runs that leads to the points shows what differs.
    Raises InfrastructureError when two runs differ.
    """
    first = trace(ground, bench, direction)
    found = "" if ground.lean else difference(first, trace(ground, bench, direction))
    if found:
        raise InfrastructureError(
            f"two undisturbed {direction} runs differ: {found}",
            hint="a sweep needs a run without chance; look for clocks and chance in the plan",
        )
    return segments(first)
