"""A cursor that is led along the golden run, commit by commit, by runners that are killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from harness.core.direction import Direction
from harness.core.errors import HarnessError
from harness.crash import runners
from harness.crash.domain.wire.golden import Segment, WireMessage, beats, commits, step_of
from harness.crash.model import START
from harness.crash.run.cursor import RunCursor
from harness.crash.setup import Setup
from harness.crash.state import settle
from harness.crash.templates import Templates
from harness.database import admin
from harness.fault.frames import Message
from harness.fault.process import JobProcess
from harness.fault.proxy import Act, Frame, Partial, Proxy
from harness.fault.strikes import MessageRecorder


class Astray(HarnessError):  # noqa: N818 - what became of the run
    """A run that resumes makes other commits than an undisturbed one."""


class KillAfter(MessageRecorder):
    """SIGKILLs a process before the first message after its `commits_left`th commit was heard."""

    process: JobProcess
    commits_left: int

    def meets(self, frame: Frame) -> Act | Partial:
        """Kill it when it has heard enough."""
        if self.commits_left == 0:
            self.process.signal(signal.SIGKILL)
            return Act.CUT
        return super().meets(frame)

    def hears(self, frame: Frame, answer: list[Message]) -> None:
        """Count the commits."""
        super().hears(frame, answer)
        if frame is self.frames[-1][0] and commits(self.trace_of(-1)):
            self.commits_left -= 1


@dataclass(frozen=True)
class SentSegment:
    """What a resuming runner sent up to a commit: its own `prefix`, then the segment's messages."""

    prefix: tuple[WireMessage, ...]
    body: tuple[WireMessage, ...]

    def differs(self, segment: Segment) -> str:
        """How the messages differ from the golden run's; empty when they are the same."""
        for found, wanted in zip(self.body, segment.beats, strict=False):
            if found.signature != wanted.signature:
                return f"{wanted.step} {wanted.boundary} was {found.signature} when resumed"
        return ""


@dataclass
class CommitLead:
    """Leads a cursor from commit to commit of a run, `at` of them so far; nobody is connected."""

    cursor: RunCursor
    at: int = 0

    @classmethod
    def started(cls, ground: Setup, place: Templates, direction: Direction) -> CommitLead:
        """Where a run in the direction begins; its runners have the defects that are planted."""
        dsn = place.start(direction)
        return cls(RunCursor(ground, place.server_dsn, direction, dsn))

    @property
    def dsn(self) -> str:
        """The database."""
        return self.cursor.dsn

    def advance(self, segment: Segment) -> SentSegment:
        """Go to the segment's commit by a runner killed when it has heard of it.

        Gives the messages it sent. Raises Astray when it committed in another step.
        """
        heard = self._run(1)
        if heard[-1].step not in (START, segment.ends_in):  # START: it had no step left to tell
            raise Astray(
                f"the run committed in {heard[-1].step}, an undisturbed one in {segment.ends_in}",
                hint="a resumed run must make the same commits as an undisturbed one",
            )
        self.at += 1
        first = len(heard) - segment.to_commit
        return SentSegment(tuple(heard[:first]), tuple(heard[first:]))

    def go_to(self, number: int) -> None:
        """Go to the state before that segment, by one runner; never back."""
        if number > self.at:
            self._run(number - self.at)
            self.at = number

    def _run(self, ahead: int) -> list[WireMessage]:
        """Run until that many commits are heard of, after the claim of one that resumes."""
        ground, direction = self.cursor.ground, self.cursor.direction
        with Proxy(self.dsn) as proxy:
            close = proxy.descriptors
            process = runners.start(ground, direction, proxy.dsn, close=close)
            with process:
                strike = KillAfter(lambda: step_of(process))
                strike.process, strike.commits_left = process, ahead + (self.at > 0)
                proxy.serve([process], strike)
                ending = process.wait()
        settle(self.cursor.server_dsn, admin.dbname(self.dsn))
        if strike.commits_left:
            raise Astray(
                f"the run ended {strike.commits_left} commits too early, with status "
                f"{ending.status}: {ending.error}",
                hint="a resumed run must make the same commits as an undisturbed one",
            )
        return beats(strike.trace)

    def __enter__(self) -> CommitLead:
        return self

    def __exit__(self, *_: object) -> None:
        self.cursor.close()


@contextmanager
def halfway(ground: Setup, place: Templates, commits: int) -> Iterator[Templates]:
    """A bench whose rollbacks begin where a migration was killed, behind so many of its commits.

    With 0 it is the bench as it is: its rollbacks begin at a finished migration.
    """
    if not commits:
        yield place
        return
    with CommitLead.started(ground, place, "forward") as lead:
        lead.go_to(commits)
        yield replace(place, target=admin.dbname(lead.dsn))
