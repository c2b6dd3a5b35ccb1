"""Connections: every slot of a server taken, and those of one database ended."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Final

import psycopg

from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until

MOST: Final = 2000  # slots; a server with more is no server for this
NONE_LEFT: Final = re.compile(r"too many clients already|remaining connection slots are reserved")
"""What a server says that has no connection left; its words are English here."""


class Crowd:
    """Connections that do nothing but fill slots, the superuser's reserved ones too.

    The role must be a superuser. The first connection is also the crowd's eye and hand on a server
    that lets nobody else in.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._eye = psycopg.connect(dsn, autocommit=True, application_name="crowd")
        self._others: list[psycopg.Connection[Any]] = []

    def take_all(self, but: int = 0) -> str:
        """Take every slot until the server refuses one more, then let `but` go; the refusal."""
        refusal = self._take()
        for _ in range(but):
            self._others.pop().close()
        wait_until(lambda: self.counted() == self.size, 10, f"{but} free slots", pause=0.002)
        return refusal

    def _take(self) -> str:
        for _ in range(MOST):
            try:
                taken = psycopg.connect(self._dsn, autocommit=True, application_name="crowd")
            except psycopg.OperationalError as error:
                found = NONE_LEFT.search(str(error))
                if found is None:
                    raise
                return found.group()
            self._others.append(taken)
        raise InfrastructureError(
            f"connections: the server still takes more after {MOST} connections",
            hint="lower its max_connections",
        )

    @property
    def size(self) -> int:
        """How many slots the crowd takes."""
        return 1 + len(self._others)

    def counted(self) -> int:
        """How many slots are taken, by anybody, as the server counts."""
        row = self._eye.execute(
            "select count(*) from pg_catalog.pg_stat_activity"
            " where backend_type in ('client backend', 'walsender')"
        ).fetchone()
        assert row is not None, "an aggregate gives one row"
        return int(row[0])

    def end(self, dbname: str) -> int:
        """Terminate every backend of a database, and return when they are gone; how many."""
        found = self._eye.execute(
            "select pid, pg_catalog.pg_terminate_backend(pid)"
            " from pg_catalog.pg_stat_activity where datname = %s and backend_type = %s",
            [dbname, "client backend"],
        ).fetchall()
        query = "select 1 from pg_catalog.pg_stat_activity where pid = any(%s)"
        pids = [pid for pid, _ in found]
        wait_until(
            lambda: self._eye.execute(query, [pids]).fetchone() is None,
            20, f"the end of all connections to {dbname}", pause=0.002,
        )  # fmt: skip
        return len(found)

    def release(self) -> None:
        """Let every slot go, and return when the server has them back; may be called twice."""
        while self._others:
            self._others.pop().close()
        if not self._eye.closed:
            query = (
                "select 1 from pg_catalog.pg_stat_activity where application_name = 'crowd'"
                " and pid <> pg_catalog.pg_backend_pid()"
            )
            wait_until(
                lambda: self._eye.execute(query).fetchone() is None,
                20, "the crowd to be gone", pause=0.002,
            )  # fmt: skip
            self._eye.close()

    def __enter__(self) -> Crowd:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for conn in (*self._others, self._eye):
            conn.close()
