"""What is done to a run at one message: each a decision for the proxy, taken once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.fault.frames import Message
from harness.fault.process import Process
from harness.fault.proxy import Act, Frame, Partial

NAG = 0.25  # seconds between two signals; psycopg looks for what arrived every tenth


@dataclass(frozen=True)
class Heard:
    """A message of a run and the tags of its answer. `note` is what the listener knew then."""

    kind: str
    text: str
    size: int
    tags: tuple[str, ...]
    note: str


@dataclass
class MessageRecorder:
    """Strikes nothing and keeps every message; `note` is asked before each."""

    note: Callable[[], str] = str
    frames: list[tuple[Frame, str]] = field(default_factory=list)
    answers: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def meets(self, frame: Frame) -> Act | Partial:
        """Keep it and let it pass."""
        self.frames.append((frame, self.note()))
        return Act.PASS

    def hears(self, frame: Frame, answer: list[Message]) -> None:
        """Keep the tags of its answer."""
        self.answers[frame.number] = tuple(m.tag for m in answer if m.kind in "CZ")

    @property
    def trace(self) -> list[Heard]:
        """Every message so far."""
        return [self.trace_of(number) for number in range(len(self.frames))]

    def trace_of(self, index: int) -> Heard:
        """One of the messages so far."""
        frame, note = self.frames[index]
        message = frame.message
        tags = self.answers.get(frame.number, ())
        return Heard(message.kind, message.text, len(message.data), tags, note)


@dataclass
class At:
    """Does something at message `number`, then lets everything pass. `met` says that it did."""

    number: int
    act: Act | Partial
    met: Frame | None = None

    def meets(self, frame: Frame) -> Act | Partial:
        """Strike at the message."""
        if frame.number != self.number or self.met is not None:
            return Act.PASS
        self.met = frame
        return self.act

    def hears(self, frame: Frame, answer: list[Message]) -> None:
        """Nothing."""


@dataclass
class KillAt(At):
    """SIGKILLs the process before message `number` leaves it."""

    process: Process | None = None

    def meets(self, frame: Frame) -> Act | Partial:
        """Kill it there; the line goes with it."""
        if super().meets(frame) is Act.PASS:
            return Act.PASS
        assert self.process is not None
        self.process.signal(signal.SIGKILL)
        return Act.CUT


@dataclass
class ThenKill:
    """Strikes as `first` does; later, before the next message after `enough`, SIGKILLs."""

    first: At
    process: Process
    enough: Callable[[], bool]

    @property
    def met(self) -> Frame | None:
        """Where the first strike met the run."""
        return self.first.met

    def meets(self, frame: Frame) -> Act | Partial:
        """Strike, wait for enough, kill."""
        if self.first.met is None:
            return self.first.meets(frame)
        if not self.enough():
            return Act.PASS
        self.process.signal(signal.SIGKILL)
        return Act.CUT

    def hears(self, frame: Frame, answer: list[Message]) -> None:
        """Nothing."""


@dataclass
class SignalAt(At):
    """Sends a signal while message `number` is held, `times` over; the message then passes.

    Pending signals of one kind do not add up, so each but the last is sent again until it is seen:
    a second one shows as a request to cancel, which `seen` tells. Not too fast: a client library
    that is interrupted again and again never comes to look at what arrived.
    """

    process: Process | None = None
    signal_number: int = signal.SIGTERM
    seen: Callable[[], bool] | None = None
    nags: int = 0
    last: float = 0.0

    def meets(self, frame: Frame) -> Act | Partial:
        """Signal, hold until it is taken, pass."""
        if frame.number != self.number or (self.met is not None and self.met is not frame):
            return Act.PASS
        assert self.process is not None
        if self.met is not None:
            if not pending(self.process.pid) and (self.seen is None or self.seen()):
                return Act.PASS
            if time.monotonic() - self.last < NAG or self.seen is None:
                return Act.HOLD
            self.nags += 1
        self.met, self.last = frame, time.monotonic()
        self.process.signal(self.signal_number)
        return Act.HOLD


def pending(pid: int) -> bool:
    """Whether a signal was sent to a process and not taken yet, by the kernel's word."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(("SigPnd", "ShdPnd")) and int(line.split()[1], 16):
                return True
    return False


@dataclass
class PauseAt(At):
    """Stops the process (SIGSTOP) with message `number` on the line, does `meanwhile`, wakes it."""

    process: Process | None = None
    meanwhile: Callable[[], None] | None = None

    def meets(self, frame: Frame) -> Act | Partial:
        """Stop, act, continue; the message passes, if there is still a server for it."""
        if frame.number != self.number or self.met is not None:
            return Act.PASS
        assert self.process is not None
        assert self.meanwhile is not None
        self.met = frame
        self.process.stop()
        try:
            self.meanwhile()
        finally:
            os.kill(self.process.pid, signal.SIGCONT)
        return Act.PASS


@dataclass
class HoldFirst:
    """Holds the first message that `wanted` picks out until `free` says so."""

    wanted: Callable[[Frame], bool]
    free: Callable[[], bool]
    met: Frame | None = None

    def meets(self, frame: Frame) -> Act | Partial:
        """Hold it."""
        if self.met is None and self.wanted(frame):
            self.met = frame
        if self.met is frame and not self.free():
            return Act.HOLD
        return Act.PASS

    def hears(self, frame: Frame, answer: list[Message]) -> None:
        """Nothing."""
