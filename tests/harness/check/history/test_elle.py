"""The export for elle-cli: registers written and read, in the order of time."""

from __future__ import annotations

import json
from pathlib import Path

from harness.check.history.elle import elle_entries, write_elle
from tests.harness.support.history import TABLE, kept, refused, said, unknown

A, B = ("a", "old a"), ("b", "old b")
HISTORY = kept(
    said("update", "a", "v1", 1.0),
    said("read", "a", "v1", 2.0),
    said("read", "b", "old b", 3.0),
    refused("update", "b", "v2", 4.0),
    unknown("update", "b", "v3", 5.0),
    end=[("a", "v1"), B],
)


def test_an_operation_is_sent_and_ended() -> None:
    entries = list(elle_entries(HISTORY))
    assert [entry["index"] for entry in entries] == list(range(10))
    first = [(entry["type"], entry["value"]) for entry in entries[:6]]
    a, b = f"{TABLE}/a", f"{TABLE}/b"
    assert first == [
        ("invoke", [["w", a, 1]]), ("ok", [["w", a, 1]]),
        ("invoke", [["r", a, None]]), ("ok", [["r", a, 1]]),
        ("invoke", [["r", b, None]]), ("ok", [["r", b, None]]),
    ]  # fmt: skip
    assert [entry["type"] for entry in entries[6:]] == ["invoke", "fail", "invoke", "info"]


def test_a_process_does_one_thing_at_a_time() -> None:
    again = kept(unknown("update", "a", "v1", 1.0), unknown("update", "a", "v2", 2.0), end=[A, B])
    entries = list(elle_entries(again))
    assert len({entry["process"] for entry in entries}) == 2
    assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)


def test_deleted_rows_are_left_out() -> None:
    history = kept(said("delete", "a", rows=[("a", None)]), said("read", "b", "old b"), end=[B])
    assert {entry["value"][0][1] for entry in elle_entries(history)} == {f"{TABLE}/b"}


def test_the_file_is_one_list(tmp_path: Path) -> None:
    path = tmp_path / "elle.json"
    assert write_elle(path, HISTORY) == len(json.loads(path.read_text())) == 10
