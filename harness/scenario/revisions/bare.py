"""The same revisions without made rows: rows that a catalog allows may be none that users have."""

from __future__ import annotations

from harness.scenario.revisions.apply import Sender
from harness.scenario.revisions.check_server import CheckServer
from harness.subject.adapter.model import ForeignRevision

OF_ROWS = "23"
"""The class of states that rows are to blame for: integrity constraint violation."""


class BareChain:
    """A database that follows when it is asked, through the revisions that went before."""

    def __init__(self, server: CheckServer, sender: Sender, start: str) -> None:
        self._server, self._sender = server, sender
        self._name = server.make(start)
        self._pending: list[ForeignRevision] = []

    def follow(self, revision: ForeignRevision) -> None:
        """A revision is done elsewhere: it comes before the next that is asked about."""
        self._pending.append(revision)

    def copy_after(self, revision: ForeignRevision) -> str | None:
        """A copy of the database after the revision; None where it does not go up here either."""
        for one in (*self._pending, revision):
            if self._sender.up(self._server.dsn(self._name), one).error is not None:
                return None
        self._pending.clear()
        return self._server.make(self._name)
