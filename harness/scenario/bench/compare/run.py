"""Compare two refs: installed apart, measured in turns, decided by the rule, told as a document."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.document.comparison import (
    ComparedBenchmarkDocument,
    ComparedRefDocument,
    ComparisonDocument,
    LeftOutDocument,
)
from harness.scenario.bench.compare.arm_process import InstalledArm
from harness.scenario.bench.compare.benchmark import compared_benchmark
from harness.scenario.bench.compare.block import ServerWish
from harness.scenario.bench.compare.budget import LIMIT, TimeBudget
from harness.scenario.bench.compare.decision import (
    RoundResult,
    judge_round,
    needs_confirmation,
)
from harness.scenario.bench.compare.install import install_arm
from harness.scenario.bench.compare.judge import rule_document, word_of
from harness.scenario.bench.compare.likeness import look_at_machine
from harness.scenario.bench.compare.measure import RoundMeasured, RoundPlan, measure_round
from harness.scenario.bench.compare.refs import GitRef, find_repository, is_changed, resolve_ref
from harness.scenario.bench.compare.rule import RULE, DecisionRule
from harness.scenario.bench.compare.sample import ARMS, Arm, SamplePair
from harness.scenario.bench.compare.workloads import BenchWorkload, choose_workloads
from harness.server.workplace import workplace

Tell = Callable[[str], None]


@dataclass(frozen=True)
class ComparisonSettings:
    """What is compared, and of what size."""

    base: str
    head: str
    rows: int
    seed: int
    only: Sequence[str] = ()
    server: str = "embedded"
    pg_version: int | None = None
    directory: Path = field(default_factory=Path.cwd)
    rule: DecisionRule = RULE


def run_comparison(
    settings: ComparisonSettings, tell: Tell = lambda _line: None
) -> tuple[ComparisonDocument, Mapping[str, Sequence[Sequence[SamplePair]]]]:
    """The comparison of two refs, and the rounds of pairs of each benchmark.

    Raises UsageError for a ref that is not there or does not install, and for unlike arms.
    """
    begun = time.monotonic()
    workloads = choose_workloads(settings.only)
    budget = TimeBudget() if settings.only else TimeBudget(begun + LIMIT)
    with _installed(settings, tell) as (arms, notes):
        comparison = _Comparison(settings, arms, workloads, budget, tell)
        document = comparison.document(begun, notes)
    return document, comparison.pairs


@contextmanager
def _installed(
    settings: ComparisonSettings, tell: Tell
) -> Iterator[tuple[dict[Arm, InstalledArm], list[str]]]:
    repository = find_repository(settings.directory)
    refs: dict[Arm, GitRef] = {
        "base": resolve_ref(repository, settings.base),
        "head": resolve_ref(repository, settings.head),
    }
    notes = []
    if is_changed(repository):
        notes.append("changes that are not committed are in neither ref")
    with workplace() as place:
        arms: dict[Arm, InstalledArm] = {}
        for arm, ref in refs.items():
            (place / arm).mkdir()
            arms[arm] = install_arm(arm, ref, repository, place / arm)
            whose = "its own harness" if arms[arm].own else "this harness"
            tell(f"{arm}: {ref.name} is {ref.commit[:12]}, installed; {whose} runs it")
        yield arms, notes


class _Comparison:
    """Both rounds of a comparison."""

    def __init__(
        self,
        settings: ComparisonSettings,
        arms: Mapping[Arm, InstalledArm],
        workloads: Sequence[BenchWorkload],
        budget: TimeBudget,
        tell: Tell,
    ) -> None:
        self._settings, self._arms, self._tell = settings, arms, tell
        self._commits: dict[Arm, str] = {arm: arms[arm].commit for arm in ARMS}
        wish = ServerWish(settings.server, settings.pg_version, settings.rows, settings.seed)
        self._plan = RoundPlan(arms, workloads, wish, settings.rule, budget, False, tell)
        self._results: dict[str, list[RoundResult]] = {}
        self.pairs: dict[str, list[Sequence[SamplePair]]] = {}
        self.first = RoundMeasured()

    def document(self, begun: float, notes: Sequence[str]) -> ComparisonDocument:
        self.first = measure_round(self._plan)
        self._judge(self.first)
        second = self._confirm()
        benchmarks = [
            self._benchmark(one.name, second)
            for one in self._plan.workloads
            if one.name in self._results or one.name in self.first.failed
        ]
        lacking = self.first.lacking
        return ComparisonDocument(
            verdict=word_of(benchmarks),
            base=self._ref("base"),
            head=self._ref("head"),
            benchmarks=benchmarks,
            added=[name for name, arm in lacking.items() if arm == "base"],
            removed=[name for name, arm in lacking.items() if arm == "head"],
            dropped=[
                LeftOutDocument(name=name, seconds=None if seconds is None else round(seconds, 1))
                for name, seconds in self.first.dropped.items()
            ],
            rule=rule_document(self._settings.rule),
            rows=self._settings.rows,
            seed=self._settings.seed,
            machine={
                **dataclasses.asdict(look_at_machine()),
                "postgres": self.first.postgres,
                "server": self._settings.server,
            },
            loop=self.first.loop,
            seconds=round(time.monotonic() - begun, 1),
            notes=notes,
        )

    def _judge(self, measured: RoundMeasured) -> None:
        for name, pairs in measured.pairs.items():
            result = judge_round(pairs, self._commits, self._settings.rule)
            self._results.setdefault(name, []).append(result)
            self.pairs.setdefault(name, []).append(pairs)
            ratio = f" ({result.ratio:.3f})" if result.ratio else ""
            self._tell(f"  {name}: {result.change}{ratio}")

    def _confirm(self) -> RoundMeasured:
        """The second round of what the first calls slower, decided before it was run."""
        due = [
            one
            for one in self._plan.workloads
            if needs_confirmation(self._results.get(one.name, []))
        ]
        if not due:
            return RoundMeasured()
        measured = measure_round(dataclasses.replace(self._plan, workloads=due, confirming=True))
        self._judge(measured)
        return measured

    def _benchmark(self, name: str, second: RoundMeasured) -> ComparedBenchmarkDocument:
        if name in self.first.failed:
            why = self.first.failed[name]
            return ComparedBenchmarkDocument(name=name, verdict="cannot tell", why=why)
        more = second.failed.get(name, "")
        if name in second.dropped:
            more = f"there was no time; take --only {name}"
        return compared_benchmark(name, self.pairs[name], self._commits, self._settings.rule, more)

    def _ref(self, arm: Arm) -> ComparedRefDocument:
        one = self._arms[arm]
        version = self.first.versions.get(arm, "")
        return ComparedRefDocument(ref=one.ref, commit=one.commit, version=version)
