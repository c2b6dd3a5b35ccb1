"""What a gate proves: each claim with the suites, the evidence and the counts that it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.report.tally import Count

Standing = Literal["proven", "refuted", "not proven"]


@dataclass(frozen=True)
class Claim:
    """A sentence, and what must pass for it to be true; without counts it is not told at all."""

    text: str
    suites: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """A claim with what became of it; `because` names what failed or is missing."""

    text: str
    standing: Standing
    because: tuple[str, ...]
    rests_on: tuple[str, ...]


CLAIMS = (
    Claim("the source rows fit what the target demands", ("validation",), ("validate",)),
    Claim("the plan runs on a copy and says what it locks", ("dry_run",), ("dry_run",)),
    Claim("the migrated database is as specified", ("forward",), ("forward",)),
    Claim("no row is lost or changed", ("verify",), ("verify",)),
    Claim("nobody may do more or less than before without a reason", ("security",), ("security",)),
    Claim(
        "old clients read and write as before",
        ("contract", "compatibility"),
        ("contract", "compatibility"),
    ),
    Claim("what users do meanwhile is kept", ("meanwhile",), ("meanwhile",)),
    Claim("rolled back, the database is what it was", ("rollback",), ("rollback",)),
    Claim("the clean-up takes what it says and no more", ("cleanup",), ("cleanup",)),
    Claim("killed, the run is taken up again and ends the same", ("resume",), ("resume",)),
    Claim("struck by a fault, it loses nothing", ("crash",), ("crash",)),
    Claim("defects planted in the migration are caught", ("sabotage",), ("sabotage",)),
)
NOT_RUN = "did not run (harness gate --full runs every suite)"
BEYOND = (
    "other versions of Postgres, other numbers of rows and other seeds than those named below",
    "crash points outside the sample; harness crash strikes at all of them",
    "statement mutants of the plan; harness mutate runs them",
    "a power cut: a killed process is not one",
    "how long it takes on the production server; the estimate is for this one",
)


def judged(document: Mapping[str, Any], claims: Sequence[Claim] = CLAIMS) -> list[Judged]:
    """Every claim, held against the suites and the evidence of a verdict document."""
    suites = {part["name"]: part for part in document["suites"]}
    evidence = {part["name"]: part for part in document["evidence"]}
    found = [_judged(claim, suites, evidence) for claim in claims]
    named = {suite for claim in claims for suite in claim.suites}
    found += [_alone(suite) for name, suite in suites.items() if name not in named]
    return found


def beyond(document: Mapping[str, Any]) -> list[str]:
    """What a gate does not look at, and what this plan had switched off."""
    off = document.get("settings", {}).get("switched_off", [])
    return [*(f"the check {name}: the plan switched it off" for name in off), *BEYOND]


def _judged(
    claim: Claim, suites: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Mapping[str, Any]]
) -> Judged:
    words = [(f"suite {name}", _word(suites, name, NOT_RUN)) for name in claim.suites]
    words += [(f"evidence {name}", _word(evidence, name, "missing")) for name in claim.evidence]
    counts = [
        Count(**count)
        for name in claim.evidence
        for count in evidence.get(name, {}).get("counts", ())
    ]
    because = [f"{name}: {word}" for name, word in words if word != "pass"]
    if not because and not counts:
        because = ["nothing was counted that it could stand on"]
    failed = any(word == "fail" for _, word in words)
    standing: Standing = "refuted" if failed else "not proven" if because else "proven"
    told = f"{claim.text}: {', '.join(map(str, counts))}" if counts else claim.text
    return Judged(told, standing, tuple(because), tuple(name for name, _ in words))


def _word(parts: Mapping[str, Mapping[str, Any]], name: str, absent: str) -> str:
    return str(parts[name]["verdict"]) if name in parts else absent


def _alone(suite: Mapping[str, Any]) -> Judged:
    """A suite that a user added, without a claim: how many of its tests passed is all it says."""
    name, word = suite["name"], suite["verdict"]
    standing: Standing = {"pass": "proven", "fail": "refuted"}.get(word, "not proven")  # type: ignore[assignment]
    because = () if word == "pass" else (f"suite {name}: {word}",)
    return Judged(f"{name}: {suite['passed']} tests passed", standing, because, (f"suite {name}",))
