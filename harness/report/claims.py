"""What a gate proves: each claim with the suites, the evidence and the counts that it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.document.verdict import ExhibitDocument, SuiteDocument, VerdictDocument
from harness.report.section.model import Claim
from harness.report.section.registry import list_claims

Standing = Literal["proven", "refuted", "not proven"]


@dataclass(frozen=True)
class Judged:
    """A claim with what became of it; `because` names what failed or is missing."""

    text: str
    standing: Standing
    because: tuple[str, ...]
    rests_on: tuple[str, ...]


NOT_RUN = "did not run (harness gate --full runs every suite)"
BEYOND = (
    "other versions of Postgres, other numbers of rows and other seeds than those named below",
    "crash points outside the sample; harness crash strikes at all of them",
    "statement mutants of the plan; harness mutate runs them",
    "a power cut: a killed process is not one",
    "how long it takes on the production server; the estimate is for this one",
)


def judged(document: VerdictDocument, claims: Sequence[Claim] | None = None) -> list[Judged]:
    """Every claim, held against the suites and the evidence of a verdict."""
    claims = list_claims() if claims is None else claims
    suites = {suite.name: suite.verdict for suite in document.suites}
    evidence = {exhibit.name: exhibit for exhibit in document.evidence}
    absent = {one.name for one in document.not_applicable or ()}
    absent |= {name for claim in claims for name in claim.own if name not in suites}
    applying = [left for claim in claims if (left := _without(claim, absent))]
    found = [_judged(claim, suites, evidence) for claim in applying]
    named = {suite for claim in claims for suite in claim.suites}
    found += [_alone(suite) for suite in document.suites if suite.name not in named]
    return found


def beyond(document: VerdictDocument) -> list[str]:
    """What a gate does not look at, and what this plan had switched off."""
    off = document.settings.switched_off
    absent = [f"{one.name}: not applicable, {one.reason}" for one in document.not_applicable or ()]
    return [*absent, *(f"the check {name}: the plan switched it off" for name in off), *BEYOND]


def _without(claim: Claim, absent: set[str]) -> Claim | None:
    """The claim as it stands without suites that do not apply; None when no suite is left."""
    suites = tuple(name for name in claim.suites if name not in absent)
    evidence = tuple(name for name in claim.evidence if name not in absent)
    return replace(claim, suites=suites, evidence=evidence) if suites else None


def _judged(
    claim: Claim, suites: Mapping[str, str], evidence: Mapping[str, ExhibitDocument]
) -> Judged:
    exhibits = [evidence[name] for name in claim.evidence if name in evidence]
    words = [(f"suite {name}", suites.get(name, NOT_RUN)) for name in claim.suites]
    words += [
        (f"evidence {name}", evidence[name].verdict if name in evidence else "missing")
        for name in claim.evidence
    ]
    counts = [count for exhibit in exhibits for count in exhibit.counts]
    because = [f"{name}: {word}" for name, word in words if word != "pass"]
    if not because and not counts:
        because = ["nothing was counted that it could stand on"]
    failed = any(word == "fail" for _, word in words)
    standing: Standing = "refuted" if failed else "not proven" if because else "proven"
    told = f"{claim.text}: {', '.join(map(str, counts))}" if counts else claim.text
    return Judged(told, standing, tuple(because), tuple(name for name, _ in words))


def _alone(suite: SuiteDocument) -> Judged:
    """A suite that a user added, without a claim: how many of its tests passed is all it says."""
    name, word = suite.name, suite.verdict
    standings: dict[str, Standing] = {"pass": "proven", "fail": "refuted"}
    because = () if word == "pass" else (f"suite {name}: {word}",)
    told = f"{name}: {suite.passed} tests passed"
    return Judged(told, standings.get(word, "not proven"), because, (f"suite {name}",))
