"""At which message a sender is killed, and every message that came until then."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

DOT: Final = "."
MARK: Final = "mark"
SETTLE: Final = "settle"
Wire = Literal["smtp", "postgres"]
Moment = Literal["before", "after"]
"""Of a message: before the server has done it, or after it did, and before the sender hears."""


@dataclass(frozen=True)
class MailPoint:
    """The message, by its number on its wire, and the moment of it."""

    wire: Wire
    number: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.wire}:{self.number}:{self.moment}"


@dataclass
class Striker:
    """Counts the messages of a sender on both wires, and kills it at one."""

    point: MailPoint | None = None
    pid: int = 0
    fired: bool = False
    struck: str = ""
    seen: list[tuple[Wire, str]] = field(default_factory=list)
    _counts: dict[Wire, int] = field(default_factory=lambda: {"smtp": 0, "postgres": 0})

    _verbs: dict[tuple[Wire, int], str] = field(default_factory=dict)

    @property
    def leaves_doubt(self) -> bool:
        """Whether it struck after the mark of a mail, and before what came of it was kept."""
        after_mark = self.struck == MARK and self.moment == "after"
        return (
            after_mark or self.struck == DOT or (self.struck == SETTLE and self.moment == "before")
        )

    @property
    def moment(self) -> str:
        """The moment of its point."""
        return self.point.moment if self.point else ""

    def begin(self, wire: Wire, verb: str) -> tuple[int, bool]:
        """A message came: its number, and whether its sender was killed before it was done."""
        number = self._counts[wire]
        self._counts[wire] += 1
        self.seen.append((wire, verb))
        self._verbs[wire, number] = verb
        return number, self._strike(MailPoint(wire, number, "before"))

    def end(self, wire: Wire, number: int) -> bool:
        """A message was done, and nobody has heard of it; whether its sender was killed now."""
        return self._strike(MailPoint(wire, number, "after"))

    def _strike(self, here: MailPoint) -> bool:
        strikes = here == self.point and bool(self.pid) and not self.fired
        if strikes:
            self.fired = True
            self.struck = self._verbs[here.wire, here.number]
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        return strikes

    def points(self) -> list[MailPoint]:
        """Every point of the messages that were seen.

        A verb before the final dot does nothing that lasts: after it is as before the next one.
        """
        found = []
        numbers: dict[Wire, int] = {"smtp": 0, "postgres": 0}
        for wire, verb in self.seen:
            found.append(MailPoint(wire, numbers[wire], "before"))
            if wire == "postgres" or verb == DOT:
                found.append(MailPoint(wire, numbers[wire], "after"))
            numbers[wire] += 1
        return found


StrikerOf = Callable[[], Striker]
"""Gives the striker of now: the wires stay, and each point has its own."""
