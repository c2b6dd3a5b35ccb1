"""The verdict of an earlier gate, read back: whole and without contradiction, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.database import source
from harness.database.source import Source
from harness.document.base import (
    FlawedDocument,
    from_builtins,
    parse_document,
    read_document_text,
    refusal,
    to_builtins,
)
from harness.document.verdict import SCHEMA, VerdictDocument

AGAIN = "run the gate again: harness gate"
WHAT = "a verdict"


@dataclass(frozen=True)
class GateVerdict:
    """What a gate said, of which plan, and when (UTC)."""

    path: Path
    document: VerdictDocument
    judged_at: datetime
    source: Source

    @property
    def word(self) -> str:
        """GO or NO-GO."""
        return self.document.verdict

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not GO."""
        return tuple(self.document.reasons)

    @property
    def plan(self) -> str:
        """Name and version of the plan."""
        return f"{self.document.plan.name} {self.document.plan.version}".strip()

    @property
    def plan_hash(self) -> str:
        """The hash of the plan."""
        return self.document.plan.hash

    @property
    def rows(self) -> int:
        """How many rows it was judged on."""
        return self.document.seed.rows

    def limits(self, times: int) -> dict[str, int]:
        """So many times the rows that each table had when it was judged, where that is known."""
        tables = self.document.seed.tables or {}
        return {name: times * max(1, rows) for name, rows in tables.items()}


def read(path: Path) -> GateVerdict:
    """Read a verdict file; UsageError names file, line and reason when it cannot be trusted."""
    text = read_document_text(path, what="the verdict", hint=AGAIN)
    value = parse_document(path, text, hint=AGAIN)
    try:
        return _judgement(path, value)
    except FlawedDocument as flaw:
        raise refusal(path, text, flaw, what=WHAT, hint=AGAIN) from None


def _judgement(path: Path, value: Any) -> GateVerdict:
    _check_schema(value)
    document = from_builtins(value, VerdictDocument)
    _check_word(document)
    return GateVerdict(path, document, _moment(document.judged_at), _source(document))


def _check_schema(value: Any) -> None:
    """Said first: the keys of another schema are other ones."""
    if not isinstance(value, dict) or "schema" not in value:
        raise FlawedDocument("the key 'schema' is missing")
    if value["schema"] != SCHEMA:
        found = value["schema"]
        raise FlawedDocument(f"it has schema {found!r}, this harness reads {SCHEMA}", "$.schema")


def _check_word(document: VerdictDocument) -> None:
    """No GO that the rest of the file denies."""
    words = [suite.verdict for suite in document.suites]
    words += [exhibit.verdict for exhibit in document.evidence]
    critical = [finding.id for finding in document.findings if finding.severity == "critical"]
    denials = (*document.reasons, *document.unknowns, *critical)
    if document.verdict == "GO" and (denials or set(words) != {"pass"}):
        raise FlawedDocument("contradicts itself: GO, but not everything passed", "$.verdict")


def _moment(text: str) -> datetime:
    """A moment with its time zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise FlawedDocument(f"it is {text!r}, not a time with its zone", "$.judged_at")
    return found


def _source(document: VerdictDocument) -> Source:
    """The database that was judged, as it was before."""
    try:
        return source.parse(to_builtins(document.source))
    except ValueError as error:
        raise FlawedDocument(f"it is not whole: {error}", "$.source") from None
