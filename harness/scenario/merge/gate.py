"""The verdict of a whole gate from those of its shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

import msgspec

from harness.document.verdict import UNSET, SuiteDocument, VerdictDocument

ADDED: Final = ("tests", "seconds", "crash_points")
"""Figures that add up; of others the first that is told."""


def merge_gate(shards: Sequence[VerdictDocument], lost: Sequence[str]) -> VerdictDocument:
    """One verdict: GO only if every suite of the whole is there and passed. `lost` says what is."""
    first = shards[0]
    if len(shards) == 1 and not first.shard:
        return first
    suites = _suites(shards, first.shard.whole if first.shard else ())
    unknown = [one.name for one in suites if one.verdict == "unknown"]
    there = {suite.name for shard in shards for suite in shard.suites}
    unrun = [f"{name}: unknown, no test of it ran" for name in unknown if name not in there]
    reasons = _once(chain.from_iterable(shard.reasons for shard in shards), lost, unrun)
    tables: dict[str, int] = {}
    for shard in shards:
        tables |= dict(shard.seed.tables or {})
    return msgspec.structs.replace(
        first,
        verdict="NO-GO" if reasons else "GO",
        reasons=reasons,
        causes=_all(shards, "causes"),
        suites=suites,
        evidence=_all(shards, "evidence"),
        findings=_all(shards, "findings"),
        unknowns=_once(_all(shards, "unknowns"), unknown),
        figures=_figures(shards),
        judged_at=min(shard.judged_at for shard in shards),
        seed=msgspec.structs.replace(first.seed, tables=tables),
        shard=UNSET,
    )


def _suites(shards: Sequence[VerdictDocument], whole: Sequence[str]) -> list[SuiteDocument]:
    """The suites of the whole in their order, then others; one that nobody ran is unknown."""
    found = {suite.name: suite for shard in shards for suite in shard.suites}
    ordered = [found[name] if name in found else _unrun(name) for name in whole]
    return [*ordered, *(suite for name, suite in found.items() if name not in whole)]


def _unrun(name: str) -> SuiteDocument:
    return SuiteDocument(name=name, passed=0, failed=0, skipped=0, seconds=0.0, verdict="unknown")


def _figures(shards: Sequence[VerdictDocument]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for shard in shards:
        for name, value in shard.figures.items():
            figures[name] = figures[name] + value if name in figures and name in ADDED else value
    return figures | {"shards": len(shards)}


def _all(shards: Sequence[VerdictDocument], name: str) -> list[Any]:
    return list(chain.from_iterable(getattr(shard, name) for shard in shards))


def _once(*parts: Iterable[str]) -> list[str]:
    def every() -> Iterator[str]:
        yield from chain.from_iterable(parts)

    return list(dict.fromkeys(every()))
