"""How far work has come, told by whoever does it to whoever shows it; nobody has to listen.

What works stands below what shows it, often by many calls, so the listener is one of the process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol, TypeVar


class Named(Protocol):
    """What is known by an id."""

    @property
    def id(self) -> str:
        """Its id."""


Item = TypeVar("Item", bound=Named)


class Listener(Protocol):
    """Who shows how far work has come; called from any thread."""

    def stage(self, name: str) -> None:
        """Another part of the work begins: what is counted begins anew."""

    def told(self, what: str, done: int, total: int, unit: str) -> None:
        """`done` of `total` are done, and `what` is being done; a total of 0 is not known."""


_listener: Listener | None = None


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Tell this listener for the length of the block, instead of the one before."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before


def _forget() -> None:
    global _listener
    _listener = None


os.register_at_fork(after_in_child=_forget)  # the listener's threads stay with the parent


def stage(name: str) -> None:
    """Tell that another part of the work begins."""
    if _listener is not None:
        _listener.stage(name)


def tell(what: str, done: int, total: int, unit: str) -> None:
    """Tell how far the part of the work is."""
    if _listener is not None:
        _listener.told(what, done, total, unit)


class Tally:
    """Counts up to a total, and tells."""

    def __init__(self, total: int, unit: str) -> None:
        self._total, self._unit, self._done = total, unit, 0
        self._lock = Lock()

    def begin(self, what: str) -> None:
        """What is being done now."""
        tell(what, self._done, self._total, self._unit)

    def add(self, count: int, what: str) -> None:
        """So much more is done."""
        with self._lock:
            self._done += count
            tell(what, self._done, self._total, self._unit)

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items; each is begun when it is taken, and done when the next one is asked for."""
        for item in items:
            self.begin(item.id)
            yield item
            self.add(1, item.id)
