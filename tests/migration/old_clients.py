"""Old clients at work while a migration runs: their writes, to it and to a database left alone."""

from __future__ import annotations

from pathlib import Path

import psycopg

from .queries import named
from .support import Pair, acting_as

WRITES = named(Path(__file__).with_suffix(".sql"))


class OldClients:
    """They write in turns, each time other rows, and know the old names only."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.turns = 0

    def write(self) -> None:
        """One turn, to both databases; what one of them refuses is an error of the test."""
        self.turns += 1
        for conn in (self.pair.source, self.pair.target):
            with acting_as(conn, "authenticated"):
                for name, statement in WRITES.items():
                    try:
                        conn.execute(statement, {"n": self.turns})
                    except psycopg.Error as error:
                        error.add_note(f"old client's {name}, turn {self.turns}")
                        raise
