"""Read what the catalogs say, through the queries in sql/: one file per kind of object."""

# ruff: noqa: S608 - the names in these statements come quoted from the server's own catalog
from __future__ import annotations

import json
from functools import cache
from typing import Any, Final, NamedTuple

from harness.database.fingerprint.encoding import encode
from harness.database.fingerprint.layout import PRELUDE, SQL
from harness.database.fingerprint.model import SequenceValue
from harness.database.fingerprint.parallel import Task
from harness.database.fingerprint.session import Connection

PARTS: Final = ("security", "catalog")  # the longest query comes first
_GATE: Final = "-- only if: "
_SEQUENCES_AT_ONCE: Final = 200


class CatalogQuery(NamedTuple):
    """One file of sql/: what it reads, and an expression that says when there is any."""

    part: str
    name: str
    statement: bytes
    gate: str


@cache
def queries() -> tuple[CatalogQuery, ...]:
    """The queries of all parts, each with the prelude before it."""
    return tuple(
        _query(part, path.stem, path.read_text())
        for part in PARTS
        for path in sorted((SQL / part).glob("*.sql"))
    )


def _query(part: str, name: str, text: str) -> CatalogQuery:
    gate = text.partition("\n")[0].removeprefix(_GATE) if text.startswith(_GATE) else "true"
    return CatalogQuery(part, name, _as_text(text), gate)


def tasks_for(conn: Connection, objects: dict[str, dict[str, str]]) -> list[Task]:
    """The work that fills in part -> object -> its attributes as JSON text, a task per query.

    What a database rarely has is asked for first, all at once: planning a query for it costs more.
    """
    objects.update({part: {} for part in PARTS})
    gates = ", ".join(query.gate for query in queries())
    wanted = conn.execute(f"select {gates}".encode()).fetchone() or ()
    return [
        _task(objects[query.part], query.name, query.statement)
        for query, there in zip(queries(), wanted, strict=True)
        if there
    ]


def _task(objects: dict[str, str], name: str, query: bytes) -> Task:
    def execute(conn: Connection) -> None:
        # the JSON stays text: only what differs is ever taken apart
        for key, attributes in conn.execute(query):
            assert key not in objects, f"{name}.sql: {key} is described twice"
            objects[key] = attributes

    return execute


def read_sequences(conn: Connection) -> dict[str, SequenceValue]:
    """Where every sequence stands."""
    found = dict(_rows(conn, "sequences.sql"))
    names = sorted(found)
    values: dict[str, SequenceValue] = {}
    for start in range(0, len(names), _SEQUENCES_AT_ONCE):
        some = names[start : start + _SEQUENCES_AT_ONCE]
        union = " union all ".join(
            f"select {start + place}, last_value, is_called from {name}"
            for place, name in enumerate(some)
        )
        for place, last, called in conn.execute(encode(conn, union)):
            name = names[place]
            values[name] = {
                "last_value": last,
                "is_called": called,
                "increment": int(found[name]),
            }
    return values


def read_system_rights(conn: Connection) -> dict[str, dict[str, Any]]:
    """Built-in object, or an extension's -> its owner, and the rights that it gained and lost.

    Only objects whose rights are not the initial ones any more; the connection needs no settings.
    """
    with conn.transaction():
        conn.execute("select set_config('harness.fingerprint_excludes', '{}', true)")
        found = _rows(conn, "security/system.sql")
    return {name: json.loads(attributes) for name, attributes in found}


def read_remnants(conn: Connection) -> dict[str, dict[str, int]]:
    """Table -> what dropped and added columns left inside it."""
    return {name: json.loads(counts) for name, counts in _rows(conn, "remnants.sql")}


def _rows(conn: Connection, file: str) -> list[tuple[str, str]]:
    return conn.execute(_as_text((SQL / file).read_text())).fetchall()


def _as_text(query: str) -> bytes:
    found = f"({PRELUDE}{query}) as found (object, attributes)"
    return f"select object, attributes::text from {found}".encode()
