"""Follow a run by its events, and keep what each step did."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from types import TracebackType
from typing import Any

import psycopg

from harness.core.direction import StepDirection
from harness.database import admin
from harness.plan import Plan, Script
from harness.runner import Event
from harness.runner.outcome import OnEvent
from harness.scenario.dry_run import digest, look
from harness.scenario.dry_run import wal as wal_of
from harness.scenario.dry_run.digest import Digest
from harness.scenario.dry_run.model import StepSeen
from harness.scenario.dry_run.sampler import Sampler

SELDOM = 5
_COUNTERS = """
SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn,
  (SELECT temp_bytes FROM pg_catalog.pg_stat_database WHERE datname = current_database()),
  pg_catalog.current_setting('track_counts')::boolean
"""


@dataclass
class _Open:
    """The step that runs now."""

    id: str
    names: dict[int, str]
    began: float
    wal: int
    temp: int
    retries: list[str] = field(default_factory=list)


class RehearsalWatch:
    """Receives the runner's events. `overhead` is what watching has cost the run, in seconds."""

    def __init__(self, dsn: str, plan: Plan, also: OnEvent) -> None:
        self.steps: list[StepSeen] = []
        self.overhead = 0.0
        self.direction: StepDirection = "forward"
        self._plan, self._also = plan, also
        self._conn = admin.connect(dsn, application_name="dry run watch")
        look.own(self._conn)
        self._sampler = Sampler(dsn, plan.dry_run.sample)
        self._open: _Open | None = None
        self._trip = _trip(self._conn)
        self._start: float | None = None

    @property
    def sampling_error(self) -> str | None:
        """Why samples are missing, or None."""
        return self._sampler.error

    def __enter__(self) -> RehearsalWatch:
        self._sampler.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sampler.__exit__(kind, error, trace)
        self._conn.close()

    def receive(self, event: Event) -> None:
        """Take in one of the runner's events, and pass it on."""
        began = time.monotonic()
        if event.kind in ("run_started", "resumed"):
            look.listen(self._conn)
        elif event.kind == "step_started":
            self._begin(str(event.step))
        elif event.kind == "retry" and self._open is not None:
            self._open.retries.append(event.message)
        elif event.kind == "step_done":
            self._end(began, event.rows, done=True)
        self._also(event)
        self.overhead += time.monotonic() - began

    def stopped(self) -> None:
        """The run has ended in the middle of a step."""
        if self._open is not None:
            self._end(time.monotonic(), 0, done=False)

    def _begin(self, step: str) -> None:
        names = look.learn(self._conn)
        wal, temp, _ = self._counters()
        self._sampler.take(self._pause(step))
        now = time.monotonic()
        self._start = now if self._start is None else self._start
        self._open = _Open(step, names, now, wal, temp)

    def _end(self, now: float, rows: int, *, done: bool) -> None:
        step, self._open = self._open, None
        if step is None or self._start is None:
            return
        script = self._script(step.id)
        samples = self._sampler.take(self._pause(step.id))
        wal, temp, counts = self._counters()
        seen = Digest(look.looks(self._conn, self.direction, step.id))
        reading = time.monotonic()
        own = wal_of.own(self._conn, step.wal, wal)
        self.overhead += time.monotonic() - reading
        # A look's span of the log holds what neighbours wrote meanwhile: only the server's own
        # count has all of it, and may have all of it subtracted.
        written = max(0, wal - step.wal - seen.wal_spent) if own is None else own
        spent = seen.spent + seen.looks * self._trip
        self.overhead += spent
        seconds = max(0.0, now - step.began - spent)
        sampled = {
            (step.names[oid], mode): length
            for (oid, mode), length in samples.longest().items()
            if oid in step.names
        }
        whole = seconds if script.kind == "transaction" and not step.retries else 0.0
        self.steps.append(
            StepSeen(
                id=step.id,
                direction=self.direction,
                kind=script.kind,
                file=script.name,
                began=step.began - self._start,
                seconds=seconds,
                rows=rows,
                wal_bytes=written,
                temp_bytes=max(0, temp - step.temp),
                done=done,
                retries=tuple(step.retries),
                statements=digest.statements(script, seen),
                locks=digest.locks(script, seen, whole, sampled, counts),
            )
        )

    def _pause(self, step: str) -> float:
        """Samples are all there is of a concurrent step; the others have looks."""
        sample = self._plan.dry_run.sample
        return sample if self._script(step).kind == "concurrent" else sample * SELDOM

    def _counters(self) -> tuple[int, int, bool]:
        row: Any = self._conn.execute(_COUNTERS).fetchone()
        return int(row[0]), int(row[1] or 0), bool(row[2])

    def _script(self, step: str) -> Script:
        return self._plan.step(step).script(self.direction)


def _trip(conn: psycopg.Connection[Any]) -> float:
    """Seconds that a call of nothing takes on its way."""
    found = []
    with conn.transaction():
        for _ in range(15):
            began = time.perf_counter()
            conn.execute("SELECT 1")
            found.append(time.perf_counter() - began)
    return median(found)
