"""The format of the ledger: its version and its columns, and the way from an older one to ours.

A ledger of every version since the first is read as it is. It is brought to the newest one in the
transaction of the first runner that writes to it.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import Refused
from harness.runner.connection import Connection

VERSION = 4
HERE = Path(__file__).parent
SCHEMA = HERE / "ledger.sql"
UPGRADES = {old: HERE / f"ledger_{old}_to_{old + 1}.sql" for old in range(1, VERSION)}
"""By the version they start from: each leaves the next one."""

COLUMNS: dict[str, str] = {
    "ledger": "version created_at",
    "run": "id direction undoes plan plan_version plan_hash state epoch pid backend_start lock_pid"
    " lock_backend_start client steps_begun steps_done reason seal started_at completed_at",
    "step": "run_id step position kind state last_key rows batches attempts started_at updated_at"
    " seal",
    "plan_file": "run_id path sha256",
    "event": "id run_id at kind step message",
    "archived": "run_id relation rows",
}
"""What every version has."""

SINCE = {
    **dict.fromkeys(("step.object", "step.object_seal"), 2),
    **{
        f"control.{name}": 3
        for name in ("run_id", "key", "value", "epoch", "until", "set_by", "set_at")
    },
    **{
        f"batch_range.{name}": 4
        for name in (
            *("run_id", "step", "number", "after_key", "upto_key", "last_key"),
            *("rows", "batches", "state", "updated_at", "seal"),
        )
    },
}
"""What a later version added."""

LOOK = """
SELECT n.oid IS NOT NULL, c.oid IS NOT NULL,
  coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND pg_catalog.has_table_privilege(c.oid, 'SELECT'), false),
  ARRAY(SELECT r.relname || '.' || a.attname FROM pg_catalog.pg_class AS r
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
    WHERE r.relnamespace = n.oid AND r.relkind IN ('r', 'p') AND a.attnum > 0
      AND NOT a.attisdropped)
FROM (VALUES (1)) AS one
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'migration_control'
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'ledger'
"""


def version(conn: Connection) -> int | None:
    """The version of the database's ledger, None when it has none.

    Refused when the schema is not ours, when it cannot be read, and when it is newer or damaged.
    """
    row = conn.execute(LOOK).fetchone()
    assert row is not None
    schema, table, readable, columns = row
    if schema and not table:
        raise Refused(
            "schema migration_control is there, but holds no ledger",
            hint="somebody else made it; rename or drop it",
        )
    if not table:
        return None
    if not readable:
        raise Refused(
            "this role may not read the ledger in schema migration_control",
            hint="use the role that ran the migration",
        )
    if "ledger.version" not in columns:
        raise damaged("column version of table ledger is missing")
    return _judged(_version(conn), set(columns))


def _version(conn: Connection) -> int:
    """The one number in table ledger, if it is one that this harness knows."""
    rows = conn.execute("SELECT version::text FROM migration_control.ledger").fetchall()
    if len(rows) != 1:
        raise damaged(f"table ledger has {len(rows)} rows, not one with the version")
    found = str(rows[0][0])
    if found not in map(str, range(1, VERSION + 1)):
        raise Refused(
            f"the ledger is of version {found}; this harness knows versions 1 to {VERSION}",
            hint="use the harness that made it, or a newer one",
        )
    return int(found)


def _judged(number: int, found: set[str]) -> int:
    """The version, if the ledger has its columns and none of a later one."""
    expected = {f"{table}.{name}" for table, names in COLUMNS.items() for name in names.split()}
    expected |= {name for name, since in SINCE.items() if since <= number}
    later = {name for name, since in SINCE.items() if since > number}
    for name in sorted(expected - found):
        table, column = name.split(".")
        if not any(one.startswith(f"{table}.") for one in found):
            raise damaged(f"table {table} is missing")
        raise damaged(f"column {column} of table {table} is missing")
    for name in sorted(later & found, key=lambda name: (SINCE[name], name)):
        raise damaged(f"it is of version {number}, but has {name} of version {SINCE[name]}")
    return number


def damaged(what: str) -> Refused:
    """A ledger that nothing may be built on."""
    return Refused(
        f"the ledger is damaged: {what}",
        hint="restore schema migration_control as it was; do not go on by guessing",
    )


def prepare(conn: Connection) -> None:
    """Make the ledger, or bring an older one to our version; the caller has begun the transaction.

    The caller holds the runner's lock, so nobody else does the same at the same time.
    """
    found = version(conn)
    if found is None:
        conn.execute(SCHEMA.read_bytes())
        return
    for number in range(found, VERSION):
        conn.execute(UPGRADES[number].read_bytes())
