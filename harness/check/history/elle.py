"""A history as elle-cli reads it: registers that are written and read (`--model rw-register`).

An outside checker of transactional consistency then judges the same operations. Rows that were
deleted are left out: a register of elle's has no end. A value is a number there, and null is what
nobody here wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from harness.check.history.index import row_of
from harness.traffic.history import History, Operation

Entry: TypeAlias = dict[str, Any]
TYPES = {"acknowledged": "ok", "refused": "fail", "unknown": "info"}


def write_elle(path: Path, history: History) -> int:
    """Write the history for elle-cli, as a list with an entry a line; how many entries it has."""
    encode = msgspec.json.Encoder().encode
    lines = [encode(entry) for entry in elle_entries(history)]
    path.write_bytes(b"[" + b",\n ".join(lines) + b"]\n")
    return len(lines)


def elle_entries(history: History) -> Iterator[Entry]:
    """Two entries for each operation, when it was sent and when it ended, in the order of time."""
    left_out = {(one.table, row_of(one)) for one in history.operations if one.kind == "delete"}
    numbers = {
        one.value: number
        for number, one in enumerate((o for o in history.operations if o.value is not None), 1)
    }
    moments = sorted(_moments(history.operations, left_out, numbers), key=lambda moment: moment[:2])
    for index, (_, _, entry) in enumerate(moments):
        yield {"index": index, **entry}


def _moments(
    operations: Iterable[Operation],
    left_out: set[tuple[str, str]],
    numbers: dict[str | None, int],
) -> Iterator[tuple[float, int, Entry]]:
    end = max((one.answered or one.sent for one in operations), default=0.0) + 1.0
    lives: dict[int, int] = {}
    for order, one in enumerate(operations):
        key = row_of(one)
        if not key or (one.table, key) in left_out or len(one.rows) > 1:
            continue
        # elle's processes do one thing at a time: after an unknown end a client is another one
        process = one.client + 10_000 * lives.get(one.client, 0)
        if one.outcome == "unknown":
            lives[one.client] = lives.get(one.client, 0) + 1
        asked, told = _value(one, f"{one.table}/{key}", numbers)
        common = {"process": process, "f": "txn"}
        yield one.sent, 2 * order + 1, _entry("invoke", one.sent, asked, common)
        ended = end if one.answered is None else one.answered
        yield ended, 2 * order, _entry(TYPES[one.outcome], ended, told, common)


def _entry(kind: str, moment: float, value: list[Any], common: Entry) -> Entry:
    return {"type": kind, "time": round(moment * 1e9), **common, "value": value}


def _value(one: Operation, key: str, numbers: dict[str | None, int]) -> tuple[list[Any], list[Any]]:
    """The micro-operations as they were asked and as they were answered."""
    if one.kind != "read":
        wrote = [["w", key, numbers[one.value]]]
        return wrote, wrote
    seen = numbers.get(one.rows[0][1]) if one.rows else None
    return [["r", key, None]], [["r", key, seen]]
