"""Ctrl-C and SIGTERM while the harness strikes at servers of its own: it ends at once, status 5."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.core.errors import Stopped

ENDINGS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal came. No error of the harness: who takes those must not take this."""


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
        raise Interrupted(signal.Signals(number).name)

    for number in ENDINGS:
        signal.signal(number, stop)
    try:
        yield
    except Interrupted as interrupted:
        raise Stopped(f"{what} was stopped by {interrupted}", hint=hint) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
