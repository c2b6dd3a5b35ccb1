"""The page of a gate: the answer first, then what it rests on; one file that needs no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.core.jsonfile import write_whole
from harness.core.quantity import size
from harness.document.verdict import CauseDocument, VerdictDocument
from harness.report import claims
from harness.report.evidence import EvidencePiece
from harness.report.portable import portable
from harness.report.rendering import environment
from harness.report.section.model import Template
from harness.report.section.registry import list_sections

SHOWN = 200  # findings on the page; verdict.json has them all
LONGEST = 6000  # characters of evidence shown with a finding
SEVERITIES = ("critical", "warning", "info")
STANDINGS = {"proven": ("p", "✓"), "refuted": ("f", "✗"), "not proven": ("u", "?")}
WORDS = {"pass": ("p", "✓"), "fail": ("f", "✗"), "unknown": ("u", "?")}


@dataclass(frozen=True)
class Shown:
    """A section of the page, drawn; where there is nothing to draw, `reason` says why."""

    template: Template
    body: str = ""
    appendix: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ShownCause:
    """A cause, and the findings beneath it."""

    cause: CauseDocument
    beneath: Sequence[Finding]


def render(
    document: VerdictDocument,
    pieces: Sequence[EvidencePiece],
    path: Path,
    logs: Sequence[str] = (),
) -> None:
    """Write the page of a verdict and its evidence. `logs` are links, relative to the page."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = portable(html(document, pieces, logs), Path.cwd())  # crash.json keeps its paths
        write_whole(path, text)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error


def html(
    document: VerdictDocument, pieces: Sequence[EvidencePiece], logs: Sequence[str] = ()
) -> str:
    """The page; the same for the same verdict and evidence."""
    pages = environment(_templates())
    findings = sorted(document.findings, key=_severity)
    beneath = {name for cause in document.causes for name in cause.findings}
    alone = [one for one in findings if one.id not in beneath]
    return pages.get_template("report.html.j2").render(
        d=document,
        go=document.verdict == "GO",
        claims=claims.judged(document),
        beyond=claims.beyond(document),
        sections=list(_sections(pieces, pages)),
        findings=alone[:SHOWN],
        unshown=len(alone[SHOWN:]),
        causes=[ShownCause(cause, _beneath(cause, findings)) for cause in document.causes],
        counts={name: _number(findings, name) for name in SEVERITIES},
        environment=_environment(document),
        logs=logs,
        longest=LONGEST,
        standings=STANDINGS,
        words=WORDS,
    )


def _templates() -> dict[str, Path]:
    """The templates of every section, by the names under which the page includes them."""
    found = {}
    for section in list_sections():
        if section.template is not None:
            found[f"section:{section.name}"] = section.template.path
            if section.template.appendix is not None:
                found[f"appendix:{section.name}"] = section.template.appendix
    return found


def _sections(pieces: Sequence[EvidencePiece], pages: Environment) -> Iterator[Shown]:
    """The sections in their order: those with evidence, and those that must have some."""
    there = {piece.name: piece for piece in pieces}
    for section in list_sections():
        piece, template = there.get(section.name), section.template
        if template is None or (piece is None and not section.required):
            continue
        if piece is None:
            yield Shown(template, reason="no evidence was asked for")
        elif piece.document is None:
            yield Shown(template, reason=piece.reason)
        else:
            yield _drawn(piece, template, pages)


def _drawn(piece: EvidencePiece, template: Template, pages: Environment) -> Shown:
    """One section; a template that cannot be drawn, whoever wrote it, spoils no other."""
    try:
        names = {
            "piece": piece,
            "document": piece.document,
            "view": template.view(piece.document),
            "context": template.context,
            "words": WORDS,
        }
        body = pages.get_template(f"section:{piece.name}").render(names)
        behind = ""
        if template.appendix is not None:
            behind = pages.get_template(f"appendix:{piece.name}").render(names)
    except Exception as error:
        return Shown(template, reason=f"it cannot be drawn: {type(error).__name__}: {error}")
    return Shown(template, Markup(body), Markup(behind))  # noqa: S704 - drawn by pages that escape


def _beneath(cause: CauseDocument, findings: Sequence[Finding]) -> Sequence[Finding]:
    """The findings of a cause, those of evidence first: they say more than a test does."""
    found = [one for one in findings if one.id in cause.findings]
    return sorted(found, key=lambda one: "::" in one.where)[:SHOWN]


def _severity(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)


def _number(findings: Sequence[Finding], severity: str) -> int:
    return sum(finding.severity == severity for finding in findings)


def _environment(document: VerdictDocument) -> dict[str, str]:
    """What was judged, on what, and the hashes that say exactly which."""
    plan, seed, tool = document.plan, document.seed, document.tool
    told = {
        "plan": f"{plan.name} {plan.version}",
        "plan hash": plan.hash,
        "rows": f"{seed.rows:,}, seed {seed.seed}",
        "seed hash": seed.hash,
        "tool": f"{tool.name} {tool.version}",
        "tool hash": tool.hash,
    }
    around = document.environment
    told |= {name.replace("_", " "): str(value) for name, value in around.items()}
    memory = around.get("memory_bytes")
    if memory:
        del told["memory bytes"]
        told["memory"] = size(memory)
    return told
