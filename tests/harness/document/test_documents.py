"""Documents are read and written key for key as the harness has always written them.

The stored ones were written before documents had types, most by a gate on real servers.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.document.base import (
    FlawedDocument,
    OpenDocument,
    from_builtins,
    read_document,
    to_builtins,
    to_text,
)
from harness.document.counted import PartDocument
from harness.document.crash import CrashDocument
from harness.document.dry_run import DryRunDocument
from harness.document.security import SecurityDocument
from harness.document.text_position import line_of
from harness.document.validate import ValidateDocument
from harness.document.verdict import SCHEMA, EvidenceCount, VerdictDocument
from harness.document.verify import VerifyDocument

STORED = Path(__file__).with_name("documents")
KINDS: dict[str, Any] = {
    "counted": PartDocument,
    "crash": CrashDocument,
    "crash_fail": CrashDocument,
    "dry_run": DryRunDocument,
    "security": SecurityDocument,
    "validate": ValidateDocument,
    "verdict": VerdictDocument,
    "verdict_no_go": VerdictDocument,
    "verify": VerifyDocument,
}


def stored(name: str) -> Any:
    return json.loads((STORED / f"{name}.json").read_text("utf-8"))


def test_a_document_of_every_kind_is_stored() -> None:
    assert {path.stem for path in STORED.glob("*.json")} == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_document_is_written_as_it_was_read(name: str) -> None:
    text = (STORED / f"{name}.json").read_text("utf-8")
    again = to_text(from_builtins(json.loads(text), KINDS[name]), indent=1)
    assert json.loads(again) == json.loads(text)
    assert again == text or "golden" in text  # what is told of undisturbed runs had its own order


@pytest.mark.parametrize("name", KINDS)
def test_a_key_more_or_less_is_a_flaw(name: str) -> None:
    whole = stored(name)
    with pytest.raises(FlawedDocument, match=r"^\$: the key 'more' is not one"):
        from_builtins(whole | {"more": 1}, KINDS[name])
    with pytest.raises(FlawedDocument, match=r"^\$: the key 'verdict' is missing"):
        from_builtins({key: whole[key] for key in whole if key != "verdict"}, KINDS[name])


@pytest.mark.parametrize(
    ("name", "steps", "value", "said"),
    [
        ("verdict", ("suites", 1, "seconds"), "1", "$.suites[1].seconds: expected float, got str"),
        ("verdict", ("suites", 0, "passed"), True, "$.suites[0].passed: expected int, got bool"),
        ("verdict", ("evidence", 1, "verdict"), "fine", "$.evidence[1].verdict: invalid enum"),
        ("verdict", ("seed", "rows"), None, "$.seed.rows: expected int, got null"),
        ("verdict", ("findings",), {}, "$.findings: expected array, got object"),
        ("crash", ("rows", 1, "outcome"), "good", "$.rows[1].outcome: invalid enum value 'good'"),
        ("crash", ("enumerated", "wire", "forward"), 1.5, "$.enumerated['wire']['forward']: exp"),
        ("security", ("relations", 0, "after"), 7, "$.relations[0].after: expected object"),
        ("dry_run", ("steps", 2, "locks", 0, "rows_read"), "7", "$.steps[2].locks[0].rows_read: "),
        ("verify", ("samples", 1, "fields", 0, "right"), 1, "$.samples[1].fields[0].right: exp"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(
    name: str, steps: tuple[Any, ...], value: object, said: str
) -> None:
    document = stored(name)
    inner = document
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = value
    with pytest.raises(FlawedDocument) as caught:
        from_builtins(document, KINDS[name])
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_place_is_found_in_the_text(indent: int | None) -> None:
    document = {"a": 'x"}', "suites": [{"n": [1, {}]}, {"seconds": {"b.c": 2}}], "z": 1}
    text = json.dumps(document, indent=indent)
    for place, marker in (
        ("$.suites[1].seconds['b.c']", '"b.c"'),
        ("$.suites[1].nothing", '{"seconds"' if indent is None else None),
        ("$.z", '"z"'),
        ("$", "{"),
    ):
        if marker is not None:
            assert line_of(text, place) == text[: text.index(marker)].count("\n") + 1, place


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r":1: is not JSON"),
        (b'{"schema": 3,\n', r":2: is not JSON"),
        (b"[]", r":1: is not a verdict: \$: expected object, got array"),
        (b"null", r":1: is not a verdict: \$: expected object, got null"),
        (b'{"schema": NaN}', r":1: is not JSON: it holds NaN"),
        (b'{\n"schema": 3, "schema": 3}', r":1: has the key 'schema' twice"),
        (b'\n\n{"schema": "\xff"}', r":3: is not valid UTF-8"),
        (b"[" * 90_000, r":1: is nested too deeply"),
        (b'{\n"schema": "3"}', r":2: is not a verdict: \$\.schema: expected int, got str"),
    ],
)
def test_a_bad_file_is_one_sentence_with_file_line_and_place(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "verdict.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=f"verdict.json{said}") as caught:
        read_document(path, VerdictDocument, what="a verdict", hint="run the gate")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; run the gate")


def test_every_truncation_of_a_verdict_is_refused(tmp_path: Path) -> None:
    text = to_text(from_builtins(stored("verdict_no_go"), VerdictDocument))
    for length in range(0, len(text) - 2, 97):
        path = tmp_path / "verdict.json"
        path.write_text(text[:length])
        with pytest.raises(UsageError):
            read_document(path, VerdictDocument, what="a verdict", hint="run the gate")


def test_a_stored_verdict_is_of_the_schema_that_is_written() -> None:
    assert stored("verdict")["schema"] == stored("verdict_no_go")["schema"] == SCHEMA


def test_a_long_value_is_not_quoted_whole() -> None:
    document = stored("verify") | {"verdict": "x" * 90_000}
    with pytest.raises(FlawedDocument) as caught:
        from_builtins(document, VerifyDocument)
    assert len(str(caught.value)) < 400
    assert FlawedDocument("x" * 300).reason == "x" * 300
    assert FlawedDocument("x" * 301).reason == "x" * 300 + "…"


class Nested(OpenDocument, frozen=True):
    inner: "Nested | None" = None


def test_a_document_that_is_nested_too_deeply_is_a_flaw() -> None:
    value: dict[str, Any] = {}
    for _ in range(100_000):
        value = {"inner": value}
    with pytest.raises(FlawedDocument, match="nested too deeply"):
        from_builtins(value, Nested)


def test_a_directory_and_an_absent_file_are_named(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "Is a directory"), (tmp_path / "no", "No such file")):
        with pytest.raises(UsageError, match=f"a verdict cannot be read: {said}"):
            read_document(path, VerdictDocument, what="a verdict", hint="run the gate")


def test_what_is_a_tuple_in_a_document_is_a_list_in_json() -> None:
    part = PartDocument(verdict="pass", findings=(), counted=())
    assert to_builtins(part) == {"verdict": "pass", "findings": [], "counted": []}


def test_a_byte_that_is_not_text_survives() -> None:
    document = stored("verify")
    document["samples"][0]["key"] = "a\udcffb"
    assert json.loads(to_text(from_builtins(document, VerifyDocument))) == document
    assert to_builtins(from_builtins(document, VerifyDocument))["samples"][0]["key"] == "a\udcffb"


@pytest.mark.parametrize(
    ("count", "said", "whole"),
    [
        (EvidenceCount("steps", 3, 3), "3 of 3 steps", True),
        (EvidenceCount("steps", 3, 3, sample=True), "3 of 3 steps", True),
        (EvidenceCount("steps", 2, 3), "2 of 3 steps", False),
        (EvidenceCount("steps", 2, 3, sample=True), "2 of 3 steps, a sample", True),
        (EvidenceCount("steps", 0, 3, sample=True), "0 of 3 steps, a sample", False),
        (EvidenceCount("steps", 0, 0), "0 of 0 steps", False),
        (EvidenceCount("rows", 1200, 12000), "1,200 of 12,000 rows", False),
    ],
)
def test_a_count_says_what_was_done_of_what(count: EvidenceCount, said: str, whole: bool) -> None:
    assert (str(count), count.whole) == (said, whole)
