"""Ctrl-C and SIGTERM while the harness strikes at servers of its own: it ends at once, status 5."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from harness.core.errors import Stopped

ENDINGS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal came. No error of the harness: who takes those must not take this."""


@dataclass
class _Shield:
    """How many blocks hold a stop back, and which signal waits behind them."""

    depth: int = 0
    waiting: str | None = None


_shield = _Shield()


@contextmanager
def shielded() -> Iterator[None]:
    """Hold a stop back until the block is done, and raise it then.

    For what must not be left half-done, such as starting processes that somebody has to end.
    """
    _shield.depth += 1
    try:
        yield
    finally:
        _shield.depth -= 1
        if _shield.waiting and not _shield.depth:
            name, _shield.waiting = _shield.waiting, None
            raise Interrupted(name)


@contextmanager
def interruptible(what: str, hint: str) -> Iterator[None]:
    """Raise Stopped in the block at the first signal; those that follow wait for the clean-up.

    In another thread than the main one nothing is done: signals do not come there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDINGS}

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in ENDINGS:
            signal.signal(each, signal.SIG_IGN)
        name = signal.Signals(number).name
        if not _shield.depth:
            raise Interrupted(name)
        _shield.waiting = name

    for number in ENDINGS:
        signal.signal(number, stop)
    try:
        yield
    except Interrupted as interrupted:
        raise Stopped(f"{what} was stopped by {interrupted}", hint=hint) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
