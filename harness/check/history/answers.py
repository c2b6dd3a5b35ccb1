"""Whether an answer fits its request."""

from __future__ import annotations

from collections.abc import Iterator

from harness.check.history.anomaly import Anomaly
from harness.check.history.index import WriteIndex
from harness.traffic.history import Operation


def check_answer(operation: Operation, index: WriteIndex) -> Iterator[Anomaly]:
    """What is wrong with the answer of an operation, of whatever outcome."""
    if operation.outcome != "acknowledged":
        if operation.rows:
            yield _unfitting(operation, f"was {operation.outcome}, and rows came back")
        return
    if operation.answered is None or operation.answered < operation.sent:
        yield _unfitting(operation, "was acknowledged before it was sent, or never")
        return
    if len(operation.rows) > 1:
        yield _doubled(operation)
    elif operation.kind == "read":
        yield from _check_read(operation)
    elif operation.rows:
        yield from _check_write(operation)
    else:
        yield from _check_nothing(operation, index)


def _check_read(operation: Operation) -> Iterator[Anomaly]:
    for key, _ in operation.rows:
        if key != operation.key:
            yield _unfitting(operation, f"got row {key}")


def _check_write(operation: Operation) -> Iterator[Anomaly]:
    key, value = operation.rows[0]
    if operation.key and key != operation.key:
        yield _unfitting(operation, f"changed row {key}")
    elif operation.kind != "delete" and value != operation.value:
        yield _unfitting(operation, f"wrote {operation.value!r}, and {value!r} came back")


def _check_nothing(operation: Operation, index: WriteIndex) -> Iterator[Anomaly]:
    """A write that was acknowledged without a row: right only where the row may be absent."""
    assert operation.answered is not None
    if operation.kind == "insert":
        yield _unfitting(operation, "was acknowledged, and no row came back")
        return
    row = index.rows.get((operation.table, operation.key))
    if row is not None and not row.may_lack(operation.sent, operation.answered):
        yield _unfitting(operation, "was acknowledged, and reached no row though it is there")


def _doubled(operation: Operation) -> Anomaly:
    return Anomaly(
        "history.doubled",
        operation.table,
        f"{name_operation(operation)} got {len(operation.rows)} rows",
        operation.client, operation.sent, operation.answered or operation.sent,
    )  # fmt: skip


def _unfitting(operation: Operation, said: str) -> Anomaly:
    return Anomaly(
        "history.answer", operation.table, f"{name_operation(operation)} {said}",
        operation.client, operation.sent, operation.answered or operation.sent,
    )  # fmt: skip


def name_operation(operation: Operation) -> str:
    """An operation in few words: kind, row, client."""
    row = f"row {operation.key}" if operation.key else repr(operation.value)
    return f"{operation.kind} of {row} by client {operation.client}"
