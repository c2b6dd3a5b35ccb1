"""SIGTERM and SIGINT as a request to stop at the next checkpoint; a second one cancels."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Callable: whether a stop was asked for. A second signal also cancels what is running."""

    def __init__(self) -> None:
        self.count = 0
        self._cancel: Callable[[], None] | None = None

    def __call__(self) -> bool:
        """Whether a stop was asked for."""
        return self.count > 0

    def on_second(self, cancel: Callable[[], None] | None) -> None:
        """What to call, in a thread of its own, when the signal comes again."""
        self._cancel = cancel

    def receive(self, _number: int, _frame: FrameType | None) -> None:
        """Count a signal; the handler itself touches no connection."""
        self.count += 1
        if self.count > 1 and self._cancel is not None:
            threading.Thread(target=self._cancel, daemon=True).start()


@contextmanager
def stop_requested() -> Iterator[StopRequest]:
    """Take SIGTERM and SIGINT for the length of the block; what was installed comes back after."""
    request = StopRequest()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, request.receive)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
