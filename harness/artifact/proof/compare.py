"""Two results compared: the one before said in the new words, and the one after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from harness.artifact.proof.run import QueryResult, ResultColumn
from harness.artifact.renames import RenameMap, ValuePairs

Outcome = Literal["same", "differs", "cannot", "unknown", "refused"]
SHOWN: Final = 5
Row: TypeAlias = tuple[str | None, ...]


@dataclass(frozen=True)
class QueryOutcome:
    """What came of a query: the outcome, why, the SQLSTATE, and rows that differ."""

    outcome: Outcome
    reason: str = ""
    sqlstate: str = ""
    evidence: tuple[str, ...] = ()
    rows: int = 0


def compare_results(
    before: QueryResult,
    after: QueryResult,
    renames: RenameMap,
    outputs: Mapping[str, str],
    vocabularies: Mapping[str, ValuePairs],
) -> QueryOutcome:
    """Whether the result after is that of before, with its names and values in the new words."""
    expected = [outputs.get(column.name, column.name) for column in before.columns]
    found = [column.name for column in after.columns]
    if expected != found:
        gone = [name for name in expected if name not in found]
        new = [name for name in found if name not in expected]
        said = [f"- {name}" for name in gone] + [f"+ {name}" for name in new]
        return QueryOutcome("differs", "it has other columns", evidence=tuple(said or found))
    pairs = [_pairs(column, renames, vocabularies) for column in before.columns]
    told = [tuple(map(_told, row, pairs)) for row in before.rows]
    first, second = Counter(told), Counter(after.rows)
    if first != second:
        lost, came = first - second, second - first
        reason = f"{lost.total()} rows are gone, {came.total()} are new"
        lines = (*_lines("-", lost), *_lines("+", came))
        return QueryOutcome("differs", reason, evidence=lines, rows=len(told))
    reason = "" if told == list(after.rows) else "the same rows in another order"
    return QueryOutcome("same", reason or ("" if told else "no rows"), rows=len(told))


def _pairs(
    column: ResultColumn, renames: RenameMap, vocabularies: Mapping[str, ValuePairs]
) -> ValuePairs | None:
    """What the values of a column of the result became, by where it comes from."""
    for change in renames.changes.values():
        if change.old.oid == column.relation and column.number in change.old.numbers:
            name = change.old.columns[change.old.numbers.index(column.number)]
            return change.values.get(name)
    return vocabularies.get(column.name)


def _told(value: str | None, pairs: ValuePairs | None) -> str | None:
    return value if pairs is None or value is None else pairs.pairs.get(value, value)


def _lines(sign: str, rows: Counter[Row]) -> Iterator[str]:
    ordered = sorted(rows, key=_sortable)
    for row in ordered[:SHOWN]:
        yield f"{sign} {', '.join('null' if value is None else value for value in row)}"[:300]
    if len(ordered) > SHOWN:
        yield f"{sign} … {len(ordered) - SHOWN} more"


def _sortable(row: Sequence[str | None]) -> tuple[tuple[bool, str], ...]:
    return tuple((value is None, value or "") for value in row)
