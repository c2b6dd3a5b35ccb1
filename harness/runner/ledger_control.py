"""The statements by which an operator asks something of a run, and sees what is asked."""

from __future__ import annotations

ROWS = """
SELECT key, value, until::text, set_by, set_at::text FROM migration_control.control
WHERE run_id = %s AND until > pg_catalog.clock_timestamp() ORDER BY key
"""
RIGHTS = """
SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE'), current_user::text,
  pg_catalog.pg_get_userbyid(c.relowner)::text, pg_catalog.pg_is_in_recovery()
FROM pg_catalog.pg_class AS c WHERE c.oid = 'migration_control.control'::pg_catalog.regclass
"""
TAKE_BACK = "DELETE FROM migration_control.control WHERE run_id = %s AND key = ANY(%s)"
ASK = """
INSERT INTO migration_control.control (run_id, key, value, epoch, until, set_by)
SELECT id, %s, %s, epoch,
  pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => %s), %s
FROM migration_control.run WHERE id = %s
ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value, epoch = excluded.epoch,
  until = excluded.until, set_by = excluded.set_by, set_at = excluded.set_at
"""
NOTE = "INSERT INTO migration_control.event (run_id, kind, message) VALUES (%s, 'control', %s)"
ASKED = """
SELECT key, value, pg_catalog.to_char(until, 'HH24:MI:SS') FROM migration_control.control
WHERE run_id = %s AND until > pg_catalog.clock_timestamp() ORDER BY key
"""
SINCE = """
SELECT pg_catalog.date_part('epoch', coalesce(completed_at, pg_catalog.clock_timestamp())
  - started_at)::float8 FROM migration_control.run WHERE id = %s
"""
