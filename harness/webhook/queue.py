"""The deliveries of one endpoint: what is due, and what became of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from psycopg.rows import class_row

from harness.webhook.outbox import Connection

BATCH: Final = 100
_NO_PATH: Final = "SET search_path = pg_catalog"
_CLAIM: Final = """
SELECT pg_catalog.pg_try_advisory_lock(
  pg_catalog.hashtext('migration_outbox'), pg_catalog.hashtext(%s))
"""
_LAST: Final = "SELECT coalesce(max(seq), 0) FROM migration_outbox.event"
_DELIVERED: Final = """
UPDATE migration_outbox.delivery SET state = 'delivered', attempts = attempts + 1, outcome = %s,
  ended_at = clock_timestamp()
WHERE endpoint = %s AND seq = %s AND state = 'pending'
"""
_FAILED: Final = """
UPDATE migration_outbox.delivery SET attempts = attempts + 1, outcome = %(said)s,
  state = CASE WHEN %(wait)s::float8 IS NULL THEN 'given-up' ELSE state END,
  ended_at = CASE WHEN %(wait)s::float8 IS NULL THEN clock_timestamp() END,
  next_at = clock_timestamp() + make_interval(secs => coalesce(%(wait)s::float8, 0))
WHERE endpoint = %(endpoint)s AND seq = %(seq)s AND state = 'pending'
"""
_REST: Final = """
UPDATE migration_outbox.endpoint SET failures = failures + 1,
  rests_until = clock_timestamp() + make_interval(secs => %s)
WHERE name = %s
"""
_RECOVERED: Final = """
UPDATE migration_outbox.endpoint SET failures = 0, rests_until = NULL
WHERE name = %s AND (failures > 0 OR rests_until IS NOT NULL)
"""
_DISABLE: Final = """
UPDATE migration_outbox.endpoint SET disabled_at = clock_timestamp(), disabled_for = %s
WHERE name = %s AND disabled_at IS NULL
"""


@dataclass(frozen=True)
class DueDelivery:
    """An event that an endpoint is owed now, with the attempts that failed so far."""

    seq: int
    key: str
    id: str
    body: str
    attempts: int


@dataclass(frozen=True)
class EndpointStanding:
    """How an endpoint stands. `rests` and `next_in` are seconds; None: nothing is pending."""

    disabled: bool
    disabled_for: str
    failures: int
    rests: float
    pending: int
    next_in: float | None


class EndpointQueue:
    """What one endpoint is owed, over a session whose lock keeps other senders from it."""

    def __init__(self, conn: Connection, endpoint: str) -> None:
        self._conn = conn
        self._endpoint = endpoint
        self._conn.execute(_NO_PATH)

    def claim(self) -> bool:
        """Take the endpoint for this session; whether no other sender has it."""
        row: Any = self._conn.execute(_CLAIM, [self._endpoint]).fetchone()
        return bool(row[0])

    def last(self) -> int:
        """The number of the newest event."""
        row: Any = self._conn.execute(_LAST).fetchone()
        return int(row[0])

    def due(self, last: int, held: Collection[str]) -> list[DueDelivery]:
        """Events up to number `last` that may be sent now, in the order in which they must be.

        Not those of the keys `held`.
        """
        asked = {"endpoint": self._endpoint, "last": last, "held": list(held), "limit": BATCH}
        with self._conn.cursor(row_factory=class_row(DueDelivery)) as cursor:
            return cursor.execute(_statement("due.sql"), asked).fetchall()

    def standing(self) -> EndpointStanding:
        """How the endpoint stands."""
        row: Any = self._conn.execute(_statement("standing.sql"), [self._endpoint]).fetchone()
        return EndpointStanding(*row)

    def delivered(self, one: DueDelivery, said: str) -> None:
        """Write down that it arrived, and that the endpoint is well."""
        self._conn.execute(_DELIVERED, [said, self._endpoint, one.seq])

    def failed(self, one: DueDelivery, said: str, wait: float | None) -> None:
        """Write down an attempt that failed; the next is in `wait` seconds, or there is none."""
        self._conn.execute(
            _FAILED, {"said": said, "wait": wait, "endpoint": self._endpoint, "seq": one.seq}
        )

    def rest(self, seconds: float) -> None:
        """Leave the endpoint alone for a while."""
        self._conn.execute(_REST, [seconds, self._endpoint])

    def recovered(self) -> None:
        """It takes events again."""
        self._conn.execute(_RECOVERED, [self._endpoint])

    def disable(self, reason: str) -> None:
        """Queue and send it nothing more; what is pending stays."""
        self._conn.execute(_DISABLE, [reason, self._endpoint])


@cache
def _statement(name: str) -> bytes:
    return files(__package__).joinpath("sql", name).read_bytes()
