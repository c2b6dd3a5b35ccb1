"""Evidence of crash exploration: its directions put together, and the map that is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from harness.core.errors import UsageError
from harness.core.finding import Finding, Severity
from harness.crash import coverage_file
from harness.crash.request import incomplete
from harness.document.crash import (
    CountedDocument,
    CrashDocument,
    FailureDocument,
    PointSampleDocument,
    check_crash,
)
from harness.document.verdict import EvidenceCount
from harness.report import crash_page
from harness.report.rendering import TEMPLATES
from harness.report.section.model import Claim, Section, Template

WORST: Final = ("fail", "unknown", "pass")
SAME: Final = ("plan hash", "tool hash", "postgres", "rows", "seed")
"""What an exploration must have in common with the gate's sample, to be of the same migration."""
SEVERITIES: Final[Mapping[str, Severity]] = {"unknown": "warning", "info": "info"}


def merge_ledgers(found: Sequence[CrashDocument]) -> CrashDocument:
    """One ledger of several explorations of the same plan."""
    for document in found:
        check_crash(document)
    first = found[0]
    numbers: dict[str, Any] = {name: sum(getattr(one, name) for one in found) for name in _NUMBERS}
    lists: dict[str, Any] = {name: tuple(_all(found, name)) for name in _LISTS}
    return CrashDocument(
        schema_version=first.schema_version,
        verdict=min((one.verdict for one in found), key=WORST.index),
        **numbers,
        **lists,
        domains=_domains(found),
        asked=first.asked,
        enumerated=_enumerated(found),
        sample=_sample(found),
        not_asked=first.not_asked if len(found) == 1 else {},
        environment=first.environment,
        steps=tuple(dict.fromkeys(_all(found, "steps"))),
        cleanup_steps=_cleanup_steps(found),
        omitted={name: one for document in found for name, one in document.omitted.items()},
    )


_NUMBERS: Final = ("points", "fired", "states", "failed", "unknown", "seconds")
_LISTS: Final = (
    *("failures", "unknowns", "causes", "notes", "not_applicable", "rows", "missing", "drawn"),
)


def _all(found: Sequence[CrashDocument], name: str) -> Iterable[Any]:
    return chain.from_iterable(getattr(document, name) for document in found)


def _domains(found: Sequence[CrashDocument]) -> dict[str, CountedDocument]:
    names = dict.fromkeys(name for document in found for name in document.domains)
    return {
        name: CountedDocument(
            **{
                number: sum(
                    getattr(document.domains[name], number)
                    for document in found
                    if name in document.domains
                )
                for number in _NUMBERS
            }
        )
        for name in names
    }


def _enumerated(found: Sequence[CrashDocument]) -> dict[str, dict[str, int]]:
    """How many points there were, by domain and direction, before some of them were chosen."""
    whole: dict[str, dict[str, int]] = {}
    for document in found:
        for domain, ways in document.enumerated.items():
            whole.setdefault(domain, {}).update(ways)
    return whole


def _sample(found: Sequence[CrashDocument]) -> PointSampleDocument:
    """How many points of how many, put together."""
    told = [document.sample for document in found]
    return PointSampleDocument(
        struck=sum(one.struck for one in told),
        of=sum(one.of for one in told),
        is_sample=any(one.is_sample for one in told),
        not_sampled=tuple(cell for one in told for cell in one.not_sampled),
    )


def _cleanup_steps(found: Sequence[CrashDocument]) -> tuple[str, ...]:
    """The clean-up's steps between the begin and the end of a run."""
    ends = {"(start)", "(end)"}
    middle = [name for name in _all(found, "cleanup_steps") if name not in ends]
    return ("(start)", *dict.fromkeys(middle), "(end)")


def _findings(document: CrashDocument) -> Sequence[Finding]:
    """What failed or is not known, and what is to be known."""
    return [_finding(way) for way in (*document.failures, *document.unknowns, *document.notes)]


def _finding(way: FailureDocument) -> Finding:
    return Finding(
        id=f"crash.{way.domain}.{way.fault}",
        severity=SEVERITIES.get(way.outcome, "critical"),
        where=f"{way.step} at {way.boundary}, {way.direction}",
        message=way.reason or way.outcome,
        hint=f"repeat it: {way.replay}",
        evidence=way.evidence,
    )


def _counts(document: CrashDocument) -> Iterable[EvidenceCount]:
    there = sum(sum(ways.values()) for ways in document.enumerated.values())
    of = max(there, document.points)
    yield EvidenceCount("crash points struck", document.fired, of, sample=True)


def _figures(document: CrashDocument) -> Mapping[str, Any]:
    return {"crash_points": document.points}


def _find_fuller(build: Path, sampled: CrashDocument) -> CrashDocument | None:
    """The whole exploration of what was judged, if it lies in the build directory."""
    try:
        found = coverage_file.read(build / "crash.json")
    except UsageError:
        return None  # there is none, or none that can be read: the sample stands
    here, there = sampled.environment, found.environment
    same = all(name in here and here[name] == there.get(name) for name in SAME)
    return found if same and not incomplete(found) else None


SECTION = Section(
    "crash",
    CrashDocument,
    Claim("struck by a fault, it loses nothing", ("crash",), ("crash",)),
    Template(
        "Crash map",
        TEMPLATES / "report_crash.html.j2",
        "crash",
        crash_page.maps,
        {
            "symbols": crash_page.SYMBOLS,
            "classes": crash_page.CLASSES,
        },
        TEMPLATES / "report_crash_points.html.j2",
    ),
    required=True,
    merge=merge_ledgers,
    findings=_findings,
    counts=_counts,
    figures=_figures,
    find_fuller=_find_fuller,
)
