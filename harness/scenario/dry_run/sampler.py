"""Locks as pg_locks shows them from outside, again and again while a step runs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from harness.database import admin

_SAMPLE: Final = """
SELECT l.relation::bigint, l.mode
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND a.backend_type = 'client backend' AND CASE WHEN %s
    THEN a.application_name NOT LIKE 'dry run %%' ELSE a.application_name LIKE 'harness %%' END
"""
Held = tuple[int, str]


@dataclass
class _Stretch:
    first: float
    last: float
    longest: float = 0.0


@dataclass
class Samples:
    """Relation and mode -> the longest time without a sample that did not see it."""

    pause: float
    _held: dict[Held, _Stretch] = field(default_factory=dict)
    _before: set[Held] = field(default_factory=set)

    def add(self, now: float, held: set[Held]) -> None:
        """Take in one sample."""
        for key in held:
            stretch = self._held.setdefault(key, _Stretch(now, now))
            if key not in self._before:
                stretch.first = now
            stretch.last = now
            stretch.longest = max(stretch.longest, now - stretch.first + self.pause)
        self._before = held

    def longest(self) -> dict[Held, float]:
        """Relation and mode -> seconds."""
        return {key: stretch.longest for key, stretch in self._held.items()}


class Sampler:
    """Samples in a thread of its own, with `pause` seconds between two samples.

    Of sessions of ours, or of `foreign` ones.
    """

    def __init__(self, dsn: str, pause: float, *, foreign: bool = False) -> None:
        self._foreign = foreign
        self._conn = admin.connect(dsn, application_name="dry run sampler")
        self._guard = threading.Lock()
        self._samples = Samples(pause)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.error: str | None = None

    def take(self, pause: float) -> Samples:
        """The samples since the last call; from now on with this pause between two."""
        with self._guard:
            taken, self._samples = self._samples, Samples(pause)
        return taken

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                rows: list[Any] = self._conn.execute(_SAMPLE, [self._foreign]).fetchall()
            except psycopg.Error as error:
                self.error = " ".join(str(error).split())
                return
            with self._guard:
                self._samples.add(time.monotonic(), {(oid, mode) for oid, mode in rows})
                pause = self._samples.pause
            self._over.wait(pause)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._conn.close()
