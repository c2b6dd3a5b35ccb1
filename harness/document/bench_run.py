"""bench.json: how long benchmarks took on one machine, and what queries cost in counts."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.finding import Finding
from harness.document.base import Document, Word
from harness.document.benchmark import QueryCostDocument


class BenchTimeDocument(Document, frozen=True, kw_only=True):
    """Seconds of a benchmark: the median of its rounds, and the distance of their quartiles."""

    median: float
    spread: float
    rounds: int


class BenchResultDocument(Document, frozen=True, kw_only=True):
    """A benchmark at a number of rows.

    `ratio` is the time to the time of `before`, from pairs of runs that took turns; `least` is the
    lower end of its interval of 95%, and `limit` what it may be. `before` is the same query before
    the migration, or else what `against` says.
    """

    name: str
    kind: str
    rows: int
    seconds: BenchTimeDocument
    before: BenchTimeDocument | None = None
    ratio: float | None = None
    least: float | None = None
    limit: float | None = None
    against: str = ""
    cost: QueryCostDocument | None = None
    cost_before: QueryCostDocument | None = None


class BenchExponentDocument(Document, frozen=True, kw_only=True):
    """The exponent by which a benchmark's time grows with the rows, between its 95% bounds.

    `verdict` is pass where the upper one is small enough, fail where the lower one is too large,
    and else unknown: the sizes are too few or their times too noisy to tell.
    """

    name: str
    exponent: float
    upper: float
    lower: float
    verdict: Word


class BenchRunDocument(Document, frozen=True, kw_only=True):
    """A run of the benchmarks. Without three sizes nothing is said of exponents."""

    verdict: Word
    findings: Sequence[Finding]
    benchmarks: Sequence[BenchResultDocument]
    exponents: Sequence[BenchExponentDocument]
    server: str
    machine: str
    seconds: float
