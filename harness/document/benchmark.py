"""Evidence of benchmarks: what each query cost before the migration and after it, in counts."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.finding import Finding
from harness.document.base import Document, Word


class QueryCostDocument(Document, frozen=True, kw_only=True):
    """One execution: rows, pages that were looked at, temporary pages, log, the plan's shape."""

    rows: int
    buffers: int
    temp: int
    wal_records: int
    wal_bytes: int
    shape: Sequence[str]


class BenchmarkQueryDocument(Document, frozen=True, kw_only=True):
    """A query with both sides; None is a side on which it is not asked, or is refused."""

    name: str
    about: str
    source: str
    kind: str
    before: QueryCostDocument | None
    after: QueryCostDocument | None
    refused: str = ""


class BenchmarkDocument(Document, frozen=True, kw_only=True):
    """Every query that was asked, and what was found."""

    verdict: Word
    findings: Sequence[Finding]
    queries: Sequence[BenchmarkQueryDocument]
    reason: str = ""
