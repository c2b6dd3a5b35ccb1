"""crash.json is read back as it was written, and refused when it is broken."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.crash.coverage import SCHEMA_VERSION
from harness.crash.coverage_file import read, write
from harness.crash.model import END, START
from tests.harness.support.crash_ledger import ALL, GOOD, REPLAY, STEPS, WHOLE, document_of


def test_the_document_is_read_back_as_it_was_written(tmp_path: Path):
    document = document_of(replace(WHOLE, rows=GOOD[1:]), seconds=12.5)
    write(document, tmp_path / "build" / "crash.json")
    found = read(tmp_path / "build" / "crash.json")
    assert found == json.loads(json.dumps(document))
    assert found["verdict"] == "fail"
    assert found["missing"][0]["id"] == ALL[0].id
    assert found["failures"][0]["replay"] == REPLAY.line(ALL[0])
    assert found["steps"] == [START, *STEPS, END]
    assert len(found["rows"]) == len(ALL) - 1
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["crash.json"]


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.pop(key)


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another version": (lambda d: d.update(schema_version=99), f"99.* reads {SCHEMA_VERSION}"),
    "no version": (without("schema_version"), "no schema_version"),
    "no rows": (without("rows"), "rows is missing"),
    "no verdict": (without("verdict"), "verdict is missing"),
    "points in words": (lambda d: d.update(points="many"), "points is missing or not"),
    "a row without its point": (lambda d: d["rows"][3].pop("id"), r"rows\[3\] lacks"),
    "nothing of what was asked": (without("asked"), "asked is missing"),
    "nothing of what there was": (without("enumerated"), "enumerated is missing"),
    "a count that is none": (lambda d: d.update(enumerated={"wire": 7}), "enumerated is no number"),
    "no steps": (lambda d: d.update(steps=[]), "steps does not"),
    "a pass over a failure": (lambda d: d["rows"][0].update(outcome="failed"), "not all .* passed"),
}


@pytest.mark.parametrize(("spoil", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_document_is_refused_with_file_and_reason(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object], reason: str
):
    path = tmp_path / "crash.json"
    document = document_of(WHOLE)
    write(document, path)
    assert read(path)["verdict"] == "pass"
    spoil(document)
    write(document, path)
    with pytest.raises(UsageError, match=reason) as caught:
        read(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot read"),
        (b"GO", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "no schema_version"),
    ],
    ids=["no file", "no JSON", "no text", "no object"],
)
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, content: bytes | None, reason: str):
    path = tmp_path / "crash.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=reason) as caught:
        read(path)
    assert caught.value.where == str(path)
