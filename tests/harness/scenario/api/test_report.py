"""The change list as files: what breaks first, and no cell or name of a file breaks out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core.finding import Finding
from harness.document.api import ApiDocument, ApiLine, ApiOutcome
from harness.scenario.api.report import write_report
from harness.scenario.api.run import ApiLook

Descriptions = dict[tuple[str, str], Mapping[str, Any]]
ODD = "../ro|le"


def line(outcome: ApiOutcome, change: str) -> ApiLine:
    return ApiLine(
        kind="path-removed",
        path="/a",
        change=change,
        roles=(ODD,),
        outcome=outcome,
        request="GET /a?b=eq.x|y",
        before="1 rows",
        after="42P01 (gone\nand over)",
    )


def test_report_names_what_breaks_first_and_stays_in_its_directory(tmp_path: Path) -> None:
    unused = Finding("api-declared", "critical", "web path-removed /b", "it does not happen")
    document = ApiDocument(
        verdict="fail",
        schema="shop",
        roles=(ODD,),
        relations={ODD: (2, 1)},
        counts={"breaks": 1, "opens": 1},
        changes=[line("opens", "path-added /c"), line("breaks", "path-removed /a")],
        findings=[unused],
    )
    descriptions: Descriptions = {(ODD, "before"): {"swagger": "2.0"}, (ODD, "after"): {}}
    written = write_report(ApiLook(document, (), descriptions), tmp_path / "report")
    assert {path.parent for path in written} == {tmp_path / "report"}
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == [
        "api-changes.json",
        "api-changes.md",
        "openapi.___ro_le.after.json",
        "openapi.___ro_le.before.json",
    ]
    text = (tmp_path / "report" / "api-changes.md").read_text("utf-8")
    assert text.index("## Breaks (1)") < text.index("## New (1)")
    assert "- web path-removed /b: it does not happen" in text
    assert "| GET /a?b=eq.x\\|y | 1 rows | 42P01 (gone and over) |" in text
    told = json.loads((tmp_path / "report" / "api-changes.json").read_text("utf-8"))
    assert [one["outcome"] for one in told["changes"]] == ["opens", "breaks"]
