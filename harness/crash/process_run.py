"""A run of any subject as a process of its own, watched on the wire and killed whole.

What it says for itself when it fails is what the server last refused: the statement and the reason.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field, replace

from harness.core.direction import Direction
from harness.core.errors import StepFailed
from harness.crash.setup import Setup
from harness.database import admin
from harness.fault.frames import STARTUP, Message
from harness.fault.process import Ending
from harness.fault.proxy import Act, Frame, Interceptor, Link, Partial, Proxy
from harness.fault.spawned import SpawnedProcess, spawn
from harness.fault.strikes import MessageRecorder
from harness.server.trust import without_password
from harness.subject.guard.doorway import asked_for
from harness.subject.guard.reach import refuse_other_database
from harness.subject.protocol import Invocation

SUCCEEDS = "an exploration needs a run that succeeds when nothing disturbs it; correct it first"
SHOWN = 160  # characters of a statement that are said


@dataclass
class MessageWitness(MessageRecorder):
    """Keeps every message, and the statement that the server refused last, with its reason."""

    refused: str = ""
    _statements: dict[int, str] = field(default_factory=dict)

    def meets(self, frame: Frame) -> Act | Partial:
        """Note which statement its connection is at; let it pass."""
        if frame.message.text:
            self._statements[frame.link.number] = frame.message.text
        return super().meets(frame)

    def hears(self, frame: Frame, answer: list[Message]) -> None:
        """Look for a refusal."""
        super().hears(frame, answer)
        for message in answer:
            if message.kind == "E":
                statement = shortened(self._statements.get(frame.link.number, "")).rstrip(";")
                self.refused = f"{statement}: {message.refusal}" if statement else message.refusal


@dataclass
class StrikeAt(MessageWitness):
    """Strikes once, at the message that is the `place`th of its connection `link`.

    With `process` that one is killed whole before the message leaves it. `met` is what was struck.
    """

    link: int = 0
    place: int = 0
    act: Act = Act.CUT
    process: SpawnedProcess | None = None
    met: Frame | None = None

    def meets(self, frame: Frame) -> Act | Partial:
        """Strike at the message."""
        passing = super().meets(frame)
        here = (frame.link.number, frame.place) == (self.link, self.place)
        if not here or self.met is not None:
            return passing
        self.met = frame
        if self.process is not None:
            self.process.signal(signal.SIGKILL)
        return self.act


def shortened(statement: str) -> str:
    """A statement on one line, not too long."""
    text = " ".join(statement.split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def every_message(_link: Link, _message: Message) -> bool:
    """Of a foreign run every login and every good-bye counts."""
    return False


def start(invocation: Invocation) -> SpawnedProcess:
    """Start a subject's process."""
    return spawn(invocation.argv, invocation.environment, invocation.cwd)


def watched(
    ground: Setup, direction: Direction, dsn: str, decision: Interceptor, *, kills: bool = False
) -> Ending:
    """Run through a proxy that `decision` is asked at; with `kills` it is told the process.

    TimeoutError when the run does not end in time; it is killed then.
    """
    with Proxy(without_password(dsn), skips=every_message) as proxy:
        invocation = ground.subject.invocation(direction, proxy.dsn)
        limit = min(invocation.limit, ground.limit)
        with start(invocation) as process:
            if kills:
                assert isinstance(decision, StrikeAt)
                decision.process = process
            proxy.serve([process], decision, limit=limit)
            return process.wait(limit)


def run_again(ground: Setup, direction: Direction, dsn: str) -> Ending:
    """Run to the end, after removing the lock that a killed run may have left."""
    if ground.subject.unlocking(dsn) is not None:
        ending = _unlocked(ground, dsn)
        if ending.status != 0:
            return replace(ending, error=f"its lock could not be removed: {ending.error}")
    return run_whole(ground, direction, dsn)


def _unlocked(ground: Setup, dsn: str) -> Ending:
    with Proxy(without_password(dsn), skips=every_message) as proxy:
        unlocking = ground.subject.unlocking(proxy.dsn)
        assert unlocking is not None
        limit = min(unlocking.limit, ground.limit)
        with start(unlocking) as process:
            proxy.serve([process], MessageWitness(), limit=limit)
            return process.wait(limit)


def run_whole(ground: Setup, direction: Direction, dsn: str) -> Ending:
    """Run to the end; the error is the server's last refusal, or what the process said."""
    witness = MessageWitness()
    ending = watched(ground, direction, dsn, witness)
    return replace(ending, error=witness.refused or ending.error) if ending.status else ending


def run_undisturbed(ground: Setup, direction: Direction, dsn: str) -> None:
    """Run to the end with nobody in the way.

    Raises StepFailed with what it said when it fails, Refused when it used another database.
    """
    witness = MessageWitness()
    try:
        ending = watched(ground, direction, dsn, witness)
    except TimeoutError as error:
        raise StepFailed(f"{ground.subject.name!r}, {direction}: {error}", hint=SUCCEEDS) from error
    if ending.status != 0:
        raise StepFailed(
            f"{ground.subject.name!r}, {direction}, ended with status {ending.status}:"
            f" {witness.refused or ending.error or 'it said nothing'}",
            hint=SUCCEEDS,
        )
    startups = (one.message.data for one, _ in witness.frames if one.message.kind == STARTUP)
    asked = map(asked_for, startups)
    refuse_other_database(f"{ground.subject.name}, {direction}", asked, admin.dbname(dsn))
