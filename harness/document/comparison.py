"""comparison.json: two refs, or two saved runs, compared benchmark by benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from harness.document.base import Document, Word

ChangeWord = Literal["faster", "slower", "same", "cannot tell"]
ArmWord = Literal["base", "head"]


class ComparedRefDocument(Document, frozen=True, kw_only=True):
    """One side: how it was named, and what it was."""

    ref: str
    commit: str = ""
    version: str = ""


class ComparisonRuleDocument(Document, frozen=True, kw_only=True):
    """What was fixed before: pairs of medians of `inner` runs, on so many fresh servers each."""

    pairs: int
    inner: int
    servers: int
    confidence: float
    band: float


class ComparisonRoundDocument(Document, frozen=True, kw_only=True):
    """A round: ratios of head to base, and its pairs as medians in seconds, base then head."""

    verdict: ChangeWord
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    smallest: float | None = None
    why: str = ""
    pairs: Sequence[tuple[float, float]] = ()


class ComparedBenchmarkDocument(Document, frozen=True, kw_only=True):
    """A benchmark: what came of it, and why where it cannot be told.

    `smallest` is the ratio from which a slowdown would have been seen; seconds are medians.
    """

    name: str
    verdict: ChangeWord
    why: str = ""
    confirmed: bool = False
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    smallest: float | None = None
    base_seconds: float | None = None
    head_seconds: float | None = None
    rounds: Sequence[ComparisonRoundDocument] = ()


class LeftOutDocument(Document, frozen=True, kw_only=True):
    """A benchmark that did not fit into the time, and how long a round of it takes, if known."""

    name: str
    seconds: float | None


class ComparisonDocument(Document, frozen=True, kw_only=True):
    """A comparison. `verdict` is fail only for a slowdown that was confirmed, and unknown where
    there is a benchmark of which nothing can be told.

    `added` and `removed` are benchmarks that only head or only base has. `machine` is what it ran
    on; `loop` the seconds of a fixed loop in each arm.
    """

    verdict: Word
    base: ComparedRefDocument
    head: ComparedRefDocument
    benchmarks: Sequence[ComparedBenchmarkDocument]
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    dropped: Sequence[LeftOutDocument] = ()
    rule: ComparisonRuleDocument
    rows: int | None = None
    seed: int | None = None
    machine: Mapping[str, str | int] = {}
    loop: Mapping[ArmWord, float] = {}
    seconds: float
    notes: Sequence[str] = ()
