"""Evidence of security: what each role may do, before and after, as a matrix."""

from __future__ import annotations

from collections.abc import Iterable

from harness.document.security import SecurityDocument
from harness.document.verdict import EvidenceCount
from harness.report import matrix
from harness.report.rendering import TEMPLATES
from harness.report.section.model import Claim, Section, Template, count_every


def _counts(document: SecurityDocument) -> Iterable[EvidenceCount]:
    tried = len(document.roles) * (len(document.relations) + len(document.functions))
    yield count_every("roles on relations and functions tried", tried)


SECTION = Section(
    "security",
    SecurityDocument,
    Claim("nobody may do more or less than before without a reason", ("security",), ("security",)),
    Template(
        "Security, before and after",
        TEMPLATES / "report_security.html.j2",
        "security",
        matrix.draw_matrix,
        {"letters": matrix.LETTERS},
        menu="Security",
    ),
    required=True,
    counts=_counts,
)
