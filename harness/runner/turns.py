"""Turns: sessions side by side of which one alone goes on, from one message to its next."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Of members 0, 1, … each sends one message when it is its turn; then the next one's is.

    So two runs that nothing disturbs send the same messages in the same order, whatever the
    scheduler does. A turn lasts until its member wants to send the next message.
    """

    def __init__(self, members: int) -> None:
        self._order = list(range(members))
        self._holder = 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, member: int) -> Iterator[None]:
        """Wait for the first turn of a member; the block ends with its last."""
        with self._changed:
            self._changed.wait_for(lambda: self._holder == member)
        try:
            yield
        finally:
            with self._changed:
                if self._holder == member:
                    self._hand_on(member)
                self._order.remove(member)

    def pass_on(self, member: int) -> None:
        """End the turn, and wait for the next one."""
        with self._changed:
            self._hand_on(member)
            self._changed.wait_for(lambda: self._holder == member)

    def _hand_on(self, member: int) -> None:
        place = self._order.index(member)
        self._holder = self._order[(place + 1) % len(self._order)]
        self._changed.notify_all()
