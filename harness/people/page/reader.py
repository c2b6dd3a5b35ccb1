"""A thread that looks at the ledger now and then, so that no request ever has to.

Its session cannot write and waits for no lock. When the server is away the last reading stays,
and grows old; why it is away is the operator's to know: no visitor is told a word of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import psycopg

from harness.core.errors import HarnessError
from harness.people.page.reading import LedgerReading, read_ledger
from harness.runner.watching import watching

if TYPE_CHECKING:
    from harness.database.ledger_view import Connection
    from harness.plan import Plan

EVERY: Final = 1.0
"""Seconds between two looks."""

LIMITS: Final = (
    "SET statement_timeout = '2s'",
    "SET lock_timeout = '500ms'",
    "SET idle_in_transaction_session_timeout = '10s'",
)


class LedgerReader:
    """Looks at the ledger of one database; holds what it saw last.

    `tell` is given what an operator should know: that the database is away, why, and that it is
    back.
    """

    def __init__(
        self,
        dsn: str,
        plan: Plan,
        tell: Callable[[str], None],
        clock: Callable[[], datetime],
        every: float = EVERY,
    ) -> None:
        self._dsn, self._plan, self._tell = dsn, plan, tell
        self._clock, self._every = clock, every
        self._ended = threading.Event()
        self._reading: LedgerReading | None = None
        self._away = ""
        self._thread = threading.Thread(target=self._work, name="ledger reader", daemon=True)

    @property
    def reading(self) -> LedgerReading | None:
        """The last reading, None while there was none."""
        return self._reading

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that is under way is waited for."""
        self._ended.set()
        self._thread.join()

    def look(self) -> LedgerReading:
        """Look once, on a session of its own; raises HarnessError or psycopg.Error."""
        with watching(self._dsn) as conn:
            return self._looked(conn)

    def _looked(self, conn: Connection) -> LedgerReading:
        for limit in LIMITS:
            conn.execute(limit)
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self._reading = read_ledger(conn, self._plan, self._clock())
        return self._reading

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                with watching(self._dsn) as conn:
                    self._follow(conn)
            except (HarnessError, psycopg.Error, OSError) as error:
                self._say(f"the database cannot be read: {' '.join(str(error).split())}")
            self._ended.wait(self._every)

    def _follow(self, conn: Connection) -> None:
        """Look again and again, on one session."""
        while not self._ended.is_set():
            self._looked(conn)
            if self._away:
                self._say("")
            self._ended.wait(self._every)

    def _say(self, away: str) -> None:
        """Tell it, once for each reason."""
        if away != self._away:
            self._away = away
            self._tell(away or "the database can be read again")
