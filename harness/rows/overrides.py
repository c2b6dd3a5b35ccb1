"""What a project file says of a table's rows: `[rows.tables."schema.table"]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from harness.core.errors import UsageError
from harness.rows.hints import sort_key
from harness.rows.model import Schema, Table
from harness.rows.pattern import parse_pattern

_TABLE_KEYS: Final = ("count", "columns")
_COLUMN_KEYS: Final = ("values", "sql", "null", "min", "max", "pattern")
_MOST: Final = 100_000_000

Where = Callable[..., str]


@dataclass(frozen=True)
class ColumnOverride:
    """What is said of a column; `where` is the place, for messages."""

    where: str
    values: tuple[str | None, ...] | None = None
    sql: str | None = None
    null: float | None = None
    low: str | None = None
    high: str | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class TableOverride:
    """What is said of a table."""

    where: str
    count: int | None = None
    columns: Mapping[str, ColumnOverride] = field(default_factory=dict)


Overrides = Mapping[str, TableOverride]


def read_overrides(tables: Mapping[str, Mapping[str, Any]], where: Where) -> Overrides:
    """The overrides of `rows.tables`. `where(*path)` names file and line of a key.

    Raises UsageError for a key, a type or a combination that is not one.
    """
    return {name: _table(said, where, ("rows", "tables", name)) for name, said in tables.items()}


def check_overrides(overrides: Overrides, schema: Schema) -> None:
    """Raise UsageError for a table or a column that is not in the database."""
    known = {table.label: table for table in schema.tables}
    for name, said in overrides.items():
        table = known.get(name)
        if table is None:
            raise UsageError(
                f"there is no table {name!r} to fill",
                where=said.where,
                hint="write it as schema.table, as it is spelled in the database",
            )
        for column, about in said.columns.items():
            _check_column(table, column, about)


def _check_column(table: Table, name: str, said: ColumnOverride) -> None:
    found = next((column for column in table.columns if column.name == name), None)
    if found is None:
        raise UsageError(
            f"table {table.label} has no column {name!r}",
            where=said.where,
            hint=f"it has {', '.join(column.name for column in table.columns)}",
        )
    if found.generated is not None:
        raise UsageError(
            f"column {name!r} of {table.label} is generated",
            where=said.where,
            hint="remove the entry: the server makes its values",
        )

    if said.null and found.not_null:
        raise UsageError(
            f"column {name!r} of {table.label} is NOT NULL",
            where=said.where,
            hint="remove null: no row may be without a value",
        )


def _table(said: Any, where: Where, path: tuple[str, ...]) -> TableOverride:
    _check_keys(said, _TABLE_KEYS, where, path)
    count = said.get("count")
    if count is not None and not (_is_whole(count) and 0 <= count <= _MOST):
        raise UsageError(
            f"count is {count!r}",
            where=where(*path, "count"),
            hint=f"write a whole number from 0 to {_MOST}",
        )
    columns = said.get("columns", {})
    _check_keys(columns, None, where, (*path, "columns"))
    return TableOverride(
        where=where(*path),
        count=count,
        columns={
            name: _column(about, where, (*path, "columns", name)) for name, about in columns.items()
        },
    )


def _column(said: Any, where: Where, path: tuple[str, ...]) -> ColumnOverride:
    _check_keys(said, _COLUMN_KEYS, where, path)
    ways = [key for key in ("values", "sql", "pattern") if key in said]
    ways += ["min, max"] if "min" in said or "max" in said else []
    if len(ways) > 1:
        raise UsageError(
            f"{' and '.join(ways)} are both given", where=where(*path), hint="keep one of them"
        )
    for key, check in _CHECKS.items():
        if key in said and not check(said[key]):
            raise UsageError(
                f"{key} is {said[key]!r}", where=where(*path, key), hint=_EXPECTED[key]
            )
    low, high = said.get("min"), said.get("max")
    if low is not None and high is not None and sort_key(str(low)) > sort_key(str(high)):
        raise UsageError(
            f"min is {low} and max is {high}", where=where(*path), hint="write the smaller first"
        )
    values = said.get("values")
    return ColumnOverride(
        where=where(*path),
        values=None if values is None else tuple(map(_text, values)),
        sql=said.get("sql"),
        null=said.get("null"),
        low=_text(said.get("min")),
        high=_text(said.get("max")),
        pattern=said.get("pattern"),
    )


def _check_keys(
    said: Any, known: tuple[str, ...] | None, where: Where, path: tuple[str, ...]
) -> None:
    if not isinstance(said, Mapping):
        raise UsageError(
            f"{path[-1]!r} is {said!r}", where=where(*path), hint="write a table of keys"
        )
    for key in said if known is not None else ():
        if key not in (known or ()):
            raise UsageError(
                f"unknown key {key!r}",
                where=where(*path, key),
                hint=f"known are {', '.join(known or ())}",
            )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    return value is not None and not isinstance(value, (dict, list))


_CHECKS: Final[dict[str, Callable[[Any], bool]]] = {
    "values": lambda value: isinstance(value, list) and value != [] and all(map(_is_plain, value)),
    "sql": lambda value: isinstance(value, str) and value.strip() != "",
    "null": lambda value: (
        isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
    ),
    "min": _is_plain,
    "max": _is_plain,
    "pattern": lambda value: isinstance(value, str) and parse_pattern(value) is not None,
}
_EXPECTED: Final = {
    "values": "write a list of values, at least one",
    "sql": "write an SQL expression; n in it is the row's number, from 1",
    "null": "write the share of NULL, from 0 to 1",
    "min": "write one value",
    "max": "write one value",
    "pattern": "write a regular expression that values match as a whole",
}


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
