"""What an impact run leaves: every artifact, every query with its outcome, the map, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from harness.core.finding import Finding, Severity
from harness.document.api import ApiDocument
from harness.document.base import Document, Word

Outcome = Literal["same", "differs", "cannot", "unknown", "refused", "declared"]
InsideWord = Literal["same", "differs", "cannot", "silent", "unknown", "declared"]


class QueryDocument(Document, frozen=True, kw_only=True):
    """A query: where it stands, what came of it; `rewritten` whether its text changed."""

    path: str
    line: int
    outcome: Outcome
    rewritten: bool
    rows: int
    reason: str = ""
    sqlstate: str = ""


class ArtifactDocument(Document, frozen=True, kw_only=True):
    """A file: its kind, its queries, how many places changed, and where it was written."""

    file: str
    kind: str
    queries: Sequence[QueryDocument]
    edits: int
    written: str | None = None


class InsideDocument(Document, frozen=True, kw_only=True):
    """An artifact in the database: its kind and name, what comes of it, and what shows it.

    `severity` is that of the finding; None where there is none, because it goes on as before.
    """

    kind: str
    name: str
    outcome: InsideWord
    reason: str = ""
    statement: str = ""
    sqlstate: str = ""
    evidence: Sequence[str] = ()
    hint: str = ""
    severity: Severity | None = None


class ImpactDocument(Document, frozen=True, kw_only=True):
    """A whole run. `map` is what was called otherwise; `others` are files of no kind; `inside` is
    what names the schema from inside the database; `api` what changes in the API of the schema.
    """

    verdict: Word
    artifacts: Sequence[ArtifactDocument]
    findings: Sequence[Finding]
    counts: Mapping[str, int]
    map: Mapping[str, Any]
    others: Sequence[str]
    inside: Sequence[InsideDocument] = ()
    api: ApiDocument | None = None
    role: str | None
    seconds: float
