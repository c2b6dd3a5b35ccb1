"""The verdict of a comparison, and its lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.core.quantity import duration, timing
from harness.document.base import Word
from harness.document.comparison import (
    ComparedBenchmarkDocument,
    ComparisonDocument,
    ComparisonRuleDocument,
)
from harness.scenario.bench.compare.rule import DecisionRule


def word_of(benchmarks: Sequence[ComparedBenchmarkDocument]) -> Word:
    """Fail for a confirmed slowdown; unknown where something cannot be told."""
    if any(one.confirmed for one in benchmarks):
        return "fail"
    if not benchmarks or any(one.verdict == "cannot tell" for one in benchmarks):
        return "unknown"
    return "pass"


def rule_document(rule: DecisionRule) -> ComparisonRuleDocument:
    """The rule, as the document keeps it."""
    return ComparisonRuleDocument(
        pairs=rule.pairs, inner=rule.inner, servers=rule.servers,
        confidence=rule.confidence, band=rule.band,
    )  # fmt: skip


def comparison_lines(document: ComparisonDocument) -> Iterator[str]:
    """What a person reads of it in a terminal."""
    base, head = document.base, document.head
    yield f"compared: base {base.ref} {base.commit[:12]}, head {head.ref} {head.commit[:12]}"
    names = [*(one.name for one in document.benchmarks), *document.added, *document.removed]
    width = max(map(len, [*names, *(left.name for left in document.dropped)]), default=0)
    for one in document.benchmarks:
        yield f"  {one.name:<{width}}  {_told(one)}"
    for name in document.added:
        yield f"  {name:<{width}}  only head has it: not compared"
    for name in document.removed:
        yield f"  {name:<{width}}  only base has it: not compared"
    for left in document.dropped:
        long = "" if left.seconds is None else f", a round of it takes {duration(left.seconds)}"
        yield f"  {left.name:<{width}}  left out{long}: --only {left.name} has no limit"
    yield from (f"  {note}" for note in document.notes)
    answer = _ANSWERS[document.verdict] if document.benchmarks else "nothing was compared"
    yield f"{answer} ({duration(document.seconds)})"


_ANSWERS = {
    "fail": "a slowdown was measured and confirmed",
    "pass": "nothing is slower",
    "unknown": "no slowdown is confirmed; not everything can be told",
}


def _told(one: ComparedBenchmarkDocument) -> str:
    said = one.verdict + (", confirmed" if one.confirmed else "")
    if one.ratio is not None and one.low is not None and one.high is not None:
        said += f"  {change(one.ratio)} [{change(one.low)}, {change(one.high)}]"
    if one.base_seconds is not None and one.head_seconds is not None:
        said += f"  {timing(one.base_seconds)} → {timing(one.head_seconds)}"
    return f"{said}  {one.why}" if one.why else said


def change(ratio: float) -> str:
    """A ratio of head to base as a change in percent."""
    return f"{100 * (ratio - 1):+.1f}%"
