"""The verdict: GO only if every suite that must run did, and every one of them passed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harness.core.finding import Finding
from harness.document.base import Word, from_builtins, to_builtins
from harness.document.verdict import SCHEMA, EvidenceCount, NotApplicable, VerdictDocument
from harness.report import causes
from harness.report.causes import ReportedCause

NAMED = 3  # critical findings that a reason names; all of them are listed


@dataclass(frozen=True)
class Suite:
    """The result of one suite. A test that was skipped or left out proves nothing: then unknown."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    left_out: int = 0

    @property
    def verdict(self) -> Word:
        """Pass, fail or unknown."""
        if self.failed:
            return "fail"
        return "pass" if self.passed and not self.skipped and not self.left_out else "unknown"


@dataclass(frozen=True)
class Exhibit:
    """One document of evidence: what it says, and why when that is no pass."""

    name: str
    verdict: Word
    reason: str = ""
    counts: Sequence[EvidenceCount] = ()


@dataclass(frozen=True)
class Verdict:
    """GO or NO-GO, and what it rests on. `doubts` are reasons not to trust the run as a whole."""

    suites: Sequence[Suite]
    findings: Sequence[Finding]
    complete: bool
    evidence: Sequence[Exhibit] = ()
    doubts: Sequence[str] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    judged: dict[str, Any] = field(default_factory=dict)
    causes: Sequence[ReportedCause] = ()
    not_applicable: Sequence[NotApplicable] = ()

    @property
    def word(self) -> Literal["GO", "NO-GO"]:
        """GO only if the run came to its end and nothing speaks against it."""
        return "NO-GO" if self.reasons() else "GO"

    def reasons(self) -> list[str]:
        """Why it is not GO, one line each; empty on GO."""
        lines = [] if self.complete else ["the run was cut short"]
        lines += self.doubts
        lines += [] if self.suites else ["no suite was run"]
        lines += [_said(suite) for suite in self.suites if suite.verdict != "pass"]
        for exhibit in self.evidence:
            if exhibit.verdict != "pass":
                why = f", {exhibit.reason}" if exhibit.reason else ""
                lines.append(f"evidence {exhibit.name}: {exhibit.verdict}{why}")
        critical = [finding.id for finding in self.findings if finding.severity == "critical"]
        if critical:
            more = f" and {len(critical) - NAMED} more" if len(critical) > NAMED else ""
            lines.append(f"critical findings: {', '.join(critical[:NAMED])}{more}")
        return lines

    def document(self) -> VerdictDocument:
        """What `build/verdict.json` holds; FlawedDocument when `judged` does not say what was."""
        parts: list[Suite | Exhibit] = [*self.suites, *self.evidence]
        document = {
            "schema": SCHEMA,
            "verdict": self.word,
            "reasons": self.reasons(),
            "causes": causes.document(self.causes),
            "suites": [asdict(suite) | {"verdict": suite.verdict} for suite in self.suites],
            "evidence": to_builtins(self.evidence),
            "findings": [asdict(finding) for finding in self.findings],
            "unknowns": [part.name for part in parts if part.verdict == "unknown"],
            "figures": self.figures,
            **self.judged,
        }
        if self.not_applicable:
            document["not_applicable"] = to_builtins(self.not_applicable)
        return from_builtins(document, VerdictDocument)


def _said(suite: Suite) -> str:
    if suite.verdict == "fail":
        return f"{suite.name}: {suite.failed} of {suite.failed + suite.passed} failed"
    if suite.left_out:
        return f"{suite.name}: unknown, {suite.left_out} of its tests left out"
    if not suite.passed and not suite.skipped:
        return f"{suite.name}: unknown, no test of it ran"
    return f"{suite.name}: unknown, {suite.passed} ran and {suite.skipped} were skipped"


def with_missing(suites: Iterable[Suite], expected: Sequence[str]) -> list[Suite]:
    """The expected suites in order (an absent one is there with no test: unknown), then others."""
    found = {suite.name: suite for suite in suites}
    ordered = [found.pop(name, Suite(name)) for name in expected]
    return ordered + list(found.values())
