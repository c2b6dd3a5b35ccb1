"""The file of a history: written and read back whole, and refused in part."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.traffic.history import (
    History,
    InvariantCount,
    StepWindow,
    WorkloadSession,
    read_history,
    write_history,
)
from tests.harness.support.history import census, refused, said, unknown

WHOLE = History(
    operations=[said("update", "a", "é\n\u2028"), refused("update", "b", "v2", 2.0),
                unknown("insert", "", "n", 3.0)],
    censuses=[census("before", 0.0, ("a", None)), census("end", 9.0, ("a", "v"))],
    invariants=[InvariantCount(moment="end", name="sums", rows=None, example="no such table")],
    sessions=[WorkloadSession(client=1, since=0.0, pid=77)],
    steps=[StepWindow(direction="forward", step="1/010", kind="batch", begun=1.0, done=2.0,
                      ended=3.0, killed=True)],
    epoch=1000.5,
)  # fmt: skip


def test_a_history_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    write_history(path, WHOLE)
    again = read_history(path)
    assert again == WHOLE


@pytest.mark.parametrize(
    ("harm", "said_of_it"),
    [
        (lambda data: data[:-9], ":9: the history is cut off"),
        (lambda data: data[:0], "the history is empty"),
        (lambda data: data.partition(b"\n")[2], ":1: the first line is not its header"),
        (lambda data: data + data, ":10: it has a second header"),
        (lambda data: data.replace(b'"format":1', b'"format":2'), "has format 2"),
        (lambda data: data.replace(b'"planned":2.0,', b""), ":5: is not a record"),
        (lambda data: data.replace(b'"refused"', b'"lost"'), ":5: is not a record"),
        (lambda data: data.replace(b"old", b"\xff") + b"\xff\n", ":10: is not a record"),
    ],
)
def test_a_file_that_is_no_history_is_refused_by_line(
    harm: object, said_of_it: str, tmp_path: Path
) -> None:
    path = tmp_path / "history.jsonl"
    write_history(path, WHOLE)
    assert callable(harm)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(UsageError) as caught:
        read_history(path)
    assert said_of_it in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_history(tmp_path / "none.jsonl")
