"""SIGINT and SIGTERM end a gate in good order: exit status 5, nothing of it left running."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.core.errors import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Interrupted(BaseException):
    """Passes every `except Exception` on its way out."""

    def __init__(self, number: int) -> None:
        self.name = signal.Signals(number).name


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise Stopped out of the block when a signal asks to stop; a second one is not heard."""
    before = {number: signal.signal(number, _raise) for number in SIGNALS}
    try:
        yield
    except _Interrupted as interrupted:
        raise Stopped(
            f"the gate was stopped by {interrupted.name} and gives no verdict",
            hint="run harness gate again",
        ) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise(number: int, _frame: FrameType | None) -> None:
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise _Interrupted(number)
