"""A clone to strike at, used again as long as nothing in it has changed."""

from __future__ import annotations

import psycopg

from harness.core.errors import HarnessError
from harness.crash.domain.wire.imprint import Imprint
from harness.crash.setup import Setup
from harness.crash.state import alone
from harness.crash.templates import Templates
from harness.database import admin, template


class StruckClone:
    """A clone of `source`, with one connection that looks on.

    Without `reused` it is used once, and `unchanged` is false.
    """

    def __init__(self, ground: Setup, place: Templates, source: str, *, reused: bool) -> None:
        self._ground = ground
        self._place = place
        self.dsn = template.clone(place.server_dsn, admin.dbname(source))
        self._conn = admin.connect(self.dsn)
        self._conn.execute("set search_path = ''")
        self._way = ground.subject.position(self._conn)
        self._imprint = Imprint(self._conn) if reused else None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a forked runner must close."""
        return (self._conn.fileno(),)

    def unchanged(self) -> bool:
        """Whether it is as it was; waits until everybody else has left it."""
        alone(self._conn, admin.dbname(self.dsn))
        if self._imprint is None:
            return False
        try:
            now = self._ground.subject.position(self._conn)
            return now == self._way and self._imprint.unchanged()
        except (HarnessError, psycopg.Error):
            return False

    def leave(self) -> None:
        """Disconnect, so that it can be judged."""
        self._conn.close()

    def drop(self) -> None:
        """Drop it."""
        self._conn.close()
        self._place.drop(self.dsn)
