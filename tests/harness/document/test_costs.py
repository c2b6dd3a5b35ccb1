"""Measured seconds are read from whatever document told them; nothing else is taken for some."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.crash import coverage_file
from harness.crash.model import Task
from harness.crash.share import cost_of
from harness.document.costs import NO_COSTS, read_costs
from tests.harness.support.crash_ledger import ALL, WHOLE, document_of


def test_a_ledger_tells_the_seconds_of_its_points(tmp_path: Path) -> None:
    path = tmp_path / "crash.json"
    coverage_file.write(document_of(WHOLE), path)
    costs = read_costs(path)
    task = Task("wire", ALL[:3], weight=9.0)
    assert (cost_of(task, costs), cost_of(task, NO_COSTS)) == (1.5, 9.0)
    assert costs.digest == read_costs(path).digest != NO_COSTS.digest == ""


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "no seconds are measured"),
        ([], "expected object"),
        ({"suites": [{"name": "crash"}, {"seconds": 1}]}, "'name' is missing"),
        ({"rows": [{"id": "a", "seconds": -1}]}, "the seconds of 'a' are -1"),
        ({"rows": [{"id": "a", "seconds": "long"}]}, "expected float"),
    ],
)
def test_what_tells_no_seconds_is_refused(document: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=said):
        read_costs(path)
