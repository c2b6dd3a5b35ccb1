"""merge.json: what several documents come to together, shards and cells of a matrix alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from harness.core.finding import Finding
from harness.document.base import Document
from harness.document.crash import CrashDocument
from harness.document.live import LiveDocument
from harness.document.mutate import MutateDocument
from harness.document.verdict import SuiteDocument, VerdictDocument

MERGE_SCHEMA: Final = 1  # raised when a key changes its meaning
MergedKind = Literal["gate", "crash", "mutate", "live"]


class MergedFile(Document, frozen=True, kw_only=True):
    """A document that was merged, or turned away with `why`."""

    path: str
    kind: MergedKind
    shard: str = ""
    verdict: str
    why: str = ""


class MergeDocument(Document, frozen=True, kw_only=True):
    """GO only if nothing is lost, doubled or foreign, and every merged document passed.

    `gates` has one verdict for each server, version and number of rows.
    """

    merge_schema: int = MERGE_SCHEMA
    verdict: Literal["GO", "NO-GO"]
    reasons: Sequence[str]
    files: Sequence[MergedFile]
    suites: Sequence[SuiteDocument] = ()
    findings: Sequence[Finding] = ()
    figures: Mapping[str, Any] = msgspec.field(default_factory=dict)
    plan_hash: str
    tool_hash: str
    seed: int
    gates: Sequence[VerdictDocument] = ()
    crash: CrashDocument | None = None
    mutate: MutateDocument | None = None
    live: LiveDocument | None = None
