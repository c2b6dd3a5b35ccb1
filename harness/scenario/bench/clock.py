"""The clock of a query: of a session that has prepared it, and long enough for a clock to tell."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from harness.scenario.bench.measure import acting
from harness.scenario.bench.query import BenchmarkQuery

WARM: Final = 6  # executions: psycopg prepares at the fifth
PATIENCE: Final = 2.0  # seconds of them; a query that long needs no warming
SAMPLE: Final = 0.005
"""Seconds that a sample of reads takes at least: shorter ones say more of the machine."""
MOST: Final = 50


@dataclass
class ClockedQuery:
    """A query on one side; `times` are seconds of one execution each."""

    conn: psycopg.Connection[Any]
    query: BenchmarkQuery
    texts: Sequence[str]
    repeats: int = 1
    times: list[float] = field(default_factory=list)

    def warm(self) -> None:
        """Execute it as often as makes it a prepared one; a write once, since it is given up."""
        begun, least = time.perf_counter(), math.inf
        for _ in range(1 if self.query.writes else WARM):
            least = min(least, self._seconds(1))
            if time.perf_counter() - begun > PATIENCE:
                break
        if not self.query.writes:
            self.repeats = min(MOST, max(1, math.ceil(SAMPLE / least)))

    def sample(self) -> None:
        """Add a time: the mean of as many executions as fill a sample."""
        self.times.append(self._seconds(self.repeats))

    def _seconds(self, repeats: int) -> float:
        with acting(self.conn, self.query):
            begun = time.perf_counter()
            for _ in range(repeats):
                for text in self.texts:
                    cursor = self.conn.execute(text.encode())
                    if cursor.description:
                        cursor.fetchall()
            return (time.perf_counter() - begun) / repeats
