"""The document of a measured pair, and its verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.core.finding import Finding
from harness.document.base import Word
from harness.document.benchmark import BenchmarkDocument, BenchmarkQueryDocument, QueryCostDocument
from harness.scenario.bench.explain import QueryCost
from harness.scenario.bench.measure import MeasuredPair, MeasuredQuery, MeasuredSide

NOTHING = "no query could be asked of the tables that are there before the migration"


def document_costs(pair: MeasuredPair, findings: Sequence[Finding]) -> BenchmarkDocument:
    """The document; where nothing could be asked it is unknown, and says so."""
    asked = any(_cost(one.after) is not None for one in pair.queries)
    nothing_there = not pair.before.real_tables()  # a migration from nothing has nothing to slow
    verdict: Word = "pass" if asked or nothing_there else "unknown"
    if any(one.severity == "critical" for one in findings):
        verdict = "fail"
    return BenchmarkDocument(
        verdict=verdict,
        findings=list(findings),
        queries=[_query(one) for one in pair.queries],
        reason="" if verdict != "unknown" else NOTHING,
    )


def _query(one: MeasuredQuery) -> BenchmarkQueryDocument:
    sides = [side for side in (one.before, one.after) if side is not None]
    return BenchmarkQueryDocument(
        name=one.query.name,
        about=one.query.about,
        source=one.query.source,
        kind="write" if one.query.writes else "read",
        before=document_cost(one.before),
        after=document_cost(one.after),
        refused=next((side.refused for side in sides if side.refused), ""),
    )


def document_cost(side: MeasuredSide | None) -> QueryCostDocument | None:
    """The cost of a side; None where there is none."""
    cost = _cost(side)
    if cost is None:
        return None
    values = dataclasses.asdict(cost)
    del values["whole"], values["indexes"]
    return QueryCostDocument(**values | {"shape": list(cost.shape)})


def _cost(side: MeasuredSide | None) -> QueryCost | None:
    return side.cost if side is not None else None
