"""Twenty and more schemas with one hard constraint each are filled, alike on every server."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg import sql

from harness.rows import Filled

from .support import DIGESTS, ROWS, SCHEMAS, WITHOUT, digest_rows, fill, make_schema

NAMES = [path.stem for path in SCHEMAS if path.stem != "xml"]
ROOM = {"public.settings": 1, "public.sizes": 3}


def counts(dsn: str, filled: Filled) -> dict[str, int]:
    found = {}
    with psycopg.connect(dsn) as conn:
        for table in filled.tables:
            place = sql.Identifier(*table.split(".", 1))
            heirs = "" if is_partitioned(conn, place) else "ONLY "
            query = sql.SQL("SELECT count(*) FROM " + heirs + "{}").format(place)
            row = conn.execute(query).fetchone()
            assert row is not None
            found[table] = row[0]
    return found


def is_partitioned(conn: psycopg.Connection, table: sql.Identifier) -> bool:
    name = table.as_string(conn)
    row = conn.execute(
        "SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", (name,)
    ).fetchone()
    return row is not None and row[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_table_is_filled_and_again_on_top(harness_empty_database: str, name: str) -> None:
    dsn = harness_empty_database
    make_schema(dsn, name)
    before = {"public.child": 1} if name == "enforced_later" else {}
    filled = fill(dsn)
    assert not filled.unfilled
    assert dict(filled.tables) == {table: ROOM.get(table, ROWS) for table in filled.tables}
    assert {limited.table for limited in filled.limited} == set(ROOM) & set(filled.tables)
    if name not in WITHOUT:
        assert digest_rows(dsn, filled) == json.loads(DIGESTS.read_text())[name]
    again = fill(dsn, rows=20, seed=2, profile="hostile")
    wanted = {t: n + (0 if t in ROOM else 20) + before.get(t, 0) for t, n in filled.tables.items()}
    assert counts(dsn, again) == wanted
