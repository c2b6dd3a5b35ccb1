"""What the suites left is put in its place as it is, but for this machine's paths."""

import json
from pathlib import Path

import pytest

from harness.scenario.gate import build


def taken_over(directory: Path, text: str) -> str:
    left, there = directory / "left" / "evidence", directory / "build" / "evidence"
    left.mkdir(parents=True)
    there.mkdir(parents=True)
    (left / "validate.json").write_text(text)
    build.take_over(there.parent, left.parent, Path("/srv/project"))
    return (there / "validate.json").read_text()


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1', "[1]", ""])
def test_what_is_no_document_stays_as_it_is_to_be_found_out(tmp_path: Path, text: str) -> None:
    assert taken_over(tmp_path, text) == text


def test_paths_below_the_root_are_told_from_there(tmp_path: Path) -> None:
    text = json.dumps({"where": "/srv/project/sql/plan.toml:3"})
    assert json.loads(taken_over(tmp_path, text)) == {"where": "sql/plan.toml:3"}
