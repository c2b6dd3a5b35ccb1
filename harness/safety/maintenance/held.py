"""A lease that is renewed while somebody works: it ends a few seconds after whoever holds it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from harness.core.errors import HarnessError
from harness.database import admin
from harness.safety.maintenance.request import MaintenanceRequest
from harness.safety.maintenance.standing import MaintenanceStatus, spell_time
from harness.safety.maintenance.statements import statement
from harness.safety.maintenance.switch import (
    Closure,
    restore_lease,
    switching,
    turn_off,
    turn_on,
)

BEATS = 5
"""How often a lease is renewed in its length: it outlives lost renewals and a slow one."""


@dataclass(frozen=True)
class Lapse:
    """A time during which the application could write: from the lease's end to its renewal."""

    since: str
    until: str


class HeldLease:
    """Renews the lease of a closure, in a thread with a connection of its own."""

    def __init__(self, dsn: str, closure: Closure, seconds: float) -> None:
        self._dsn, self.closure = dsn, closure
        self._seconds, self._beat = seconds, seconds / BEATS
        self.lapses: list[Lapse] = []
        self.taken_away = False
        self.left_behind: str | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew_on, name="lease", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more; the lease is as it was renewed last."""
        self._ended.set()
        self._thread.join()

    def wait(self, seconds: float | None) -> bool:
        """Wait until the lease was taken away by somebody else, at most so long; whether it was."""
        return self._ended.wait(seconds) and self.taken_away

    def findings(self) -> list[str]:
        """What was not as promised while it was held."""
        found = [
            f"the application could write from {lapse.since} to {lapse.until}: the lease was not"
            " renewed in time"
            for lapse in self.lapses
        ]
        if self.taken_away:
            found.append("somebody else turned maintenance off")
        if self.left_behind is not None:
            found.append(self.left_behind)
        return found

    def _renew_on(self) -> None:
        while not self._ended.wait(self._beat):
            with contextlib.suppress(HarnessError, psycopg.Error), self._session() as conn:
                self._renew_over(conn)

    def _session(self) -> Any:
        return admin.connection(self._dsn, connect_timeout=5)

    def _renew_over(self, conn: psycopg.Connection[Any]) -> None:
        admin.writable(conn)
        conn.execute("SET lock_timeout = '2s'")
        while not self._ended.is_set():
            if not self._renew(conn):
                self.taken_away = True
                self._ended.set()
                return
            self._ended.wait(self._beat)

    def _renew(self, conn: psycopg.Connection[Any]) -> bool:
        asked = {"lease": round(self._seconds * 1000), "id": self.closure.id}
        try:
            row = conn.execute(statement("renew"), asked).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return False
        if row is None:
            return False
        if row[1] is not None:
            self.lapses.append(Lapse(spell_time(row[1]), spell_time(row[2])))
        return True


@contextmanager
def holding(
    dsn: str, request: MaintenanceRequest, tell: Callable[[MaintenanceStatus], None]
) -> Iterator[HeldLease]:
    """Keep maintenance on for the length of the block, and turn it off however that ends.

    A lease that was there before and lasts longer is left. That it could not be turned off is a
    finding, and hides nothing that the block raised or did: the lease then ends by itself.
    """
    closure = turn_on(dsn, request, held=True)
    tell(closure.status)
    lease = HeldLease(dsn, closure, request.rules.lease)
    lease.start()
    try:
        yield lease
    finally:
        lease.stop()
        try:
            _release(dsn, request, lease)
        except (HarnessError, psycopg.Error) as error:
            lease.left_behind = " ".join(str(error).split())


def _release(dsn: str, request: MaintenanceRequest, lease: HeldLease) -> None:
    if lease.taken_away:
        return
    with switching(dsn, request.lock_timeout) as conn:
        if restore_lease(conn, lease.closure):
            return
    turn_off(dsn, request)
