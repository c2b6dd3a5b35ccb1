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
from harness.database import admin, fingerprint, template
from harness.document.base import Word
from harness.document.bench_run import (
    BenchExponentDocument,
    BenchResultDocument,
    BenchRunDocument,
)
from harness.plan import Plan
from harness.runner import baseline, migrate, rollback
from harness.scenario.bench.evidence import document_cost
from harness.scenario.bench.judge import judge_costs
from harness.scenario.bench.measure import (
    Connection,
    MeasuredQuery,
    acting,
    measure_pair,
    read_parameters,
    spell,
    still_session,
)
from harness.scenario.bench.query import BenchmarkQuery
from harness.scenario.bench.statistics import fit_exponent, paired_ratio, summarize
from harness.server import Server
from harness.subject.choice import seeder_of, subject_of

ROUNDS: Final = 3  # of the migration's own benchmarks
PAIRS: Final = 9  # of a query before and after
LEGACY: Final = 1.3  # times its old time, of a query in its old words
LARGE: Final = 100_000  # rows from which that is asked
LINEAR: Final = 1.10  # the upper bound of an exponent
OWN: Final = ("seed", "migrate", "rollback", "fingerprint", "clone")
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
    known = [*OWN, *(query.name for query in settings.queries)]
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
        for rows in settings.sizes:
            tell(f"{rows:,} rows")
            size = _Size(settings, server, rows, tell)
            results += size.run()
            for name, rounds in size.times.items():
                times.setdefault(name, []).extend((rows, one) for one in rounds)
            findings |= {(one.id, one.where): one for one in size.findings}
        exponents = list(_exponents(times))
        found = [*findings.values(), *_slower(results), *_steeper(exponents)]
        verdict: Word = "fail" if any(one.severity == "critical" for one in found) else "pass"
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
        after = template.ensure(
            dsn, f"{key}-migrated", lambda made: self._clock("migrate", migrate, made), base=before
        )
        found = list(self._own(before, after)) if self._wanted(*OWN) else []
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

    def _clock(self, name: str, work: Callable[[str, Plan], object], dsn: str) -> None:
        begun = time.perf_counter()
        work(dsn, self.settings.plan)
        self.times.setdefault(name, []).append(time.perf_counter() - begun)

    def _own(self, before: str, after: str) -> Iterator[BenchResultDocument]:
        for place in range(ROUNDS):
            self._copied("migrate" if place else "", before, migrate)
            self._copied("rollback", after, rollback)
            self._copied("fingerprint", before, lambda dsn, _plan: fingerprint.take(dsn))
        for name in OWN:
            if self._wanted(name):
                yield BenchResultDocument(
                    name=name, kind="migration", rows=self.rows, seconds=summarize(self.times[name])
                )

    def _copied(self, name: str, base: str, work: Callable[[str, Plan], object]) -> None:
        """Time the copy of a template, and work on it; without a name nothing."""
        if not name or not self._wanted(name, "clone"):
            return
        self.tell(f"  {name}")
        begun = time.perf_counter()
        dsn = template.clone(self.server.dsn(), base)
        self.times.setdefault("clone", []).append(time.perf_counter() - begun)
        try:
            self._clock(name, work, dsn)
        finally:
            admin.drop(self.server.dsn(), admin.dbname(dsn))

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
        times: list[list[float]] = [[] for _ in sides]
        for turn in range(PAIRS):
            order = list(zip(sides, times, strict=True))
            for (conn, texts), into in order[:: -1 if turn % 2 else 1]:
                into.append(_timed(conn, query, spell(conn, texts, given)))
        ratio, least = paired_ratio(*times) if len(times) == 2 else (None, None)
        return BenchResultDocument(
            name=query.name, kind="legacy query" if query.legacy else "query", rows=self.rows,
            seconds=summarize(times[-1]), before=summarize(times[0]) if len(times) == 2 else None,
            ratio=ratio if ratio is None else round(ratio, 3),
            least=least if least is None else round(least, 3),
            cost=document_cost(one.after), cost_before=document_cost(one.before),
        )  # fmt: skip


def _timed(conn: Connection, query: BenchmarkQuery, texts: Sequence[str]) -> float:
    with acting(conn, query):
        begun = time.perf_counter()
        for text in texts:
            cursor = conn.execute(text.encode())
            if cursor.description:
                cursor.fetchall()
        return time.perf_counter() - begun


def _exponents(times: dict[str, list[tuple[int, float]]]) -> Iterator[BenchExponentDocument]:
    for name, points in times.items():
        fitted = fit_exponent([rows for rows, _ in points], [seconds for _, seconds in points])
        if fitted is not None:
            slope, upper = (round(one, 3) for one in fitted)
            yield BenchExponentDocument(name=name, exponent=slope, upper=upper)


def _slower(results: Sequence[BenchResultDocument]) -> Iterator[Finding]:
    for one in results:
        if one.kind != "legacy query" or one.rows < LARGE or (one.least or 0) <= LEGACY:
            continue
        yield Finding(
            "benchmark.slower", "critical", one.name,
            f"{one.name} at {one.rows:,} rows takes {one.ratio} times its old"
            f" time, surely {one.least}; {LEGACY} times may be",
            "compare the shapes of its plans: cost and cost_before",
        )  # fmt: skip


def _steeper(exponents: Sequence[BenchExponentDocument]) -> Iterator[Finding]:
    for one in exponents:
        if one.upper > LINEAR:
            yield Finding(
                "benchmark.exponent", "critical", one.name,
                f"{one.name} grows with the rows by the exponent {one.exponent}, up to {one.upper};"
                f" {LINEAR:.2f} may be",
            )  # fmt: skip


def benchmarks_directory(root: Path | None, named: str | None) -> Path | None:
    """The directory of a subject's queries; None where it names none."""
    return root / named if root is not None and named is not None else None
