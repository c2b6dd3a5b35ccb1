"""Run the benchmarks of a plan on a server of its own: clocks in turns, and counts beside them."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.crash.setup import Setup
from harness.database import admin, template
from harness.document.base import Word
from harness.document.bench_run import (
    BenchResultDocument,
    BenchRunDocument,
)
from harness.plan import Plan
from harness.runner import baseline, migrate
from harness.scenario.bench.clock import ClockedQuery
from harness.scenario.bench.evidence import document_cost
from harness.scenario.bench.exponent import fit_exponents, judge_exponents
from harness.scenario.bench.fixed import FIXED, run_fixed
from harness.scenario.bench.judge import judge_costs
from harness.scenario.bench.measure import (
    Connection,
    MeasuredQuery,
    measure_pair,
    read_parameters,
    spell,
    still_session,
)
from harness.scenario.bench.own import OwnBenchmarks, own_names
from harness.scenario.bench.query import BenchmarkQuery
from harness.scenario.bench.statistics import paired_ratio, summarize
from harness.server import Server
from harness.subject.choice import seeder_of, subject_of

PAIRS: Final = 9  # of a query before and after
LEGACY: Final = 1.3  # times its old time, of a query in its old words
LARGE: Final = 100_000  # rows from which that is asked
Tell = Callable[[str], None]


@dataclass(frozen=True)
class BenchSettings:
    """What is run: the plan, the numbers of rows, only some names, where."""

    plan: Plan
    sizes: tuple[int, ...]
    only: tuple[str, ...] = ()
    queries: tuple[BenchmarkQuery, ...] = ()
    accepted: dict[str, str] = field(default_factory=dict)
    seed: int = 1
    server: str = "embedded"
    pg_version: int | None = None


def run_benchmarks(settings: BenchSettings, tell: Tell = lambda _line: None) -> BenchRunDocument:
    """Every benchmark at every number of rows.

    Raises UsageError where `only` names none that there is.
    """
    begun = time.monotonic()
    known = [*own_names(settings.plan), *FIXED, *(query.name for query in settings.queries)]
    for name in settings.only:
        if name not in known:
            hint = f"there are {', '.join(known)}"
            raise UsageError(f"no benchmark is named {name!r}", hint=hint)
    setup = Setup(
        subject_of(settings.plan), max(settings.sizes), settings.seed,
        provider=settings.server, version=settings.pg_version,
    )  # fmt: skip
    server = setup.server("fast")
    try:
        results: list[BenchResultDocument] = []
        times: dict[str, list[tuple[int, float]]] = {}
        findings: dict[tuple[str, str], Finding] = {}
        results += run_fixed(setup, server, settings.only, tell)
        for rows in settings.sizes:
            tell(f"{rows:,} rows")
            size = _Size(settings, server, rows, tell)
            results += size.run()
            for name, rounds in size.times.items():
                times.setdefault(name, []).extend((rows, one) for one in rounds)
            findings |= {(one.id, one.where): one for one in size.findings}
        exponents = list(fit_exponents(times))
        found = [*findings.values(), *judge_times(results), *judge_exponents(exponents)]
        verdict: Word = "unknown" if any(one.verdict == "unknown" for one in exponents) else "pass"
        if any(one.severity == "critical" for one in found):
            verdict = "fail"
        return BenchRunDocument(
            verdict=verdict, findings=found, benchmarks=results, exponents=exponents,
            server=f"Postgres {server.version} ({server.provider})", machine=describe_machine(),
            seconds=round(time.monotonic() - begun, 1),
        )  # fmt: skip
    finally:
        server.close()


def describe_machine() -> str:
    """The processor, how many the process may use, and how busy they are."""
    load = os.getloadavg()[0]
    return f"{platform.machine()}, {len(os.sched_getaffinity(0))} processors, load {load:.1f}"


@dataclass
class _Size:
    """The benchmarks at one number of rows."""

    settings: BenchSettings
    server: Server
    rows: int
    tell: Tell

    def __post_init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.findings: list[Finding] = []

    def run(self) -> list[BenchResultDocument]:
        """Results, as they come; `times` and `findings` are there afterwards."""
        plan, dsn = self.settings.plan, self.server.dsn()
        key = f"bench-{self.rows}-{self.settings.seed}-{plan.hash}"
        before = template.ensure(dsn, key, self._fill)
        after = template.ensure(dsn, f"{key}-migrated", self._migrate, base=before)
        own = OwnBenchmarks(
            plan, self.server, key, before, after, self._wanted, self.tell, self.times
        )
        found = list(own.run(self.rows)) if self._wanted(*own_names(plan)) else []
        if self._wanted(*(query.name for query in self.settings.queries)) or not self.settings.only:
            found += self._queries(before, after)
        return found

    def _wanted(self, *names: str) -> bool:
        only = self.settings.only
        return not only or any(name in only for name in names)

    def _fill(self, dsn: str) -> None:
        baseline(dsn, self.settings.plan)
        begun = time.perf_counter()
        seeder_of(self.settings.plan.name)(dsn, rows=self.rows, seed=self.settings.seed)
        self.times.setdefault("seed", []).append(time.perf_counter() - begun)

    def _migrate(self, dsn: str) -> None:
        migrate(dsn, self.settings.plan)

    def _queries(self, before: str, after: str) -> Iterator[BenchResultDocument]:
        copies = [template.clone(self.server.dsn(), name) for name in (before, after)]
        wanted = [query for query in self.settings.queries if self._wanted(query.name)]
        pair = measure_pair(copies[0], copies[1], wanted)
        self.findings += judge_costs(pair, self.settings.accepted)
        with still_session(copies[0]) as old, still_session(copies[1]) as new:
            for one in pair.queries:
                if one.query.source != "catalog" and one.after and not one.after.refused:
                    self.tell(f"  {one.query.name}")
                    yield self._query(one, old, new)
        for dsn in copies:
            admin.drop(self.server.dsn(), admin.dbname(dsn))

    def _query(self, one: MeasuredQuery, old: Connection, new: Connection) -> BenchResultDocument:
        query, given = one.query, read_parameters(old, one.query)
        sides = [(old, query.before), (new, query.after)] if query.before else [(new, query.after)]
        clocks = [ClockedQuery(conn, query, spell(conn, texts, given)) for conn, texts in sides]
        for clock in clocks:
            clock.warm()
        for turn in range(PAIRS):
            for clock in clocks[:: -1 if turn % 2 else 1]:
                clock.sample()
        times = [clock.times for clock in clocks]
        ratio, least = paired_ratio(*times) if len(times) == 2 else (None, None)
        return BenchResultDocument(
            name=query.name, kind="legacy query" if query.legacy else "query", rows=self.rows,
            limit=limit_of(query),
            seconds=summarize(times[-1]), before=summarize(times[0]) if len(times) == 2 else None,
            ratio=ratio if ratio is None else round(ratio, 3),
            least=least if least is None else round(least, 3),
            cost=document_cost(one.after), cost_before=document_cost(one.before),
        )  # fmt: skip


def limit_of(query: BenchmarkQuery) -> float | None:
    """How many times its old time it may take; None where nothing was asked of old clients."""
    allowed = query.allows.get("time")
    return allowed.limit if allowed else LEGACY if query.legacy else None


def judge_times(results: Sequence[BenchResultDocument]) -> Iterator[Finding]:
    """What surely takes longer than it may, of as many rows as are asked for."""
    for one in results:
        if one.limit is None or one.rows < LARGE or (one.least or 0) <= one.limit:
            continue
        yield Finding(
            "benchmark.slower", "critical", one.name,
            f"{one.name} at {one.rows:,} rows takes {one.ratio} times its old"
            f" time, surely {one.least}; {one.limit:g} times may be",
            "compare the shapes of its plans: cost and cost_before",
        )  # fmt: skip


def benchmarks_directory(root: Path | None, named: str | None) -> Path | None:
    """The directory of a subject's queries; None where it names none."""
    return root / named if root is not None and named is not None else None
