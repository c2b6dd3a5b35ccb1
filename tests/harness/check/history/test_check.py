"""Histories written by hand: the right ones pass, and each planted anomaly is named."""

from __future__ import annotations

import time

import pytest

from harness.check.history import check_history
from harness.traffic.history import History, Operation
from tests.harness.support.history import (
    census,
    kept,
    refused,
    said,
    unknown,
    with_rule,
)

A, B = ("a", "old a"), ("b", "old b")
WRITE = said("update", "a", "v1")
NEW = said("insert", "", "n1", rows=[("c", "n1")])
RIGHT = {
    "an update": kept(WRITE, end=[("a", "v1"), B]),
    "an insert": kept(NEW, end=[A, B, ("c", "n1")]),
    "a delete": kept(said("delete", "a", rows=[("a", None)]), end=[B]),
    "the later of two": kept(WRITE, said("update", "a", "v2", 2.0), end=[("a", "v2"), B]),
    "either of two at a time": kept(
        said("update", "a", "v1", 1.0, answered=3.0),
        said("update", "a", "v2", 2.0, answered=2.5),
        end=[("a", "v1"), B],
    ),
    "a read": kept(WRITE, said("read", "a", "v1", 2.0), end=[("a", "v1"), B]),
    "a read of what was there": kept(said("read", "b", "old b", 0.5), WRITE, end=[("a", "v1"), B]),
    "a read during a write": kept(
        said("update", "a", "v1", 1.0, answered=3.0),
        said("read", "a", "old a", 2.0),
        end=[("a", "v1"), B],
    ),
    "a refused write that is absent": kept(WRITE, refused("update", "b", "v2"),
                                           end=[("a", "v1"), B]),
    "an unknown write that happened": kept(WRITE, unknown("update", "b", "v2"),
                                           end=[("a", "v1"), ("b", "v2")]),
    "an unknown write that did not": kept(WRITE, unknown("update", "b", "v2"),
                                          end=[("a", "v1"), B]),
    "an unknown insert, once": kept(WRITE, unknown("insert", "", "n2"),
                                    end=[("a", "v1"), B, ("d", "n2")]),
    "an unknown delete": kept(WRITE, unknown("delete", "b", "gone"), end=[("a", "v1")]),
    "a write to a deleted row": kept(
        said("delete", "a", rows=[("a", None)]), said("update", "a", "v2", 2.0, rows=[]), end=[B]
    ),
    "a rule that holds": with_rule(kept(WRITE, end=[("a", "v1"), B]), ("before", 0), ("end", 0)),
}  # fmt: skip
WRONG = {
    "lost update": ("history.lost", kept(WRITE, end=[A, B])),
    "lost insert": ("history.lost", kept(NEW, end=[A, B])),
    "lost row": ("history.lost", kept(WRITE, end=[("a", "v1")])),
    "lost delete": ("history.lost", kept(said("delete", "a", rows=[("a", None)]), end=[A, B])),
    "overwritten by an earlier one": (
        "history.lost", kept(WRITE, said("update", "a", "v2", 2.0), end=[("a", "v1"), B])),
    "row twice": ("history.doubled", kept(WRITE, end=[("a", "v1"), ("a", "v1"), B])),
    "insert twice": ("history.doubled", kept(NEW, end=[A, B, ("c", "n1"), ("d", "n1")])),
    "unknown twice": (
        "history.doubled", kept(WRITE, unknown("insert", "", "n2"),
                                end=[("a", "v1"), B, ("d", "n2"), ("e", "n2")])),
    "read of two rows": (
        "history.doubled", kept(WRITE, said("read", "a", at=2.0, rows=[("a", "v1"), ("a", "v1")]),
                                end=[("a", "v1"), B])),
    "refused but there": (
        "history.refused_present", kept(WRITE, refused("update", "b", "v2"),
                                        end=[("a", "v1"), ("b", "v2")])),
    "refused but read": (
        "history.refused_present", kept(WRITE, refused("update", "b", "v2"),
                                        said("read", "b", "v2", 2.0), end=[("a", "v1"), B])),
    "value of another row": ("history.foreign", kept(WRITE, end=[("a", "old b"), ("b", "v1")])),
    "value nobody wrote": ("history.foreign", kept(WRITE, end=[("a", "v1"), ("b", "what")])),
    "row nobody made": ("history.foreign", kept(WRITE, end=[("a", "v1"), B, ("z", "what")])),
    "under another owner": (
        "history.foreign", kept(said("update", "a", "v1|owner 1"), end=[("a", "v1|owner 2"), B])),
    "answer of another row": (
        "history.answer", kept(WRITE, said("read", "a", at=2.0, rows=[B]), end=[("a", "v1"), B])),
    "write of another row": (
        "history.answer", kept(said("update", "a", "v1", rows=[("b", "v1")]),
                               end=[("a", "v1"), B])),
    "another value came back": (
        "history.answer", kept(said("update", "a", "v1", rows=[("a", "old a")]),
                               end=[("a", "v1"), B])),
    "reached no row": (
        "history.answer", kept(WRITE, said("update", "b", "v2", rows=[]), end=[("a", "v1"), B])),
    "inserted no row": ("history.answer", kept(WRITE, said("insert", "", "n1", rows=[]),
                                               end=[("a", "v1"), B])),
    "stale read": (
        "history.stale", kept(WRITE, said("read", "a", "old a", 2.0), end=[("a", "v1"), B])),
    "row not read for a while": (
        "history.stale", kept(NEW, said("read", "c", at=2.0, rows=[]), end=[A, B, ("c", "n1")])),
    "stale between": (
        "history.stale", kept(WRITE, end=[("a", "v1"), B], between=[census("forward", 5.0, A, B)])),
    "a broken rule": (
        "history.invariant", with_rule(kept(WRITE, end=[("a", "v1"), B]), ("before", 0),
                                       ("forward", 2))),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_history_passes(name: str) -> None:
    result = check_history(RIGHT[name])
    assert result.findings == []
    assert result.verdict == "pass", result.unknowns


@pytest.mark.parametrize("name", WRONG)
def test_a_planted_anomaly_is_named(name: str) -> None:
    expected, history = WRONG[name]
    result = check_history(history)
    assert result.verdict == "fail"
    assert expected in {finding.id for finding in result.findings}
    assert all(finding.evidence and finding.hint for finding in result.findings)


def test_a_stale_read_says_from_when_to_when() -> None:
    _, history = WRONG["stale read"]
    (finding,) = check_history(history).findings
    assert "1000 ms after the answer there is still 'old a'" in finding.evidence


def test_what_was_not_read_whole_is_unknown() -> None:
    history = RIGHT["an update"]
    for left in (0, 1):
        result = check_history(History(history.operations, [history.censuses[left]]))
        assert result.verdict == "unknown" or result.findings
        assert any("not read whole" in why for why in result.unknowns)


def test_a_history_without_writes_is_unknown() -> None:
    assert check_history(kept(end=[A, B])).verdict == "unknown"


def test_a_value_that_was_written_twice_is_unknown() -> None:
    result = check_history(kept(WRITE, said("update", "b", "v1", 2.0), end=[A, B]))
    assert any("written twice" in why for why in result.unknowns)


@pytest.mark.parametrize(
    "counts",
    [(("before", 3), ("end", 3)), (("before", 0), ("end", None))],
    ids=["before", "unasked"],
)
def test_a_rule_that_cannot_be_judged_is_unknown(
    counts: tuple[tuple[str, int | None], ...],
) -> None:
    result = check_history(with_rule(RIGHT["an update"], *counts))
    assert result.verdict == "unknown"
    assert "sums agree" in result.unknowns[0]


def long_history(number: int) -> History:
    """Clients in turns over a thousand rows: a write, and a read of it."""
    keys = [str(key) for key in range(1000)]
    operations: list[Operation] = []
    last: dict[str, str] = {}
    for turn in range(number // 2):
        key = keys[turn % 1000]
        last[key] = f"v{turn}"
        operations.append(said("update", key, last[key], turn * 0.04))
        operations.append(said("read", key, last[key], turn * 0.04 + 0.02))
    before = census("before", -1.0, *((key, "old") for key in keys))
    end = census("end", number * 1.0, *last.items())
    return History(operations, [before, end])


def counting() -> float:
    """What a machine that checks 100,000 operations in a second needs about 0.06 s for."""
    begun = time.process_time()
    places: dict[str, list[int]] = {}
    for number in range(200_000):
        places.setdefault(str(number % 1000), []).append(number)
    return time.process_time() - begun


def test_operations_are_checked_at_a_hundred_thousand_a_second() -> None:
    history = long_history(20_000)

    def checking() -> float:
        begun = time.process_time()
        assert check_history(history).verdict == "pass"
        return time.process_time() - begun

    pairs = [(checking(), counting()) for _ in range(3)]
    took, control = (min(each) for each in zip(*pairs, strict=True))
    assert took < 3.5 * control  # 1.3 times was seen
