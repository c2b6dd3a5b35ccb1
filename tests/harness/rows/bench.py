"""Made rows against raw COPY of the same bytes, into the same tables, in turn.

    python -m tests.harness.rows.bench --dsn DSN --rows 250000

DSN is an empty database. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psycopg

from harness.rows import fill_schema

SCHEMA = Path(__file__).with_name("shop.sql")
TABLES = ("customer", "product", "orders", "line")
_PIECE = 1 << 16


@dataclass(frozen=True)
class Rates:
    """What one comparison measured; the ratio is of the medians."""

    rows: int
    megabytes: float
    made_seconds: list[float]
    raw_seconds: list[float]
    ratio: float


def compare_rates(dsn: str, rows: int, rounds: int = 3) -> Rates:
    """Fill the four tables with `rows` rows each by both ways, in turn."""
    made, raw = [], []
    with tempfile.TemporaryDirectory() as name, psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(SCHEMA.read_bytes())
        directory = Path(name)
        for number in range(rounds):
            made.append(_timed_fill(dsn, rows))
            if not number:
                size = sum(_unload(conn, table, directory) for table in TABLES)
            _empty(conn)
            raw.append(_load(conn, directory))
            _empty(conn)
    return Rates(
        rows=rows * len(TABLES),
        megabytes=round(size / 1e6, 1),
        made_seconds=[round(seconds, 3) for seconds in made],
        raw_seconds=[round(seconds, 3) for seconds in raw],
        ratio=round(median(raw) / median(made), 3),
    )


def _timed_fill(dsn: str, rows: int) -> float:
    begin = time.monotonic()
    filled = fill_schema(dsn, rows=rows)
    assert filled.rows == rows * len(TABLES), filled
    return time.monotonic() - begin


def _unload(conn: psycopg.Connection, table: str, directory: Path) -> int:
    path = directory / table
    statement = f"COPY {table} TO STDOUT".encode()
    with path.open("wb") as file, conn.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in copy:
            file.write(piece)
    return path.stat().st_size


def _load(conn: psycopg.Connection, directory: Path) -> float:
    begin = time.monotonic()
    with conn.transaction(), conn.cursor() as cursor:
        for table in TABLES:
            statement = f"COPY {table} FROM STDIN".encode()
            with (directory / table).open("rb") as file, cursor.copy(statement) as copy:
                while piece := file.read(_PIECE):
                    copy.write(piece)
        conn.execute(f"ANALYZE {', '.join(TABLES)}".encode())
    return time.monotonic() - begin


def _empty(conn: psycopg.Connection) -> None:
    conn.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY".encode())


def main() -> None:
    """Run the comparison from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.harness.rows.bench")
    parser.add_argument("--dsn", required=True, help="an empty database")
    parser.add_argument("--rows", type=int, default=250_000, help="rows of each of the four tables")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rates = compare_rates(args.dsn, args.rows, args.rounds)
    sys.stdout.write(json.dumps(asdict(rates), indent=2) + "\n")


if __name__ == "__main__":
    main()
