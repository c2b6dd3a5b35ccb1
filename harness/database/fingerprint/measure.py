"""How fast a fingerprint is: `python -m harness.database.fingerprint.measure DSN [ROUNDS]`."""

# ruff: noqa: S608 - the names in this statement come quoted from the server's own catalog
from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.database.fingerprint.data import Sums, tasks_for
from harness.database.fingerprint.layout import HashedTable
from harness.database.fingerprint.parallel import run
from harness.database.fingerprint.session import share, snapshot
from harness.database.fingerprint.taking import EXCLUDED, hold, take


@dataclass(frozen=True)
class Figures:
    """The best of some rounds: everything, with what names rows later, and without any row.

    `row_text_seconds` is a yardstick from the same machine and minute: the same rows, parts and
    connections, but one hash of each row's own text and nothing else.
    """

    rows: int
    workers: int
    whole_seconds: float
    detailed_seconds: float
    catalog_seconds: float
    rows_per_second: int
    row_text_seconds: float


def measure(dsn: str, *, rounds: int = 3, workers: int = 2) -> Figures:
    """Take fingerprints of a database `rounds` times; connecting is part of each."""
    rows = sum(relation["rows"] for relation in take(dsn, workers=workers).relations.values())
    whole = _best(lambda: take(dsn, workers=workers), rounds)
    return Figures(
        rows=rows,
        workers=workers,
        whole_seconds=round(whole, 4),
        detailed_seconds=round(_best(lambda: take(dsn, workers=workers, detail=True), rounds), 4),
        catalog_seconds=round(_best(lambda: take(dsn, workers=workers, data=False), rounds), 4),
        rows_per_second=round(rows / whole),
        row_text_seconds=round(_best(lambda: hash_row_texts(dsn, workers), rounds), 4),
    )


def hash_row_texts(dsn: str, workers: int) -> None:
    """Do what a fingerprint of data would do with the text of whole rows."""
    with snapshot(dsn, workers, EXCLUDED) as connections:
        tables = hold(connections[0])
        share(connections)
        run(connections, tasks_for(tables, Sums(tables), _row_text))


def _row_text(table: HashedTable, where: str = "true") -> str:
    hashed = 'hashtextextended(textin(record_out(t)) collate "C", 0)'
    return f"select count(*), coalesce(sum({hashed}), 0), 0 from {table.source} t where {where}"


def _best(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main(arguments: list[str]) -> None:
    """Print the figures of one database as JSON."""
    rounds = int(arguments[1]) if len(arguments) > 1 else 3
    sys.stdout.write(json.dumps(dataclasses.asdict(measure(arguments[0], rounds=rounds))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
