"""What a person does with the outbox: look, enable or disable an endpoint, say when a name ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from harness.core.errors import Refused
from harness.webhook.outbox import Connection, registered

DEPRECATED: Final = "schema.deprecated"
"""The type of the event that tells an endpoint until when its vocabulary is spoken."""
_LOOK: Final = """
SELECT e.name, e.vocabulary,
  coalesce(to_char(e.disabled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
  coalesce(e.disabled_for, ''), coalesce(e.sunset_told::text, ''),
  count(d.seq) FILTER (WHERE d.state = 'pending'),
  count(d.seq) FILTER (WHERE d.state = 'delivered'),
  count(d.seq) FILTER (WHERE d.state = 'given-up'),
  coalesce(max(d.outcome) FILTER (WHERE d.state = 'pending' AND d.attempts > 0), '')
FROM migration_outbox.endpoint AS e LEFT JOIN migration_outbox.delivery AS d ON d.endpoint = e.name
GROUP BY e.name ORDER BY e.name
"""
_ENABLE: Final = """
UPDATE migration_outbox.endpoint
SET disabled_at = NULL, disabled_for = NULL, failures = 0, rests_until = NULL WHERE name = %s
"""
_AGAIN: Final = """
UPDATE migration_outbox.delivery
SET state = 'pending', attempts = 0, next_at = clock_timestamp(), ended_at = NULL
WHERE endpoint = %s AND state <> 'delivered'
"""
_DISABLE: Final = """
UPDATE migration_outbox.endpoint SET disabled_at = clock_timestamp(), disabled_for = 'by hand'
WHERE name = %s AND disabled_at IS NULL
"""
_TELL: Final = """
WITH told AS (
  UPDATE migration_outbox.endpoint SET sunset_told = %(sunset)s
  WHERE vocabulary = %(vocabulary)s AND disabled_at IS NULL
    AND sunset_told IS DISTINCT FROM %(sunset)s
  RETURNING name
), queued AS (
  INSERT INTO migration_outbox.event (id, vocabulary, type, key, body)
  SELECT 'msg_' || replace(gen_random_uuid()::text, '-', ''), %(vocabulary)s, %(type)s,
    %(type)s || '/' || name,
    jsonb_build_object('type', %(type)s::text,
      'timestamp', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      'data', jsonb_build_object('endpoint', name) || %(data)s::jsonb)::text
  FROM told RETURNING seq, key
)
INSERT INTO migration_outbox.delivery (endpoint, seq, key)
SELECT t.name, q.seq, q.key FROM queued AS q JOIN told AS t ON q.key = %(type)s || '/' || t.name
RETURNING endpoint
"""


@dataclass(frozen=True)
class EndpointLine:
    """How an endpoint stands in the outbox."""

    name: str
    vocabulary: str
    disabled: str
    disabled_for: str
    sunset_told: str
    pending: int
    delivered: int
    given_up: int
    said: str


def look(conn: Connection) -> list[EndpointLine]:
    """Every endpoint, in order of names."""
    return [EndpointLine(*row) for row in conn.execute(_LOOK).fetchall()]


def enable(conn: Connection, name: str) -> int:
    """Queue and send to an endpoint again, what was given up too; how many events are pending."""
    _require(conn, name)
    with conn.transaction():
        conn.execute(_ENABLE, [name])
        return conn.execute(_AGAIN, [name]).rowcount


def disable(conn: Connection, name: str) -> None:
    """Queue and send to an endpoint no more; what is pending stays."""
    _require(conn, name)
    conn.execute(_DISABLE, [name])


def deprecate(conn: Connection, vocabulary: str, sunset: date, successor: str | None) -> list[str]:
    """Queue one event for each endpoint of a vocabulary: until when it is spoken.

    Gives whom it is queued for; who was told this day already is not told again.
    """
    data = {"vocabulary": vocabulary, "sunset": sunset.isoformat(), "successor": successor}
    rows: Any = conn.execute(
        _TELL,
        {"vocabulary": vocabulary, "sunset": sunset, "type": DEPRECATED, "data": json.dumps(data)},
    ).fetchall()
    return sorted(row[0] for row in rows)


def _require(conn: Connection, name: str) -> None:
    known = registered(conn)
    if name not in known:
        hint = f"known are {', '.join(known)}" if known else "none is registered"
        raise Refused(f"there is no endpoint {name!r}", hint=hint)
