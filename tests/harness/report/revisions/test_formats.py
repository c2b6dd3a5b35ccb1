"""A check in the forms that other programs read: each holds every finding at its line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.core.finding import Finding
from harness.document.check import CheckDocument, RevisionDocument
from harness.report.revisions.formats import FORMATS

FOUND = Finding(
    "revision.rewrites", "critical", "1_a.sql:7", "a | b, 100%\nof it", "do: that", "sql"
)
DOCUMENT = CheckDocument(
    verdict="fail",
    layout="dbmate",
    root="db/migrations",
    server="embedded 18",
    assumed=["read as dbmate"],
    revisions=[
        RevisionDocument(
            name="1_a", path="1_a.sql", verdict="fail", classes=["data"], findings=[FOUND],
            back="differs", differences=["d"], lost_rows={}, statements=[], resumable="same",
            seconds=1.0,
        )
    ],
    unknowns=["t has no rows"],
    rows=10,
    like=None,
    seconds=1.5,
)  # fmt: skip


def written(form: str) -> Any:
    return json.loads(FORMATS[form](DOCUMENT))


def test_json_has_the_keys_of_the_contract() -> None:
    found = written("json")
    assert found["verdict"] == "fail"
    assert found["unknowns"] == ["t has no rows"]
    assert {"name", "path", "verdict", "classes", "findings"} <= found["revisions"][0].keys()


def test_sarif_places_a_finding_below_the_trees_root() -> None:
    (result,) = written("sarif")["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "db/migrations/1_a.sql"
    assert (place["region"]["startLine"], result["level"]) == (7, "error")


def test_annotations_escape_what_would_end_them() -> None:
    first = FORMATS["github"](DOCUMENT).splitlines()[0]
    assert first == (
        "::error file=db/migrations/1_a.sql,line=7,title=revision.rewrites"
        "::a | b, 100%25%0Aof it → do: that"
    )


@pytest.mark.parametrize("said", ["| 1_a | fail | data | 1 critical |", "Unknown: t has no rows"])
def test_markdown_has_a_row_a_revision_and_what_is_unknown(said: str) -> None:
    assert said in FORMATS["markdown"](DOCUMENT)
