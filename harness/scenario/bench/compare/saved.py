"""pytest-benchmark's JSON: what a comparison writes of each arm, and two saved files compared.

Only files of one comparison hold pairs. Of two others nothing can be told but their medians: they
were run one after the other, and the machine may have changed between them.
"""

from __future__ import annotations

import dataclasses
import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, quantiles, stdev
from typing import Any, Final

from harness import __version__
from harness.core.errors import UsageError
from harness.document.base import FlawedDocument, OpenDocument, from_builtins, read_document
from harness.document.comparison import (
    ComparedBenchmarkDocument,
    ComparedRefDocument,
    ComparisonDocument,
)
from harness.scenario.bench.compare.benchmark import compared_benchmark
from harness.scenario.bench.compare.judge import rule_document, word_of
from harness.scenario.bench.compare.likeness import refuse_unlike_machines
from harness.scenario.bench.compare.rule import RULE, DecisionRule
from harness.scenario.bench.compare.sample import ARMS, Arm, ArmSample, SamplePair

WHAT: Final = "a saved run of pytest-benchmark"
HINT: Final = "name two files that pytest-benchmark or bench compare has written"
ALIKE: Final = ("node", "machine", "system", "release", "python_implementation", "python_version")
APART: Final = "the two runs were not made in pairs, so the machine may have changed between them"


class SavedStats(OpenDocument, frozen=True, kw_only=True):
    """Seconds of a benchmark."""

    median: float


class SavedBenchmark(OpenDocument, frozen=True, kw_only=True):
    """A benchmark of a saved run."""

    name: str
    fullname: str = ""
    stats: SavedStats
    extra_info: Mapping[str, Any] = {}

    @property
    def title(self) -> str:
        """The name that no other benchmark of the file has."""
        return self.fullname or self.name


class SavedRun(OpenDocument, frozen=True, kw_only=True):
    """A file of pytest-benchmark."""

    machine_info: Mapping[str, Any]
    commit_info: Mapping[str, Any] = {}
    benchmarks: Sequence[SavedBenchmark]

    @property
    def commit(self) -> str:
        """The commit that was run, as far as it is known."""
        return str(self.commit_info.get("id") or "")


class SavedPairs(OpenDocument, frozen=True, kw_only=True):
    """One arm's share of a comparison, as it stands in extra_info."""

    comparison: str
    arm: Arm
    rounds: Sequence[Sequence[ArmSample]]


def saved_runs(
    document: ComparisonDocument, pairs: Mapping[str, Sequence[Sequence[SamplePair]]]
) -> dict[Arm, dict[str, Any]]:
    """What pytest-benchmark would have written of each arm; the pairs are in extra_info."""
    comparison = uuid.uuid4().hex
    sides = {"base": document.base, "head": document.head}
    return {
        arm: {
            "machine_info": _machine(document),
            "commit_info": {"id": sides[arm].commit, "dirty": False, "branch": sides[arm].ref},
            "benchmarks": [
                _benchmark(document, name, comparison, arm, rounds)
                for name, rounds in pairs.items()
            ],
            "datetime": datetime.now(UTC).isoformat(),
            "version": f"migration-harness {__version__}",
        }
        for arm in ARMS
    }


def _machine(document: ComparisonDocument) -> dict[str, Any]:
    import platform

    told = document.machine
    return {
        "node": platform.node(),
        "machine": platform.machine(),
        "system": platform.system(),
        "release": platform.release(),
        "python_implementation": platform.python_implementation(),
        "python_version": platform.python_version(),
        "cpu": {"brand_raw": told.get("cpu", ""), "count": told.get("cores", 0)},
        "postgres": told.get("postgres", ""),
    }


def _benchmark(
    document: ComparisonDocument,
    name: str,
    comparison: str,
    arm: Arm,
    rounds: Sequence[Sequence[SamplePair]],
) -> dict[str, Any]:
    samples = [[pair.of(arm) for pair in pairs] for pairs in rounds]
    seconds = [one for pairs in samples for sample in pairs for one in sample.seconds]
    return {
        "group": None, "name": name, "fullname": name, "params": None, "param": None,
        "extra_info": {
            "rows": document.rows, "seed": document.seed, "comparison": comparison, "arm": arm,
            "rounds": [[dataclasses.asdict(sample) for sample in pairs] for pairs in samples],
        },
        "options": {},
        "stats": _stats(seconds),
    }  # fmt: skip


def _stats(seconds: Sequence[float]) -> dict[str, Any]:
    q1, middle, q3 = quantiles(seconds, n=4)
    total = sum(seconds)
    return {
        "min": min(seconds), "max": max(seconds), "mean": fmean(seconds),
        "stddev": stdev(seconds), "rounds": len(seconds), "median": middle, "iqr": q3 - q1,
        "q1": q1, "q3": q3, "iqr_outliers": 0, "stddev_outliers": 0, "outliers": "0;0",
        "ld15iqr": min(seconds), "hd15iqr": max(seconds), "ops": len(seconds) / total,
        "total": total, "iterations": 1, "data": list(seconds),
    }  # fmt: skip


def compare_saved(base: Path, head: Path, rule: DecisionRule = RULE) -> ComparisonDocument:
    """Two saved files compared, by pairs where there are some.

    Raises UsageError for a file that is none, for unlike machines or rows, and for files that are
    given the wrong way round.
    """
    begun = time.monotonic()
    runs: dict[Arm, SavedRun] = {"base": read_saved(base), "head": read_saved(head)}
    refuse_unlike_machines(*(_place(runs[arm]) for arm in ARMS))
    found = {arm: {one.title: one for one in runs[arm].benchmarks} for arm in ARMS}
    both = [name for name in found["base"] if name in found["head"]]
    commits = {arm: runs[arm].commit for arm in ARMS}
    benchmarks = [
        _compared(name, {arm: found[arm][name] for arm in ARMS}, commits, rule) for name in both
    ]
    return ComparisonDocument(
        verdict=word_of(benchmarks),
        base=ComparedRefDocument(ref=str(base), commit=commits["base"]),
        head=ComparedRefDocument(ref=str(head), commit=commits["head"]),
        benchmarks=benchmarks,
        added=[name for name in found["head"] if name not in found["base"]],
        removed=[name for name in found["base"] if name not in found["head"]],
        rule=rule_document(rule),
        machine={name: str(value) for name, value in _place(runs["head"]).items()},
        seconds=round(time.monotonic() - begun, 1),
    )


def read_saved(path: Path) -> SavedRun:
    """A saved run; raises UsageError where the file is none, or has a benchmark twice."""
    run = read_document(path, SavedRun, what=WHAT, hint=HINT)
    titles = [one.title for one in run.benchmarks]
    if not titles:
        raise UsageError("holds no benchmark", where=str(path), hint=HINT)
    for title in titles:
        if titles.count(title) > 1:
            raise UsageError(f"has the benchmark {title!r} twice", where=str(path), hint=HINT)
    for one in run.benchmarks:
        if not math.isfinite(one.stats.median):
            raise UsageError(f"the median of {one.title!r} is no time", where=str(path), hint=HINT)
    return run


def _place(run: SavedRun) -> dict[str, Any]:
    """What says which machine it was."""
    cpu = run.machine_info.get("cpu")
    processor = cpu if isinstance(cpu, dict) else {}
    told = {name: run.machine_info.get(name, "unknown") for name in ALIKE}
    told["processor"] = processor.get("brand_raw") or processor.get("brand") or "unknown"
    told["cores"] = processor.get("count", "unknown")
    return told | {"postgres": run.machine_info.get("postgres", "unknown")}


def _compared(
    name: str,
    saved: Mapping[Arm, SavedBenchmark],
    commits: Mapping[Arm, str],
    rule: DecisionRule,
) -> ComparedBenchmarkDocument:
    for key in ("rows", "seed", "size"):
        told = {arm: saved[arm].extra_info.get(key) for arm in ARMS}
        if told["base"] != told["head"]:
            raise UsageError(
                f"unlike things are not compared: {key} of {name} is {told['base']} in base and"
                f" {told['head']} in head",
                hint="compare runs of the same size",
            )
    rounds = list(_rounds(name, saved))
    if not rounds:
        return ComparedBenchmarkDocument(
            name=name, verdict="cannot tell", why=APART,
            base_seconds=saved["base"].stats.median, head_seconds=saved["head"].stats.median,
        )  # fmt: skip
    return compared_benchmark(name, rounds, commits, rule)


def _rounds(name: str, saved: Mapping[Arm, SavedBenchmark]) -> Iterator[list[SamplePair]]:
    """The rounds of pairs, where both files hold the shares of one comparison."""
    if any("comparison" not in saved[arm].extra_info for arm in ARMS):
        return
    shares = {arm: _share(name, saved[arm]) for arm in ARMS}
    if shares["base"].comparison != shares["head"].comparison:
        return
    if [shares[arm].arm for arm in ARMS] != list(ARMS):
        raise UsageError(
            f"{name}: the first file is of {shares['base'].arm} and the second of"
            f" {shares['head'].arm}", hint="name the file of base first",
        )  # fmt: skip
    for base, head in zip(shares["base"].rounds, shares["head"].rounds, strict=False):
        yield [SamplePair(*pair) for pair in zip(base, head, strict=False)]


def _share(name: str, saved: SavedBenchmark) -> SavedPairs:
    try:
        share = from_builtins(saved.extra_info, SavedPairs)
    except FlawedDocument as error:
        raise UsageError(f"{name}: its pairs cannot be read: {error}", hint=HINT) from None
    return share
