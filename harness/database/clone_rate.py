"""How fast clones are made: `python -m harness.database.clone_rate DSN TEMPLATE [ROUNDS]`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import psycopg
from psycopg import sql

from harness.database import admin


def clone_seconds(server_dsn: str, template: str, *, rounds: int = 5) -> dict[str, float]:
    """Copying strategy -> the best of some rounds of cloning a template, in seconds."""
    with admin.connection(server_dsn) as conn:
        return {
            strategy: round(min(_once(conn, template, strategy) for _ in range(rounds)), 4)
            for strategy in ("wal_log", "file_copy")
        }


def _once(conn: psycopg.Connection[Any], template: str, strategy: str) -> float:
    name = admin.unique_name("harness_measure")
    start = time.perf_counter()
    admin.create_on(conn, name, template, strategy)
    seconds = time.perf_counter() - start
    conn.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
    return seconds


def main(arguments: list[str]) -> None:
    """Print the seconds of both strategies as JSON."""
    rounds = int(arguments[2]) if len(arguments) > 2 else 5
    figures = clone_seconds(arguments[0], arguments[1], rounds=rounds)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
