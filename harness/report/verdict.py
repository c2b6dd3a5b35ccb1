"""The verdict: GO only if every suite that must run did, and every one of them passed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harness.check.finding import Finding

SCHEMA = 1  # of verdict.json; raised when a key changes its meaning

Word = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True)
class Suite:
    """The result of one suite. A skipped test proves nothing: the suite is then unknown."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    @property
    def verdict(self) -> Word:
        """Pass, fail or unknown."""
        if self.failed:
            return "fail"
        return "pass" if self.passed and not self.skipped else "unknown"


@dataclass(frozen=True)
class Verdict:
    """GO or NO-GO, and what it rests on."""

    suites: Sequence[Suite]
    findings: Sequence[Finding]
    complete: bool
    figures: dict[str, Any] = field(default_factory=dict)
    judged: dict[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> Literal["GO", "NO-GO"]:
        """GO only if the run came to its end and every suite says pass."""
        sure = self.complete and self.suites and not self._critical()
        return "GO" if sure and all(suite.verdict == "pass" for suite in self.suites) else "NO-GO"

    def _critical(self) -> bool:
        return any(finding.severity == "critical" for finding in self.findings)

    def reasons(self) -> list[str]:
        """Why it is not GO, one line each; empty on GO."""
        lines = [] if self.complete else ["the run was cut short"]
        for suite in self.suites:
            if suite.verdict == "fail":
                lines.append(
                    f"{suite.name}: {suite.failed} of {suite.failed + suite.passed} failed"
                )
            elif suite.verdict == "unknown":
                lines.append(
                    f"{suite.name}: unknown, {suite.passed} ran and {suite.skipped} were skipped"
                )
        return lines

    def document(self) -> dict[str, Any]:
        """The JSON document that `build/verdict.json` holds."""
        return {
            "schema": SCHEMA,
            "verdict": self.word,
            "reasons": self.reasons(),
            "suites": [asdict(suite) | {"verdict": suite.verdict} for suite in self.suites],
            "findings": [asdict(finding) for finding in self.findings],
            "unknowns": [suite.name for suite in self.suites if suite.verdict == "unknown"],
            "figures": self.figures,
            **self.judged,
        }


def with_missing(suites: Iterable[Suite], expected: Sequence[str]) -> list[Suite]:
    """The expected suites in order (an absent one is there with no test: unknown), then others."""
    found = {suite.name: suite for suite in suites}
    ordered = [found.pop(name, Suite(name)) for name in expected]
    return ordered + list(found.values())
