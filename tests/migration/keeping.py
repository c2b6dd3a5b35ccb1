"""Every new column written once, to a row of its own: the way back archives those rows, whole.

The writes are bare: no trigger brings another column along, so that each row is archived for the
one thing that was written to it. Beside them stand rows that were written to and say nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .checks import specification
from .new_columns import EDITS, FOLLOWING, NEW, SILENT
from .support import (
    Conn,
    Row,
    column,
    row_differences,
    scalar,
    set_differences,
    shortened,
    table_text,
)

Rows = dict[Any, Row]

OLD = ("companies", "contacts", "opportunities")
DERIVED = {"search_tsv", "company_id_backup", "stage_backup"}  # found again without an archive
READERS = """
select coalesce(r.rolname, 'public') || ' has ' || a.privilege_type || ' on ' || c.relname
from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
left join pg_catalog.pg_roles r on r.oid = a.grantee
where c.relnamespace = pg_catalog.to_regnamespace('migration_archive')
  and coalesce(r.rolname, 'public') in ('public', 'anon', 'authenticated', 'service_role')
order by 1
"""
"""Roles of the application that reach what was archived."""
TYPES = """
select a.attname, case t.typtype when 'e' then 'text'
  else pg_catalog.format_type(a.atttypid, a.atttypmod) end
from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
where a.attrelid = %s::pg_catalog.regclass and a.attnum > 0 and not a.attisdropped
"""


@dataclass
class Kept:
    """What an archive must hold: rows by table and id, and the types of their columns."""

    rows: dict[str, Rows] = field(default_factory=dict)
    types: dict[str, dict[str, str]] = field(default_factory=dict)


def write(conn: Conn) -> Kept:
    """Write each column to the next row of its table; what must be archived then."""
    conn.execute("set session_replication_role = replica")
    needed = {table: _edited(conn, table) for table in EDITS}
    for statement in NEW:
        conn.execute(statement)
    conn.execute("reset session_replication_role")
    for table, query in FOLLOWING.items():
        needed[table] |= set(column(conn, query))
    for table in ("contact_preferred_principals", "opportunity_products"):
        needed[table] = set(_keys(conn, table))
    kept = Kept()
    for table, keys in needed.items():
        columns = _columns(table)
        rows = table_text(conn, table, columns)
        kept.rows[table] = {key: rows[key] for key in keys}
        types = dict(conn.execute(TYPES, [f"public.{table}"]).fetchall())
        kept.types[table] = {name: types[name] for name in columns}
    return kept


def findings(conn: Conn, kept: Kept, counted: dict[str, int]) -> list[str]:
    """Rows the last run did not archive, or without need; values, types, counts, privileges."""
    run = scalar(conn, "select max(id) from migration_control.run")
    found = column(conn, READERS)
    told = {name.split(".")[-1].strip('"'): count for name, count in counted.items()}
    for table, rows in kept.rows.items():
        label = f"archive of {table}"
        name = f"migration_archive.{table}"
        if not scalar(conn, "select to_regclass(%s) is not null", [name]):
            found.append(f"{label}: there is none")
            continue
        types = dict(conn.execute(TYPES, [name]).fetchall())
        wanted = {"archived_run": "bigint", "archived_at": "timestamp with time zone"}
        found += set_differences(
            f"columns of the {label}", (wanted | kept.types[table]).items(), types.items()
        )
        if wanted.keys() | kept.types[table].keys() <= types.keys():
            found += row_differences(label, rows, _held(conn, table, list(kept.types[table]), run))
        if told.get(table) != len(rows):
            found.append(f"{label}: the run tells of {told.get(table)} rows, not {len(rows)}")
    return shortened(found)


def _edited(conn: Conn, table: str) -> set[int]:
    """Make the edits of a table, each to a row of its own, behind the rows that stay silent."""
    silent, edits = SILENT.get(table, ()), EDITS[table]
    keys = _keys(conn, table)
    if table == "interaction_participants":  # behind the rows that are archived for themselves
        keys = keys[len(EDITS["activities"]) :]
    if len(keys) <= len(silent) + len(edits):
        raise RuntimeError(f"{len(keys)} rows of {table} are too few for {len(edits)} edits")
    written = [
        scalar(conn, f"update public.{table} set {edit} where id = {key} returning id")
        for key, edit in zip(keys, silent + edits, strict=False)
    ]
    return set(written[len(silent) :])


def _held(conn: Conn, table: str, columns: list[str], run: int) -> Rows:
    fields = ", ".join(f'"{name}"::text' for name in columns)
    query = (
        f"select id, {fields} from migration_archive.{table}"
        " where archived_run = %s and archived_at is not null"
    )
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in conn.execute(query, [run])}


def _columns(table: str) -> list[str]:
    """What is kept of a row: all of a new table's, what an old table gained besides its id."""
    if table not in OLD:
        return list(specification.declarations()[table])
    gained = specification.target()["gained"][table]
    return ["id", *(name for name in gained if name not in DERIVED)]


def _keys(conn: Conn, table: str) -> list[int]:
    """Every row; of contacts first one that has moved, and has an activity that nobody edits."""
    moved = """company_id is null, (
        select max(a.id) from public.activities a
        where a.contact_id = t.id and a.id < (select max(id) from public.activities)
    ) desc nulls last, """
    first = moved if table == "contacts" else ""
    return column(conn, f"select id from public.{table} t order by {first}id")
