"""Evidence of acceptance: every role's workflows, each signed off at every moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.document.acceptance import AcceptanceDocument, SignOffDocument
from harness.document.verdict import EvidenceCount
from harness.report.rendering import TEMPLATES
from harness.report.section.model import Claim, Section, Template


@dataclass(frozen=True)
class AcceptanceRow:
    """A workflow of a role, and its sign-offs in the order of the moments."""

    workflow: str
    role: str
    sign_offs: tuple[SignOffDocument, ...]


def list_rows(document: AcceptanceDocument) -> list[AcceptanceRow]:
    """A row for each workflow and role."""
    rows: dict[tuple[str, str], list[SignOffDocument]] = {}
    for one in document.sign_offs:
        rows.setdefault((one.workflow, one.role), []).append(one)
    return [AcceptanceRow(*who, tuple(mine)) for who, mine in rows.items()]


def _counts(document: AcceptanceDocument) -> Iterable[EvidenceCount]:
    accepted = sum(one.accepted for one in document.sign_offs)
    yield EvidenceCount("workflows signed off", accepted, len(document.sign_offs))


def _figures(document: AcceptanceDocument) -> Mapping[str, Any]:
    """The names of the workflows, and when the last of them was signed off."""
    if not document.sign_offs:
        return {}
    names = dict.fromkeys(one.workflow for one in document.sign_offs if one.accepted)
    return {
        "workflows_signed_off": ", ".join(names),
        "signed_off_at": max(one.at for one in document.sign_offs),
    }


SECTION = Section(
    "acceptance",
    AcceptanceDocument,
    Claim(
        "users get through their work before, during and after",
        ("acceptance",),
        ("acceptance",),
    ),
    Template(
        "Acceptance",
        TEMPLATES / "report_acceptance.html.j2",
        "acceptance",
        list_rows,
    ),
    required=True,
    counts=_counts,
    figures=_figures,
)
