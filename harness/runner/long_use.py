"""Look before you queue: whoever has used a table for long would make our lock request a convoy.

Everybody who comes after a request for a strong lock waits behind it, so it is not made while a
transaction holds the table that will hardly end within the lock's timeout. A concurrent statement
makes nobody wait, but waits itself, and what it has built is lost when it waits for too long.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from harness.core.errors import Stopped
from harness.plan import RunnerSettings, Script
from harness.plan.strong_locks import Stops, strong_locks
from harness.runner.index import Wanted

QUERY = Path(__file__).with_name("long_users.sql").read_text()
INTERVAL = 0.2
SAW = 2.0  # seconds after which a transaction that we see, and whose age is hidden, is told


@dataclass(frozen=True)
class TableUser:
    """A transaction of somebody else that holds a table; `age` is None where it is hidden."""

    transaction: str
    pid: int | None
    table: str
    application: str
    state: str
    age: float | None
    prepared: str | None
    role: str

    def __str__(self) -> str:
        if self.prepared is not None:
            return f"prepared transaction {self.prepared!r} holds {self.table}{self._since()}"
        name = f" ({self.application})" if self.application else ""
        what = f", {self.state}" if self.state else ""
        return f"process {self.pid}{name} holds {self.table}{self._since()}{what}"

    def _since(self) -> str:
        if self.age is None:
            return f", for how long is hidden from role {self.role}"
        return f" for {self.age:.0f} s"


def look_sql(settings: RunnerSettings, script: Script | None) -> sql.Composed | None:
    """Who uses the tables that the script locks; None where there is nothing to look at."""
    if script is None or script.kind != "transaction" or not settings.long_use:
        return None
    wanted = [(name, lock.stops) for lock in strong_locks(script) for name in lock.names]
    return _query(settings, wanted) if wanted else None


def concurrent_sql(settings: RunnerSettings, want: Wanted) -> sql.Composed | None:
    """Who is in the way of a concurrent statement; None where there is nothing to look at.

    It stops nobody, but waits: CREATE INDEX for who writes to the table and for every older
    snapshot, DROP INDEX for whoever uses the table.
    """
    if not settings.long_use:
        return None
    if want.table is not None:
        return _query(settings, [(want.table.sql, "writes")], snapshots=True)
    return _query(settings, [(want.index.sql, "everything")])


def _query(
    settings: RunnerSettings, wanted: list[tuple[str, Stops]], *, snapshots: bool = False
) -> sql.Composed:
    rows = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(stops)) for name, stops in wanted
    )
    seconds = sql.Literal(settings.long_use)
    return sql.SQL(QUERY).format(wanted=rows, seconds=seconds, snapshots=sql.Literal(snapshots))


class LongUse:
    """What one step waits for before it asks for its locks.

    Where ages are hidden, a transaction that was met at the first look is taken for a long one
    until it has ended: those that come later are known to be young.
    """

    def __init__(self, settings: RunnerSettings) -> None:
        self._settings = settings
        self._began = time.monotonic()
        self._hidden: set[str] | None = None
        self.told = False

    def of(self, rows: list[tuple[object, ...]]) -> list[TableUser]:
        """The long users among the answer to the look, each transaction once."""
        users: dict[str, TableUser] = {}
        for row in rows:
            users.setdefault(str(row[0]), _user(row))
        hidden = {one for one, user in users.items() if user.age is None}
        if self._hidden is None:
            self._hidden = hidden
        old = self._hidden = self._hidden & hidden
        return [user for one, user in users.items() if user.age is not None or one in old]

    def is_sure(self, users: list[TableUser]) -> bool:
        """Whether one of them is known to be long; of hidden age after a while."""
        saw = self.waited > min(self._settings.long_use, SAW)
        return saw or any(one.age is not None for one in users)

    @property
    def waited(self) -> float:
        """For how many seconds it has been waiting."""
        return time.monotonic() - self._began

    def refuse_longer(self, users: list[TableUser], step: str, limit: float) -> None:
        """Stopped when they were waited for as long as the plan, or an operator, allows."""
        if self.waited > limit:
            raise Stopped(
                f"waited {limit:g} s before asking for locks: {listed(users)}",
                where=step,
                hint=_advice(users),
            )


def _user(row: tuple[object, ...]) -> TableUser:
    transaction, pid, table, application, state, age, prepared, role = row
    return TableUser(
        str(transaction),
        int(str(pid)) if pid is not None else None,
        str(table).replace('"', ""),
        str(application or ""),
        str(state or ""),
        float(str(age)) if age is not None else None,
        str(prepared) if prepared is not None else None,
        str(role),
    )


def listed(users: list[TableUser]) -> str:
    """The first few of them on one line."""
    more = f" and {len(users) - 3} more" if len(users) > 3 else ""
    return "; ".join(map(str, users[:3])) + more


def _advice(users: list[TableUser]) -> str:
    first = users[0]
    if first.prepared is not None:
        return f"COMMIT PREPARED or ROLLBACK PREPARED '{first.prepared}', then run the same again"
    sees = "" if first.age is not None else f" (or GRANT pg_read_all_stats TO {first.role})"
    return (
        f"wait for its end, or end it: SELECT pg_terminate_backend({first.pid}){sees};"
        " then run the same again"
    )
