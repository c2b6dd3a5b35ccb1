"""Hold batches back while the server has more important things to do, or cannot be seen."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from harness.core.errors import Refused, Stopped
from harness.observe.load_signals import Answerer, LoadSignal, asked, read_signal
from harness.observe.signals import is_crossed
from harness.plan import RunnerSettings, Script
from harness.runner.backoff import pause
from harness.runner.fenced_session import FencedSession
from harness.runner.session import RunnerSession

INTERVAL = 0.5
BLIND_LOOKS = 3
"""So many looks in a row see nothing before it is said: until then it may be a moment's matter."""


@dataclass(frozen=True)
class HoldReason:
    """Why to wait: the signal, by the key of its limit, and what was seen of it."""

    key: str
    words: str
    blind: bool


def reasons(
    conn: Answerer, settings: RunnerSettings, signals: tuple[LoadSignal, ...]
) -> list[HoldReason]:
    """All reasons to wait: what is above its limit, and what cannot be seen."""
    found = list[HoldReason]()
    for signal, limit in asked(settings, signals):
        reading = read_signal(signal, conn)
        if reading.blind:
            found.append(HoldReason(signal.key, f"{reading.blind} ({signal.key})", blind=True))
        elif reading.value is not None and is_crossed(signal.key, reading.value, limit):
            words = f"{reading.what} ({signal.key} = {limit:g})"
            found.append(HoldReason(signal.key, words, blind=False))
    return found


def refuse_blind(session: RunnerSession, scripts: Iterable[Script]) -> None:
    """Refuse to begin where a signal that batches wait for cannot be seen.

    A run that was begun and lost its connection goes on: its batches are held back instead.
    """
    context = session.context
    batches = any(script.kind == "batch" and script.statements for script in scripts)
    if not batches or context.claimed is not None:
        return
    for signal, _ in asked(context.settings, context.signals):
        with session.bounded():
            reading = read_signal(signal, session.lock)
        if reading.blind:
            raise Refused(
                f"{reading.blind}, and the plan holds batches back by it ({signal.key})",
                hint=reading.cure,
            )


class _Between:
    """The runner's session between two batches, when nothing of a script is left in it."""

    def __init__(self, session: FencedSession) -> None:
        self._session = session

    def execute(self, query: bytes) -> Any:
        """The answer to one of our own queries."""
        return self._session.work.ask(sql.SQL(query.decode()))  # type: ignore[arg-type]


class _Hold:
    """The time that batches of a step are held back."""

    def __init__(self, session: FencedSession, step: str) -> None:
        self._session, self._step = session, step
        self._began = time.monotonic()
        self._blind = 0
        self._told: set[str] = set()

    def look(self) -> list[HoldReason]:
        """All reasons to wait; says so when there are others than before."""
        context = self._session.context
        found = reasons(_Between(self._session), context.settings, context.signals)
        self._blind = self._blind + 1 if any(one.blind for one in found) else 0
        sure = [one for one in found if not one.blind or self._blind >= BLIND_LOOKS]
        keys = {one.key for one in sure}
        if sure and keys != self._told:
            self._tell("throttled", listed(sure))
            self._told = keys
        return found

    def refuse_longer(self, found: list[HoldReason]) -> None:
        """Stopped when it has taken as long as the plan allows."""
        limit = self._session.context.settings.throttle_limit
        if time.monotonic() - self._began > limit:
            raise Stopped(
                f"held back for {limit:g} s: {listed(found)}",
                where=self._step,
                hint="run the same again when the server has room",
            )

    def end(self) -> bool:
        """Whether it was said that batches are held back; then that they go on is said, too."""
        if self._told:
            took = time.monotonic() - self._began
            self._tell("throttle_ended", f"batches go on after {took:.1f} s")
        return bool(self._told)

    def _tell(self, kind: str, words: str) -> None:
        self._session.context.tell(kind, self._step, message=words)
        self._session.record(kind, self._step, words)


def listed(found: list[HoldReason]) -> str:
    """All reasons on one line."""
    return "; ".join(one.words for one in found)


def hold_back(session: FencedSession, step: str) -> bool:
    """Wait while a signal asks for it, and say whether it did.

    Stopped when it asks for longer than the plan allows. While a signal is not seen no batch is
    done: it may be above its limit.
    """
    if not asked(session.context.settings, session.context.signals):
        return False
    hold = _Hold(session, step)
    while found := hold.look():
        session.check_stop(step)
        session.hear_control()
        hold.refuse_longer(found)
        pause(INTERVAL, session.context.stop)
    return hold.end()
