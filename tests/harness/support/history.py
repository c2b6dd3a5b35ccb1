"""Histories written by hand: a few clients, a table, and what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.traffic.history import Census, History, InvariantCount, Operation, OperationKind, Row

TABLE = "shop.orders"


def said(
    kind: OperationKind,
    key: str,
    value: str | None = None,
    at: float = 1.0,
    *,
    rows: Sequence[Row] | None = None,
    client: int = 1,
    answered: float | None = None,
) -> Operation:
    """An acknowledged operation that took 10 ms; what came back is what was asked for."""
    back = tuple([(key, value)] if rows is None else rows)
    return Operation(
        client=client, name=kind, kind=kind, table=TABLE, key=key,
        value=None if kind in ("read", "delete") else value, planned=at, sent=at,
        answered=at + 0.01 if answered is None else answered, outcome="acknowledged", rows=back,
    )  # fmt: skip


def refused(kind: OperationKind, key: str, value: str, at: float = 1.0) -> Operation:
    return Operation(
        client=2, name=kind, kind=kind, table=TABLE, key=key, value=value, planned=at, sent=at,
        answered=at + 0.01, outcome="refused", sqlstate="55P03",
    )  # fmt: skip


def unknown(kind: OperationKind, key: str, value: str, at: float = 1.0) -> Operation:
    return Operation(
        client=3, name=kind, kind=kind, table=TABLE, key=key, value=value, planned=at, sent=at,
        answered=None, outcome="unknown", sqlstate="08006",
    )  # fmt: skip


def census(moment: str, at: float, *rows: Row) -> Census:
    return Census(moment=moment, table=TABLE, sent=at, answered=at + 0.1, rows=rows)


def kept(*operations: Operation, end: Sequence[Row], between: Sequence[Census] = ()) -> History:
    """A history of a table with rows a and b, read before, perhaps between, and at the end."""
    before = census("before", 0.0, ("a", "old a"), ("b", "old b"))
    return History(operations, (before, *between, census("end", 9.0, *end)))


def with_rule(history: History, *counts: tuple[str, int | None]) -> History:
    """The same with a rule of the subject, asked at these moments."""
    asked = [InvariantCount(moment=when, name="sums agree", rows=n) for when, n in counts]
    return replace(history, invariants=asked)
