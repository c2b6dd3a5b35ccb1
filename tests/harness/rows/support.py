"""Schemas with one hard constraint each, and what their rows should be.

    python -m tests.harness.rows.support DSN...

fills each on the servers of the DSNs and writes digests.json, if the servers agree.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from harness.database import admin
from harness.rows import Filled, fill_schema

HERE = Path(__file__).parent
SCHEMAS = sorted((HERE / "schemas").glob("*.sql"))
DIGESTS = HERE / "digests.json"
ROWS = 60
WITHOUT = ("clocks", "xml")
"""Their rows are others next year, and where the server was built without XML."""


def make_schema(dsn: str, name: str) -> None:
    """Create the tables of a schema."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute((HERE / "schemas" / f"{name}.sql").read_bytes())


def fill(dsn: str, rows: int = ROWS, seed: int = 1, profile: str = "real") -> Filled:
    """Rows of a test."""
    return fill_schema(dsn, rows=rows, seed=seed, profile=profile)


def digest_rows(dsn: str, filled: Filled) -> str:
    """A hash of every row of the tables, whatever their order."""
    found = hashlib.sha256()
    with psycopg.connect(dsn) as conn:
        conn.execute("SET timezone = 'UTC'")
        conn.execute("SET lc_monetary = 'C'")
        for table in filled.tables:
            schema, _, name = table.partition(".")
            place = sql.Identifier(schema, name)
            query = sql.SQL("SELECT t::text FROM {} t").format(place)
            rows = sorted(row[0] for row in conn.execute(query))
            found.update(f"{table}\n{rows}\n".encode())
    return found.hexdigest()[:16]


def main(servers: list[str]) -> None:
    """Write digests.json."""
    found: dict[str, set[str]] = {}
    for server in servers:
        for path in (path for path in SCHEMAS if path.stem not in WITHOUT):
            name = admin.unique_name("rows")
            admin.create(server, name)
            try:
                dsn = admin.with_dbname(server, name)
                make_schema(dsn, path.stem)
                found.setdefault(path.stem, set()).add(digest_rows(dsn, fill(dsn)))
            finally:
                admin.drop(server, name)
    differ = [name for name, digests in found.items() if len(digests) > 1]
    if differ:
        sys.exit(f"servers differ: {', '.join(differ)}")
    text = json.dumps({name: min(digests) for name, digests in sorted(found.items())}, indent=2)
    DIGESTS.write_text(f"{text}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
