"""A kind of evidence that another package registers is gathered, judged, claimed and shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.report import claims
from harness.report.evidence import EvidencePiece, gather
from harness.report.section.registry import BUILT_IN, list_required, list_sections
from harness.report.verdict import Suite
from tests.harness.support import foreign_section
from tests.harness.support.foreign_section import GOOD
from tests.harness.support.report import built, left, verdict


@pytest.fixture
def module_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for packages of others, that is gone afterwards."""
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))
    list_sections.cache_clear()
    yield place
    list_sections.cache_clear()
    sys.modules.pop("planted_invoices", None)


def piece_of(directory: Path, text: object) -> EvidencePiece:
    left(directory)
    (directory / "invoices.json").write_text(json.dumps(text))
    (piece,) = [one for one in gather(directory, list_required()) if one.name == "invoices"]
    return piece


def test_a_registered_kind_is_judged_counted_and_claimed(module_path: Path, tmp_path: Path) -> None:
    foreign_section.install(module_path)
    piece = piece_of(tmp_path / "evidence", GOOD)
    assert (piece.verdict, piece.figures) == ("pass", {"invoices": 1})
    assert [str(count) for count in piece.counts] == ["1 of 1 invoice sums"]
    suites = [Suite("invoices", passed=1)]
    document = verdict(suites=suites, evidence=[piece.exhibit]).document()
    (claim,) = [one for one in claims.judged(document) if "invoice" in one.text]
    assert (claim.standing, claim.text) == (
        "proven",
        "every invoice sums up as before: 1 of 1 invoice sums",
    )


def test_a_registered_kind_is_shown_on_the_page(module_path: Path, tmp_path: Path) -> None:
    foreign_section.install(module_path)
    page = (built(tmp_path, {"invoices": GOOD}) / "report" / "index.html").read_text()
    assert '<a href="#invoices">Invoices</a>' in page
    assert "<li>&lt;north&gt;: 1,234,567</li>" in page  # escaped, with the filters of ours


def test_a_registered_kind_that_nobody_left_is_neither_shown_nor_missed(
    module_path: Path, tmp_path: Path
) -> None:
    foreign_section.install(module_path)
    page = (built(tmp_path) / "report" / "index.html").read_text()
    assert 'href="#invoices"' not in page
    assert "invoices" not in list_required()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD | {"sums": 3}, "invoices.json: $.sums: expected object, got int"),
        (GOOD | {"findings": [{}]}, "$.findings[0]: the key 'id' is missing"),
    ],
)
def test_misshapen_evidence_of_a_registered_kind_is_unknown(
    module_path: Path, tmp_path: Path, text: object, reason: str
) -> None:
    foreign_section.install(module_path)
    piece = piece_of(tmp_path, text)
    assert piece.verdict == "unknown"
    assert reason in piece.reason


def test_a_section_that_breaks_is_unknown_and_spoils_no_other(
    module_path: Path, tmp_path: Path
) -> None:
    foreign_section.install(module_path, template="{{ document.nothing }}")
    page = (built(tmp_path, {"invoices": GOOD}) / "report" / "index.html").read_text()
    assert "it cannot be drawn: UndefinedError" in page
    assert "Timeline of a run" in page


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("ABSENT", "it cannot be loaded: AttributeError"),
        ("NO_SECTION", "it does not name a Section but str"),
        ("TWICE", "there is a section 'verify' already"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_a_usage_error(
    module_path: Path, target: str, said: str
) -> None:
    foreign_section.install(module_path, target)
    with pytest.raises(UsageError, match=f"of planted-invoices, entry point of .*: {said}"):
        list_required()


def test_every_kind_of_ours_stands_in_the_registry_once() -> None:
    names = [section.name for section in BUILT_IN]
    assert len(set(names)) == len(names) == 21
    anchors = [section.template.anchor for section in BUILT_IN if section.template]
    assert sorted(anchors) == ["acceptance", "crash", "live", "samples", "security", "timeline"]
