"""What tells that the server has more important things to do than a batch; unseen is never zero."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from harness.core.sqlstate import UNREACHABLE
from harness.plan import RunnerSettings

STANDBYS = Path(__file__).with_name("standbys.sql").read_bytes()
SESSIONS = b"""
SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'),
  pg_catalog.quote_ident(current_user),
  pg_catalog.count(*) FILTER (WHERE state = 'active' AND pid <> pg_catalog.pg_backend_pid()),
  pg_catalog.count(*) FILTER (WHERE state = 'disabled')
FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database()
"""
WRITTEN = (
    b"SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint"
)
MAY_SEE_ARCHIVE = b"""
SELECT pg_catalog.current_setting('archive_mode') <> 'off',
  pg_catalog.current_setting('wal_level') <> 'minimal',
  pg_catalog.has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'EXECUTE'),
  pg_catalog.quote_ident(current_user)
"""
BACKLOG = b"SELECT count(*) FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
SLOTS = b"""
SELECT slot_name::text, wal_status,
  pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint
FROM pg_catalog.pg_replication_slots WHERE restart_lsn IS NOT NULL OR wal_status = 'lost'
ORDER BY 1
"""
FLUSH = b"SELECT pg_catalog.pg_logical_emit_message(true, 'migration-harness', '')"
"""Writes to the log and to nothing else, so its commit waits for what every commit waits for."""
SILENT = 45.0  # seconds after which a standby's last answer is no answer any more
Clock = Callable[[], float]


class Answerer(Protocol):
    """Who answers a signal's query: a connection, or the runner's session."""

    def execute(self, query: bytes) -> Any:
        """The answer, a cursor."""
        ...


@dataclass(frozen=True)
class Reading:
    """What one look at a signal saw: a value, and what it is of; or why nothing was seen.

    `value` is None while there is nothing to compare. `cure` is what makes a blind signal see.
    """

    value: float | None = None
    what: str = ""
    blind: str = ""
    cure: str = ""


class LoadSignal(Protocol):
    """Something that may ask for a pause between two batches; `key` is its limit in [runner].

    A key that begins with `min_` is the least that is borne, every other one the most.
    """

    key: str

    def read(self, conn: Answerer) -> Reading:
        """One look; a psycopg.Error where the server does not answer it."""
        ...


def _hidden(what: str, role: str, group: str = "pg_read_all_stats") -> Reading:
    return Reading(blind=f"{what} hidden from role {role}", cure=f"GRANT {group} TO {role}")


class ReplicationLag:
    """Bytes of WAL that the slowest standby has not replayed.

    A standby that was seen once is missed when it is gone, until the run ends.
    """

    key = "max_replication_lag_bytes"

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._known: Counter[str] = Counter()
        self._answers: dict[int, tuple[str, float]] = {}

    def read(self, conn: Answerer) -> Reading:
        """The lag of the slowest; blind when one is hidden, missed or silent."""
        rows = conn.execute(STANDBYS).fetchall()
        sees, role, possible, idle_slots = rows[0][:4]
        if not sees:
            return _hidden("how far standbys have replayed is", role)
        if not possible:
            return Reading(0, "no standby can connect to this server")
        found = [row[4:] for row in rows if row[4] is not None]
        here = Counter(name for _, name, _, _, logical in found if not logical)
        self._known |= here
        missed = self._missed(here, idle_slots or [], [row[0] for row in found])
        silent = [name for pid, name, _, said, _ in found if self._is_silent(pid, said)]
        if missed or silent:
            why = missed or f"standby {silent[0]} has not answered for {SILENT:g} s"
            return Reading(
                blind=f"the replication lag is not known: {why}",
                cure="start the standby again, or set max_replication_lag_bytes to 0 without one",
            )
        lag, name = max((lag, name) for _, name, lag, _, _ in found)
        return Reading(lag, f"standby {name} is {lag:,} bytes behind")

    def _missed(self, here: Counter[str], idle_slots: list[str], pids: list[int]) -> str:
        gone = sorted((self._known - here).elements())
        if gone:
            return f"standby {gone[0]} is gone"
        if idle_slots:
            return f"the standby of replication slot {idle_slots[0]} is away"
        return "" if pids else "no standby is connected"

    def _is_silent(self, pid: int, said: str) -> bool:
        """Whether the same answer is the last one for too long, by our own clock."""
        before = self._answers.get(pid)
        if before is None or before[0] != said:
            self._answers[pid] = (said, self._clock())
            return False
        return self._clock() - before[1] > SILENT


class ActiveSessions:
    """Other sessions of this database that are executing."""

    key = "max_active_sessions"

    def read(self, conn: Answerer) -> Reading:
        """How many there are; blind where the state of others is hidden or not kept."""
        sees, role, count, disabled = conn.execute(SESSIONS).fetchone()
        if not sees:
            return _hidden("what other sessions do is", role)
        if disabled:
            return Reading(
                blind="what sessions do is not kept: track_activities is off",
                cure="set track_activities to on",
            )
        return Reading(count, f"{count} other sessions are active")


class WalRate:
    """WAL written per second, by everybody, since the last look."""

    key = "max_wal_bytes_per_second"

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[float, int] | None = None

    def read(self, conn: Answerer) -> Reading:
        """The rate; nothing at the first look."""
        written = int(conn.execute(WRITTEN).fetchone()[0])
        now = self._clock()
        before, self._last = self._last, (now, written)
        if before is None or now <= before[0]:
            return Reading()
        rate = (written - before[1]) / (now - before[0])
        return Reading(rate, f"{rate:,.0f} bytes of WAL are written a second")


class ArchiveBacklog:
    """WAL files that wait for the archiver."""

    key = "max_archive_backlog"

    def read(self, conn: Answerer) -> Reading:
        """How many wait; blind where nothing is archived, or where that is hidden."""
        archives, possible, sees, role = conn.execute(MAY_SEE_ARCHIVE).fetchone()
        if not possible:
            return Reading(0, "this server's WAL is not meant for an archive")
        if not archives:
            return Reading(
                blind="no WAL is archived: archive_mode is off",
                cure="set max_archive_backlog to 0, or archive_mode to on",
            )
        if not sees:
            return _hidden("which WAL files wait for the archiver is", role, "pg_monitor")
        count = conn.execute(BACKLOG).fetchone()[0]
        return Reading(count, f"{count} WAL files wait for the archiver")


class SlotBacklog:
    """Bytes of WAL that replication slots keep from being removed."""

    key = "max_slot_wal_bytes"

    def read(self, conn: Answerer) -> Reading:
        """What the slot furthest behind keeps; blind where one has lost what it needs."""
        rows = conn.execute(SLOTS).fetchall()
        lost = [name for name, status, _ in rows if status == "lost"]
        if lost:
            return Reading(
                blind=f"replication slot {lost[0]} has lost WAL that it needs",
                cure="make its standby or subscriber anew, and drop the slot",
            )
        kept, name = max(((kept, name) for name, _, kept in rows), default=(0, ""))
        return Reading(kept, f"replication slot {name} keeps {kept:,} bytes of WAL")


class CommitLatency:
    """Seconds that a commit takes, the quickest of three: disk, and a synchronous standby."""

    key = "max_commit_latency"

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock

    def read(self, conn: Answerer) -> Reading:
        """How long it takes."""
        quickest = min(self._one(conn) for _ in range(3))
        return Reading(quickest, f"a commit takes {quickest * 1000:,.0f} ms")

    def _one(self, conn: Answerer) -> float:
        began = self._clock()
        conn.execute(FLUSH)
        return self._clock() - began


def asked(
    settings: RunnerSettings, signals: tuple[LoadSignal, ...]
) -> list[tuple[LoadSignal, float]]:
    """The signals that the plan asks for, with their limits; a limit of 0 asks for none."""
    limits = [(one, float(getattr(settings, one.key))) for one in signals]
    return [(one, limit) for one, limit in limits if limit]


def read_signal(signal: LoadSignal, conn: Answerer) -> Reading:
    """One look; what the server refuses to tell is not seen. A lost connection is the caller's."""
    try:
        return signal.read(conn)
    except psycopg.Error as error:
        if not error.sqlstate or error.sqlstate.startswith(UNREACHABLE):
            raise
        words = " ".join(str(error).split())
        return Reading(blind=words, cure=f"or set {signal.key} to 0")
