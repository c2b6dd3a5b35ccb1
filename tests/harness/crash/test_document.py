"""crash.json is read back as it was written, and refused when it is broken."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.crash.coverage_file import read, write
from harness.crash.model import END, START
from harness.document.base import to_builtins, to_text
from harness.document.crash import SCHEMA_VERSION
from tests.harness.support.crash_ledger import ALL, GOOD, REPLAY, STEPS, WHOLE, document_of


def test_the_document_is_read_back_as_it_was_written(tmp_path: Path):
    document = document_of(replace(WHOLE, rows=GOOD[1:]), seconds=12.5)
    write(document, tmp_path / "build" / "crash.json")
    found = read(tmp_path / "build" / "crash.json")
    assert to_builtins(found) == json.loads(to_text(document))
    assert found.verdict == "fail"
    assert found.missing[0].id == ALL[0].id
    assert found.failures[0].replay == REPLAY.line(ALL[0])
    assert found.steps == [START, *STEPS, END]
    assert len(found.rows) == len(ALL) - 1
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["crash.json"]


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.pop(key)


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another version": (lambda d: d.update(schema_version=99), f"99.* reads {SCHEMA_VERSION}"),
    "no version": (without("schema_version"), "'schema_version' is missing"),
    "no rows": (without("rows"), r"\$: the key 'rows' is missing"),
    "no verdict": (without("verdict"), "'verdict' is missing"),
    "points in words": (lambda d: d.update(points="many"), r"\$\.points: expected int, got str"),
    "a row without its point": (lambda d: d["rows"][3].pop("id"), r"\$\.rows\[3\]: the key 'id'"),
    "nothing of what was asked": (without("asked"), "'asked' is missing"),
    "nothing of what there was": (without("enumerated"), "'enumerated' is missing"),
    "a count that is none": (
        lambda d: d.update(enumerated={"wire": 7}),
        r"\$\.enumerated\['wire'\]: expected object, got int",
    ),
    "no steps": (lambda d: d.update(steps=[]), r"\$\.steps: it does not begin and end"),
    "a pass over a failure": (lambda d: d["rows"][0].update(outcome="failed"), "not all .* passed"),
}


@pytest.mark.parametrize(("spoil", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_document_is_refused_with_file_and_reason(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object], reason: str
):
    path = tmp_path / "crash.json"
    write(document_of(WHOLE), path)
    assert read(path).verdict == "pass"
    document = json.loads(path.read_text())
    spoil(document)
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=reason) as caught:
        read(path)
    assert caught.value.where == f"{path}:1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        (b"GO", "not JSON"),
        (b"\xff", "not valid UTF-8"),
        (b"[]", "'schema_version' is missing"),
    ],
    ids=["no file", "no JSON", "no text", "no object"],
)
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, content: bytes | None, reason: str):
    path = tmp_path / "crash.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=reason) as caught:
        read(path)
    assert caught.value.where == (str(path) if content is None else f"{path}:1")
