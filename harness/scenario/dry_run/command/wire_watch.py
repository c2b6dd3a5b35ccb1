"""What a foreign run sends, statement by statement, and which locks it holds between two of them.

It sits in the proxy, so the run waits while it looks; what that took is told and subtracted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.crash.domain.wire.golden import commits
from harness.crash.process_run import MessageWitness
from harness.fault.frames import Message
from harness.fault.proxy import Act, Frame, Partial
from harness.fault.strikes import Heard
from harness.scenario.dry_run.command.catalog import CopyCatalog, Held

SENT = ("Q", "S")
"""Messages that end what the server answers at once: a query, the end of an extended one."""


@dataclass(frozen=True)
class Sent:
    """One answer's worth of statements, by whom, and what was held when it was answered.

    `status` is the server's word of the transaction then: I none, T open, E failed.
    """

    backend: int
    texts: tuple[str, ...]
    began: float
    seconds: float
    tags: tuple[str, ...]
    status: str
    held: frozenset[Held]
    commits: bool
    log: int


@dataclass
class _Batch:
    began: float = 0.0
    texts: list[str] = field(default_factory=list)


@dataclass
class WireWatch(MessageWitness):
    """Keeps every statement. `refuses` says why one must not reach the server; `outside` is such a
    one with the reason: the run was cut there.
    """

    catalog: CopyCatalog | None = None
    refuses: Callable[[str], str] = lambda _text: ""
    on_commit: Callable[[], None] = lambda: None
    sent: list[Sent] = field(default_factory=list)
    outside: tuple[str, str] | None = None
    overhead: float = 0.0
    _batches: dict[int, _Batch] = field(default_factory=dict)
    _named: dict[tuple[int, str, bytes], str] = field(default_factory=dict)

    def meets(self, frame: Frame) -> Act | Partial:
        """Note what is sent; stop what must not be."""
        passing = super().meets(frame)
        began = time.monotonic()
        text = frame.message.text
        if text and (why := self.refuses(text)):
            self.outside = (text, why)
            return Act.CUT
        self._note(frame, text)
        self.overhead += time.monotonic() - began
        return passing

    def _note(self, frame: Frame, text: str) -> None:
        number, kind = frame.link.number, frame.message.kind
        batch = self._batches.setdefault(number, _Batch())
        if not batch.texts:
            batch.began = time.monotonic()
        if kind == "Q":
            batch.texts.append(text)
            return
        names = frame.message.data[5:].split(b"\0", 2)
        if kind == "P":
            self._named[number, "statement", names[0]] = text
        elif kind == "B":
            of = self._named.get((number, "statement", names[1]), "")
            self._named[number, "portal", names[0]] = of
        elif kind == "E":
            batch.texts.append(self._named.get((number, "portal", names[0]), ""))

    def hears(self, frame: Frame, answer: list[Message]) -> None:
        """Keep what was answered, and look at what is held."""
        super().hears(frame, answer)
        if frame.message.kind not in SENT:
            return
        now = time.monotonic()
        batch = self._batches.pop(frame.link.number, _Batch(now))
        tags = tuple(message.tag for message in answer if message.kind in "CZ")
        status = tags[-1] if tags else "I"
        heard = Heard(frame.message.kind, "", 0, tags, "")
        assert self.catalog is not None
        held = self.catalog.held(frame.link.backend) if status == "T" else set()
        log, _ = self.catalog.counters()
        self.sent.append(
            Sent(
                frame.link.backend,
                tuple(batch.texts),
                batch.began,
                now - batch.began,
                tags[:-1],
                status,
                frozenset(held),
                commits(heard),
                log,
            )
        )
        if commits(heard):
            self.on_commit()
        self.overhead += time.monotonic() - now
