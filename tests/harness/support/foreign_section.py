"""A package of somebody else's that registers a kind of evidence, as an installed one does."""

from __future__ import annotations

from pathlib import Path

CODE = """
from pathlib import Path

import msgspec

from harness.core.finding import Finding
from harness.document.verdict import EvidenceCount
from harness.report.section.model import Claim, Section, Template


class Invoices(msgspec.Struct):
    verdict: str
    findings: list[Finding]
    sums: dict[str, int]


def count_sums(document):
    yield EvidenceCount("invoice sums", len(document.sums), len(document.sums))


SECTION = Section(
    "invoices",
    Invoices,
    Claim("every invoice sums up as before", ("invoices",), ("invoices",)),
    Template("Invoices", Path(__file__).with_name("invoices.html.j2"), "invoices"),
    counts=count_sums,
    figures=lambda document: {"invoices": len(document.sums)},
)
NO_SECTION = "something else"
TWICE = Section("verify")
"""
TEMPLATE = """
<ul>
{% for name, sum in document.sums.items() %}
<li>{{ name }}: {{ sum | count }}</li>
{% endfor %}
</ul>
"""
GOOD = {"verdict": "pass", "findings": [], "sums": {"<north>": 1234567}}


def install(directory: Path, target: str = "SECTION", template: str = TEMPLATE) -> Path:
    """A directory for the module path, with the package and its entry point in it."""
    (directory / "planted_invoices.py").write_text(CODE)
    (directory / "invoices.html.j2").write_text(template)
    metadata = directory / "planted_invoices-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: planted-invoices\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(
        f"[harness.report_sections]\ninvoices = planted_invoices:{target}\n"
    )
    return directory
