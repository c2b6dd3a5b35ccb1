"""The migration's own benchmarks at one number of rows: what a run, its parts and its copies take.

They ask nothing of a plan but its steps; what it does not have is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from harness.database import admin, fingerprint, template
from harness.document.bench_run import BenchResultDocument
from harness.plan import Plan, Step
from harness.runner import migrate, rollback
from harness.scenario.bench.statistics import paired_ratio, summarize
from harness.server import Server

ROUNDS: Final = 3
SIMPLE: Final = ("seed", "migrate", "rollback", "fingerprint", "clone")
RESUME: Final = "resume"
BACKFILL: Final = "backfill"
REWRITE: Final = "backfill-rewrite"
KIND: Final = "migration"
EVERY_KEY: Final = {"after": -(2**63), "upto": 2**63 - 1}


def phase_name(phase: str) -> str:
    """The name of the benchmark of a phase."""
    return f"phase-{phase}"


def own_names(plan: Plan) -> tuple[str, ...]:
    """The names of the migration's own benchmarks, as far as the plan has what they time."""
    phases = [phase_name(one.id) for one in plan.phases] if len(plan.phases) > 1 else []
    resume = (RESUME,) if cut_points(plan) else ()
    backfill = (BACKFILL, REWRITE) if batch_steps(plan) else ()
    return (*SIMPLE, *phases, *resume, *backfill)


def cut_points(plan: Plan) -> tuple[str, ...]:
    """The steps after which a run is stopped and resumed: each phase's last, or the middle one."""
    if len(plan.phases) > 1:
        return tuple(one.steps[-1].id for one in plan.phases if one.steps)
    steps = [one.id for one in plan.steps]
    return (steps[len(steps) // 2 - 1], steps[-1]) if len(steps) > 1 else ()


def batch_steps(plan: Plan) -> tuple[Step, ...]:
    """The steps that go through a table in batches."""
    return tuple(one for one in plan.steps if one.forward.kind == "batch" and one.forward.table)


@dataclass
class OwnBenchmarks:
    """Times what is wanted of a plan, on copies of its templates of before and of after."""

    plan: Plan
    server: Server
    key: str
    before: str
    after: str
    wanted: Callable[..., bool]
    tell: Callable[[str], None]
    times: dict[str, list[float]] = field(default_factory=dict)

    def run(self, rows: int) -> Iterator[BenchResultDocument]:
        """Results, as they come; `times` is there afterwards."""
        for _ in range(ROUNDS):
            self._copied("migrate", self.before, migrate)
            self._copied("rollback", self.after, rollback)
            self._copied("fingerprint", self.before, lambda dsn, _plan: fingerprint.take(dsn))
        yield from self._in_parts(rows)
        for name in SIMPLE:
            if self.wanted(name) and name in self.times:
                yield self._result(name, rows)
        yield from self._backfills(rows)

    def _result(
        self, name: str, rows: int, beside: Sequence[float] = (), against: str = ""
    ) -> BenchResultDocument:
        times = self.times[name]
        ratio, least = paired_ratio(beside, times) if beside else (None, None)
        return BenchResultDocument(
            name=name, kind=KIND, rows=rows, seconds=summarize(times),
            before=summarize(beside) if beside else None, against=against,
            ratio=ratio if ratio is None else round(ratio, 3),
            least=least if least is None else round(least, 3),
        )  # fmt: skip

    def _add(self, name: str, seconds: float) -> None:
        self.times.setdefault(name, []).append(seconds)

    @contextmanager
    def _copy(self, base: str) -> Iterator[str]:
        begun = time.perf_counter()
        dsn = template.clone(self.server.dsn(), base)
        self._add("clone", time.perf_counter() - begun)
        try:
            yield dsn
        finally:
            admin.drop(self.server.dsn(), admin.dbname(dsn))

    def _copied(self, name: str, base: str, work: Callable[[str, Plan], object]) -> None:
        """Time a copy of a template, and work on it."""
        if not self.wanted(name, "clone"):
            return
        self.tell(f"  {name}")
        with self._copy(base) as dsn:
            self._add(name, timed(work, dsn, self.plan))

    def _in_parts(self, rows: int) -> Iterator[BenchResultDocument]:
        """The phases, and their sum beside a run that was never stopped."""
        cuts, phases = cut_points(self.plan), [phase_name(one.id) for one in self.plan.phases]
        if not cuts or not self.wanted(RESUME, *phases):
            return
        wholes: list[float] = []
        for turn in range(ROUNDS):
            self.tell(f"  {RESUME}")
            for whole in (False, True) if turn % 2 else (True, False):
                with self._copy(self.before) as dsn:
                    if whole:
                        wholes.append(timed(migrate, dsn, self.plan))
                    else:
                        self._stopped_at(dsn, cuts)
        for name in phases:
            if name in self.times and self.wanted(name):
                yield self._result(name, rows)
        if self.wanted(RESUME):
            against = f"a run that is not stopped, against one resumed {len(cuts) - 1} times"
            yield self._result(RESUME, rows, wholes, against)

    def _stopped_at(self, dsn: str, cuts: Sequence[str]) -> None:
        parts = [timed(migrate, dsn, self.plan, until=until) for until in cuts]
        if len(self.plan.phases) == len(parts):
            for one, seconds in zip(self.plan.phases, parts, strict=True):
                self._add(phase_name(one.id), seconds)
        self._add(RESUME, sum(parts))

    def _backfills(self, rows: int) -> Iterator[BenchResultDocument]:
        """The batches of the largest table, beside one statement and beside a rewrite of it."""
        step = self._largest() if self.wanted(BACKFILL, REWRITE) else None
        if step is None:
            return
        base = self._just_before(step)
        batches = self.times.setdefault(BACKFILL, [])
        singles: list[float] = []
        rewrites: list[float] = []
        arms: tuple[tuple[list[float], Callable[[str], object]], ...] = (
            (batches, lambda dsn: migrate(dsn, self.plan, until=step.id)),
            (singles, lambda dsn: run_at_once(dsn, step)),
            (rewrites, lambda dsn: rewrite_table(dsn, str(step.forward.table))),
        )  # fmt: skip
        for turn in range(ROUNDS):
            self.tell(f"  {BACKFILL}")
            for times, work in arms[:: -1 if turn % 2 else 1]:
                with self._copy(base) as dsn:
                    times.append(timed(work, dsn))
        table = step.forward.table
        if self.wanted(BACKFILL):
            yield self._result(
                BACKFILL, rows, singles, f"its statements over all of {table} at once"
            )
        if self.wanted(REWRITE):
            self.times[REWRITE] = self.times[BACKFILL]
            yield self._result(REWRITE, rows, rewrites, f"VACUUM FULL of {table}, the limit")

    def _just_before(self, step: Step) -> str:
        ids = [one.id for one in self.plan.steps]
        place = ids.index(step.id)
        if not place:
            return self.before
        last = ids[place - 1]

        def build(dsn: str) -> None:
            migrate(dsn, self.plan, until=last)

        return template.ensure(
            self.server.dsn(), f"{self.key}-until-{last}", build, base=self.before
        )

    def _largest(self) -> Step | None:
        """The batch step whose table has the most rows before; None where none has any."""
        with self._copy(self.before) as dsn, admin.connection(dsn) as conn:
            found = [(_count(conn, str(one.forward.table)), one) for one in batch_steps(self.plan)]
        rows, step = max(found, key=lambda one: one[0])
        return step if rows else None


def timed(work: Callable[..., object], *given: Any, **named: Any) -> float:
    """The seconds that work takes, with what it is given."""
    begun = time.perf_counter()
    work(*given, **named)
    return time.perf_counter() - begun


def run_at_once(dsn: str, step: Step) -> None:
    """Run a batch step's statements over every row in one transaction, as a script would."""
    with psycopg.connect(dsn) as conn:
        for statement in step.forward.statements:
            conn.execute(statement.text.encode(), EVERY_KEY)


def rewrite_table(dsn: str, table: str) -> None:
    """Rewrite a table with its indexes: no way to change every row is faster."""
    with admin.connection(dsn) as conn:
        conn.execute(b"VACUUM FULL " + _spelled(conn, table).encode())


def _count(conn: psycopg.Connection[Any], table: str) -> int:
    spelled = _spelled(conn, table)
    if not spelled:
        return 0
    row = conn.execute(
        "select reltuples from pg_catalog.pg_class where oid = %s::pg_catalog.regclass", [spelled]
    ).fetchone()
    return int(row[0]) if row is not None else 0  # a template is analyzed


def _spelled(conn: psycopg.Connection[Any], table: str) -> str:
    """A table as SQL spells it; nothing where it is not there."""
    row = conn.execute("select pg_catalog.to_regclass(%s)::text", [table]).fetchone()
    return row[0] or "" if row is not None else ""
