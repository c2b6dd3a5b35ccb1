"""What all databases of a server share, before and after: a second witness of what was touched.

Rows are compared whole, without what maintenance changes in them. Who else was connected may have
made the difference, and is named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.core.finding import Finding
from harness.database import admin

_CATALOGS: Final = """
SELECT relname FROM pg_catalog.pg_class
WHERE relisshared AND relkind = 'r' AND pg_catalog.has_table_privilege(oid, 'SELECT') ORDER BY 1
"""
_UPKEEP: Final = ["datfrozenxid", "datminmxid", "rolpassword"]
"""Columns that vacuum writes; and passwords, of which a change shows in no text of ours."""
_ROWS: Final = """
SELECT (to_jsonb(t) - {upkeep}::text[])::text,
  CASE WHEN to_jsonb(t) ? 'rolpassword' THEN pg_catalog.md5(to_jsonb(t) ->> 'rolpassword') END
FROM pg_catalog.{catalog} AS t
"""
_NAMES: Final = """
SELECT oid::text, 'database ' || datname FROM pg_catalog.pg_database
UNION ALL SELECT oid::text, 'role ' || rolname FROM pg_catalog.pg_roles
UNION ALL SELECT oid::text, 'tablespace ' || spcname FROM pg_catalog.pg_tablespace
"""
_OTHERS: Final = """
SELECT DISTINCT pg_catalog.format('%s in %s (%s)', coalesce(usename, '?'), coalesce(datname, '?'),
  coalesce(nullif(application_name, ''), 'no name'))
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()
  AND NOT (datname = current_database() AND application_name LIKE 'harness %') ORDER BY 1
"""
_SESSIONS: Final = """
SELECT datname, sessions FROM pg_catalog.pg_stat_database
WHERE datname <> current_database() AND NOT pg_catalog.starts_with(datname, 'harness_dry_run_')
"""
_SHOWN: Final = 10
_OURS: Final = 6
"""Sessions that a dry run itself may have in the database from which it makes copies."""
_OF_ITSELF: Final = ("pg_shdepend",)
"""Every object that anybody makes in any database is a row in it."""


@dataclass(frozen=True)
class Commons:
    """The rows of each shared catalog, the names of what they are about, who is connected, and how
    many sessions each other database has had."""

    rows: Mapping[str, frozenset[tuple[str, str | None]]]
    names: Mapping[str, str]
    others: tuple[str, ...]
    sessions: Mapping[str, int]

    @property
    def databases(self) -> frozenset[str]:
        """The object ids of all databases, as text."""
        return frozenset(str(json.loads(row)["oid"]) for row, _ in self.rows["pg_database"])


def commons(dsn: str) -> Commons:
    """Read what the server of a database shares, as far as the role may."""
    with admin.connection(dsn) as conn, conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        catalogs = [name for (name,) in conn.execute(_CATALOGS).fetchall()]
        rows = {name: _read(conn, name) for name in catalogs if name not in _OF_ITSELF}
        names = dict(conn.execute(_NAMES).fetchall())
        others = tuple(name for (name,) in conn.execute(_OTHERS).fetchall())
        sessions = dict(conn.execute(_SESSIONS).fetchall())
    return Commons(rows, names, others, sessions)


def _read(conn: psycopg.Connection[Any], catalog: str) -> frozenset[tuple[str, str | None]]:
    query = sql.SQL(_ROWS).format(upkeep=sql.Literal(_UPKEEP), catalog=sql.Identifier(catalog))
    return frozenset((row, password) for row, password in conn.execute(query).fetchall())


def changed(before: Commons, after: Commons, *, alone: bool = True) -> tuple[str, ...]:
    """Every row that came or went, with what it is about.

    Unless we were `alone`, without those of databases that were made or dropped meanwhile.
    """
    passing = frozenset() if alone else before.databases ^ after.databases
    found = []
    for catalog in sorted(before.rows.keys() & after.rows.keys()):
        for word, rows in (
            ("gone", before.rows[catalog] - after.rows[catalog]),
            ("new", after.rows[catalog] - before.rows[catalog]),
        ):
            found += [
                f"{catalog}, {word}: {_told(row, before, after)}"
                for row, _ in sorted(rows, key=str)
                if not passing & {str(value) for value in json.loads(row).values()}
            ]
    return tuple(found)


def _told(row: str, before: Commons, after: Commons) -> str:
    fields: dict[str, Any] = json.loads(row)
    about = [
        name
        for value in fields.values()
        if isinstance(value, str) and (name := before.names.get(value) or after.names.get(value))
    ]
    said = ", ".join(f"{key}={value}" for key, value in fields.items() if value not in (None, "0"))
    return f"{' and '.join(dict.fromkeys(about)) or 'no name'}: {said}"[:400]


def _others(before: Commons, after: Commons) -> tuple[str, ...]:
    """Who else was connected before, after, or for a while in between."""
    visited = sorted(
        f"somebody in {name}"
        for name, count in after.sessions.items()
        if count > before.sessions.get(name, 0) + _OURS
    )
    return tuple(dict.fromkeys((*before.others, *after.others, *visited)))


def finding(named: str, before: Commons, after: Commons) -> Finding | None:
    """What it comes to that the named server is not as before; None when it is.

    What is about the database itself is critical while nobody else was there, else it may be
    theirs; the rest, which others change all the time, is less by one.
    """
    others = _others(before, after)
    differences = changed(before, after, alone=not others)
    if not differences:
        return None
    own = any(f"database {named}" in line for line in differences)
    shown = [*differences[:_SHOWN]]
    if len(differences) > _SHOWN:
        shown.append(f"{len(differences) - _SHOWN} more")
    who = "nobody else was connected"
    if others:
        who = f"it may be theirs: {'; '.join(others[:_SHOWN])}"
    return Finding(
        "dry-run.server-changed",
        ("warning" if others else "critical") if own else ("info" if others else "warning"),
        named,
        f"what all databases of its server share is not as before: {len(differences)} rows; {who}",
        "look whether the rehearsal or somebody else changed it",
        "\n".join(shown),
    )
