"""What a gate proves: each claim with the suites and the evidence that it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Standing = Literal["proven", "refuted", "not proven"]


@dataclass(frozen=True)
class Claim:
    """A sentence, and what must pass for it to be true."""

    text: str
    suites: tuple[str, ...]
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A claim with what became of it; `because` names what failed or is missing."""

    text: str
    standing: Standing
    because: tuple[str, ...]
    rests_on: tuple[str, ...]


CLAIMS = (
    Claim("the source rows fit what the target demands", ("validation",), ("validate",)),
    Claim(
        "the whole plan runs on a copy, forward and back, and says what it locks",
        ("dry_run",),
        ("dry_run",),
    ),
    Claim("the migrated database is what the specification says", ("forward",)),
    Claim("no row is lost or changed: every row compared, samples shown", ("verify",), ("verify",)),
    Claim("nobody may do more or less than before without a reason", ("security",), ("security",)),
    Claim("old clients read and write as before", ("contract", "compatibility")),
    Claim("what users write meanwhile is kept, and nobody deadlocks", ("meanwhile",)),
    Claim("the way back restores everything, from every point", ("rollback",)),
    Claim(
        "the clean-up takes what it says, and what stays holds its rows, rules and rights",
        ("cleanup",),
    ),
    Claim("stopped anywhere, the run is taken up again and ends the same", ("resume",)),
    Claim("struck at every commit, nothing is lost", ("crash",), ("crash",)),
    Claim("defects planted in the migration are caught by these checks", ("sabotage",)),
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
    suites = {part["name"]: part["verdict"] for part in document["suites"]}
    evidence = {part["name"]: part["verdict"] for part in document["evidence"]}
    found = [_judged(claim, suites, evidence) for claim in claims]
    named = {suite for claim in claims for suite in claim.suites}
    found += [  # a suite that a user added proves what it is named after
        _judged(Claim(f"suite {name}", (name,)), suites, {}) for name in suites if name not in named
    ]
    return found


def _judged(claim: Claim, suites: Mapping[str, str], evidence: Mapping[str, str]) -> Judged:
    words = [(f"suite {name}", suites.get(name, NOT_RUN)) for name in claim.suites]
    words += [(f"evidence {name}", evidence.get(name, "missing")) for name in claim.evidence]
    because = tuple(f"{name}: {word}" for name, word in words if word != "pass")
    failed = any(word == "fail" for _, word in words)
    standing: Standing = "refuted" if failed else "not proven" if because else "proven"
    return Judged(claim.text, standing, because, tuple(name for name, _ in words))
