"""Evidence: JSON documents that the suites leave for the verdict, read back and judged.

A suite calls `keep`; outside a gate that does nothing. What is absent, unreadable or misshapen is
unknown, and says why: no evidence is no proof.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import msgspec

from harness.core.finding import Finding, Severity
from harness.core.jsonfile import PARTIAL, FlawedJSON, parse_json, read_text, write_json
from harness.document.base import FlawedDocument, Word, from_builtins, to_builtins
from harness.document.verdict import EvidenceCount
from harness.report import tally
from harness.report.section.counted import counted_section
from harness.report.section.model import Section
from harness.report.section.registry import find_section
from harness.report.verdict import Exhibit

VARIABLE = "HARNESS_EVIDENCE"  # the directory, during a gate


@dataclass(frozen=True)
class EvidencePiece:
    """All evidence of one kind. `document` is None when it is not there or cannot be read."""

    section: Section
    verdict: Word
    reason: str = ""
    document: Any = None
    findings: tuple[Finding, ...] = ()
    counts: tuple[EvidenceCount, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of its kind."""
        return self.section.name

    @property
    def exhibit(self) -> Exhibit:
        """As the verdict lists it."""
        return Exhibit(self.name, self.verdict, self.reason, self.counts)


def keep(name: str, found: Mapping[str, Any] | msgspec.Struct) -> None:
    """Leave a document for the verdict; nothing happens outside a gate."""
    directory = os.environ.get(VARIABLE)
    if directory:
        write_json(Path(directory) / f"{name}.json", to_builtins(found))


def count(
    name: str, what: str, done: Iterable[str], of: Iterable[str], *, sample: bool = False
) -> None:
    """Leave word of what a suite did, each thing by its name; to be called when it went well.

    Parts that several tests tell are put together: evidence `name` passes when `done` has all that
    is in `of`. Of a `sample` that is not asked, and pages say that it is one.
    """
    part = tally.make_part(what, done, of, sample)
    keep(tally.name_part(name, part), part)


def forget(directory: Path) -> None:
    """Remove what an earlier gate left, so that it cannot speak for this one."""
    for pattern in ("*.json", f"*{PARTIAL}"):
        for path in directory.glob(pattern):
            path.unlink()


def gather(directory: Path, names: Iterable[str]) -> tuple[EvidencePiece, ...]:
    """Every expected piece in order, then those that nobody expected."""
    expected = list(names)
    there = {_stem(path) for path in directory.glob("*.json")}
    return tuple(_gathered(directory, name) for name in [*expected, *sorted(there - {*expected})])


def find_fuller(piece: EvidencePiece, build: Path) -> EvidencePiece:
    """The piece with a document of the build directory that says more of the same, if it has one.

    Only for what passed: a failure is shown as it was found.
    """
    section = piece.section
    found = section.find_fuller(build, piece.document) if piece.verdict == "pass" else None
    if found is None:
        return piece
    whole = section.merge([found])
    counts = tuple(section.counts(whole))
    return replace(piece, verdict=whole.verdict, document=whole, counts=counts)


def _stem(path: Path) -> str:
    """The name of a piece: crash.forward.json is a part of crash."""
    return path.name.split(".")[0]


def _gathered(directory: Path, name: str) -> EvidencePiece:
    section = find_section(name)
    paths = sorted(path for path in directory.glob(f"{name}*.json") if _stem(path) == name)
    if not paths:
        return EvidencePiece(section, "unknown", "no evidence was left")
    try:
        values = {path.name: _parsed(path) for path in paths}
        return _judged(*_whole(section, values))
    except (FlawedDocument, FlawedJSON) as error:
        return EvidencePiece(section, "unknown", str(error))
    except Exception as error:  # of a section that another package registered, or a bug of ours
        reason = f"it cannot be judged: {type(error).__name__}: {error}"
        return EvidencePiece(section, "unknown", " ".join(reason.split()))


def _parsed(path: Path) -> Any:
    try:
        return parse_json(read_text(path))
    except FlawedJSON as error:
        raise FlawedJSON(f"{path.name}:{error.line} {error.reason}", error.line) from None
    except OSError as error:
        raise FlawedJSON(f"{path.name} cannot be read: {error.strerror}") from None


def _whole(section: Section, values: Mapping[str, Any]) -> tuple[Section, Any]:
    """The kind of evidence, and the one document of all its files."""
    if section == Section(section.name) and all("counted" in one for one in values.values()):
        section = counted_section(section.name)  # nobody registered it, and it says how it is read
    documents = []
    for name, value in values.items():
        try:
            documents.append(from_builtins(value, section.document))
        except FlawedDocument as error:
            raise FlawedDocument(error.reason, f"{name}: {error.place}") from None
    try:
        return section, section.merge(documents)
    except FlawedDocument as error:
        raise FlawedDocument(error.reason, f"{' and '.join(values)}: {error.place}") from None


def _judged(section: Section, whole: Any) -> EvidencePiece:
    findings = tuple(section.findings(whole))
    critical = [finding.id for finding in findings if finding.severity == "critical"]
    if whole.verdict == "pass" and critical:
        raise FlawedDocument(f"it says pass but found {critical[0]}", "$.verdict")
    reason = getattr(whole, "reason", "") or _first_of(findings)
    return EvidencePiece(
        section,
        whole.verdict,
        "" if whole.verdict == "pass" else reason,
        whole,
        findings,
        tuple(section.counts(whole)),
        section.figures(whole),
    )


def _first_of(findings: Sequence[Finding]) -> str:
    worst = sorted(findings, key=lambda finding: get_args(Severity).index(finding.severity))
    return f"{worst[0].where}: {worst[0].message}" if worst else ""
