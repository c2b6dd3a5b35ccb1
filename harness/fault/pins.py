"""Hold a runner's backend at a precise moment, and prove by the server's own word that it is there.

A blocker holds what the backend needs next; the catalog says that the backend waits for it. Nothing
is concluded from time that passed. The blockers act from outside: no code of the runner knows them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psycopg

from harness.core.poll import wait_until
from harness.database import admin
from harness.database.ledger_names import spelled

HERE = Path(__file__).parent
KEY = 7366254  # the advisory lock of pin_install.sql
LIMIT = 60.0  # seconds after which a moment that does not come is given up
PAUSE = 0.005
Side = Literal["before", "after"]


class PinMissed(Exception):  # noqa: N818 - a finding about the point, not an error of the program
    """The moment did not come: the runner went past it, or ended before."""


@dataclass(frozen=True)
class Sight:
    """What must be seen of a waiting backend; None where it does not matter.

    `flags` are indisvalid, indisready and indislive of the index that is built or dropped.
    """

    wait: str | None = None
    lock: str | None = None
    mode: str | None = None
    relation: str | None = None
    phase: str | None = None
    query: str | None = None
    flags: tuple[bool, bool, bool] | None = None


@dataclass(frozen=True)
class Hold:
    """One thing to hold, in a transaction that stays open, and what is seen when it holds."""

    hold: str
    sight: Sight


@dataclass(frozen=True)
class Target:
    """One commit of a runner, by what it tells the ledger, and on which side of it to stop."""

    step: str
    state: str
    batches: int
    side: Side


@dataclass(frozen=True)
class Pin:
    """A moment: stages that follow each other, each held before the last one is let go.

    `index` is the index whose flags are looked at, `target` the commit that is held, if any.
    """

    stages: tuple[Hold, ...]
    index: str | None = None
    target: Target | None = None


@dataclass(frozen=True)
class Pinned:
    """A backend that stands at the moment, and what the server said of it."""

    pid: int
    query_start: str
    evidence: str


@dataclass
class HeldPin:
    """A pin set in one database: install before the runner starts, then reach, then release."""

    dsn: str
    pin: Pin
    _blockers: list[psycopg.Connection[Any]] = field(default_factory=list)
    _watcher: psycopg.Connection[Any] | None = None

    def install(self) -> None:
        """Take hold of the first stage, and mark the commit that is to be held."""
        target = self.pin.target
        watcher = self.renew()
        if target is not None:
            watcher.execute(spelled((HERE / "pin_install.sql").read_text()))
            watcher.execute(
                "INSERT INTO migration_pin.target VALUES (%s, %s, %s, %s)",
                [target.step, target.state, target.batches, target.side],
            )
        self._block(self.pin.stages[0])

    def renew(self) -> psycopg.Connection[Any]:
        """Watch on a new connection: the server was killed, or nobody watched yet."""
        if self._watcher is not None:
            self._watcher.close()
        self._watcher = admin.connect(
            self.dsn,
            application_name="pin watcher",
            options="-c plan_cache_mode=force_generic_plan",  # it asks the same again and again
        )
        return self._watcher

    def _block(self, stage: Hold) -> None:
        blocker = psycopg.connect(self.dsn, application_name="pin blocker")
        self._blockers.append(blocker)
        blocker.execute(stage.hold.encode())

    def reach(self, alive: Callable[[], bool]) -> Pinned:
        """Wait until the runner stands at the moment; PinMissed when it is not alive any more."""
        found = self._reached(self.pin.stages[0], alive)
        for stage in self.pin.stages[1:]:
            self._block(stage)
            self._let_go(self._blockers.pop(0))
            found = self._reached(stage, alive)
        return found

    def _reached(self, stage: Hold, alive: Callable[[], bool]) -> Pinned:
        def look() -> Pinned | bool:
            there = alive()
            return self.seen(stage.sight) or not there

        try:
            found = wait_until(look, LIMIT, f"a runner at {stage.sight}", pause=PAUSE)
        except TimeoutError as error:
            raise PinMissed(str(error)) from None
        if not isinstance(found, Pinned):
            raise PinMissed(f"the runner ended before it waited for {stage.hold!r}")
        return found

    def seen(self, sight: Sight) -> Pinned | None:
        """The runner's backend that is seen so now."""
        query = (HERE / "pin_look.sql").read_bytes()
        found = self.watcher.execute(query, {"index": self.pin.index}, prepare=True)
        for row in found.fetchall():
            pid, start, wait, lock, mode, phase, text, relation, flags = row
            there = Sight(wait, lock, mode, relation, phase, text, tuple(flags) if flags else None)
            if _matches(sight, there):
                return Pinned(pid, start, _words(there))
        return None

    @property
    def watcher(self) -> psycopg.Connection[Any]:
        """The connection on which the runner is watched."""
        assert self._watcher is not None, "the pin is not installed"
        return self._watcher

    def stands(self, pinned: Pinned) -> bool:
        """Whether the backend still waits in the statement in which it was seen."""
        found = self.watcher.execute(
            "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = %s"
            " AND query_start = %s::timestamptz AND state = 'active'",
            [pinned.pid, pinned.query_start],
        )
        return found.fetchone() is not None

    def lives(self, pid: int) -> bool:
        """Whether the server has a backend of this number."""
        found = self.watcher.execute(
            "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = %s", [pid]
        )
        return found.fetchone() is not None

    def call(self, function: Literal["cancel", "terminate"], pid: int) -> None:
        """Send a backend the server's own signal."""
        query = f"SELECT pg_catalog.pg_{function}_backend(%s)"
        row = self.watcher.execute(query.encode(), [pid]).fetchone()
        if row != (True,):
            raise PinMissed(f"server process {pid} was gone before it could be struck")

    def remove(self) -> None:
        """Take away what marked the commit, so that the database can be judged."""
        if self.pin.target is not None:
            self.watcher.execute((HERE / "pin_remove.sql").read_bytes())

    def release(self) -> None:
        """Let go; may be called twice, and after the server died."""
        while self._blockers:
            self._let_go(self._blockers.pop())

    def _let_go(self, blocker: psycopg.Connection[Any]) -> None:
        with contextlib.suppress(psycopg.Error):
            blocker.rollback()  # and not only close(): the backend would end a moment later
        blocker.close()

    def close(self) -> None:
        """Release, and keep no connection."""
        self.release()
        if self._watcher is not None:
            self._watcher.close()


def _matches(sight: Sight, there: Sight) -> bool:
    if sight.query is not None and sight.query not in (there.query or "").lower():
        return False
    names = ("wait", "lock", "mode", "relation", "phase", "flags")
    return all(getattr(sight, name) in (None, getattr(there, name)) for name in names)


def _words(there: Sight) -> str:
    parts = [f"wait_event {there.wait}"]
    if there.lock:
        parts.append(f"{there.mode} on {there.relation or there.lock} not granted")
    if there.phase:
        parts.append(f"phase {there.phase!r}")
    if there.flags:
        named = zip(("valid", "ready", "live"), there.flags, strict=True)
        parts.append("index " + " ".join(name if on else f"not {name}" for name, on in named))
    return ", ".join(parts)


def table_of(dsn: str, index: str) -> str | None:
    """The table of an index, both as SQL names them; None when the index is not there."""
    with admin.connection(dsn) as conn:
        row = conn.execute(
            "SELECT pg_catalog.format('%%I.%%I', n.nspname, t.relname)"
            " FROM pg_catalog.pg_index AS i"
            " JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid"
            " JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace"
            " WHERE i.indexrelid = pg_catalog.to_regclass(%s)",
            [index],
        ).fetchone()
        return str(row[0]) if row else None


def remove(dsn: str) -> None:
    """Take away what a pin or a recorder installed, so that the database can be judged."""
    with admin.connection(dsn) as conn:
        conn.execute((HERE / "pin_remove.sql").read_bytes())


def record(dsn: str) -> None:
    """Begin to write down the commits of the runs to come."""
    with admin.connection(dsn) as conn:
        conn.execute(spelled((HERE / "pin_record.sql").read_text()))


def recorded(dsn: str) -> list[tuple[str, str, int]]:
    """Step, state and batches of every checkpoint committed since `record`, in order."""
    with admin.connection(dsn) as conn:
        rows = conn.execute("SELECT step, state, batches FROM migration_pin.seen ORDER BY number")
        return [(step, state, batches) for step, state, batches in rows.fetchall()]
