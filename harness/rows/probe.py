"""Ask the server: what a constant is worth, and which candidates satisfy a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import psycopg
from pglast import ast

from harness.rows.expression import Node, is_a, walk_tree, write_expression
from harness.rows.model import Schema, quote

Candidate: TypeAlias = tuple[str | None, ...]
_CLOCKS: Final = {"now", "transaction_timestamp", "statement_timestamp", "clock_timestamp",
                  "timeofday", "localtimestamp"}  # fmt: skip
_NUMBER: Final = "harness_number"
"""What no column is called."""
_SINGLE: Final = 24
_TRIES: Final = 3000
"""So many statements find out which of a set of candidates the server cannot read."""


@dataclass(frozen=True)
class ProbedColumn:
    """A column that candidates are read as: its name and the SQL of its type."""

    name: str
    cast: str
    conditions: tuple[tuple[str, str], ...] = ()
    """CHECKs of its domains, by name, about the column `value`."""


@dataclass
class Probe:
    """Questions over an open transaction; a failed one leaves no trace."""

    conn: psycopg.Connection[Any]
    schema: Schema
    complaint: str = ""
    """What the server said to the last candidate that it could not read."""
    _worth: dict[str, Any] = field(default_factory=dict)

    def text(self, node: Node, above: bool = False) -> str | None:
        """The value of a constant expression as text; one of the clock's rounded to a year, up
        when values lie above it.
        """
        plain = _plain_text(node)
        if plain is not None:
            return plain
        value = self._evaluate(f"({write_expression(node)})::text")
        return None if value is None else _steady(node, str(value), above)

    def texts(self, node: Node) -> Sequence[str] | None:
        """The elements of a constant array."""
        value = self._evaluate(
            f"ARRAY(SELECT pg_catalog.unnest({write_expression(node)})::text)"
        )  # fmt: skip
        return None if value is None else [str(text) for text in value if text is not None]

    def _evaluate(self, expression: str) -> Any:
        if expression not in self._worth:
            try:
                with self.conn.transaction():
                    row = self.conn.execute(f"SELECT {expression}".encode()).fetchone()
                self._worth[expression] = row[0] if row else None
            except psycopg.Error:
                self._worth[expression] = None
        return self._worth[expression]

    def place(self, name: str, kind: int, declared: str) -> ProbedColumn:
        """How candidates of a column are read: a domain as its base, its CHECKs apart."""
        found = self.schema.types[kind]
        if found.kind != "d":
            return ProbedColumn(name, declared)
        rules: list[tuple[str, str]] = []
        while found.kind == "d":
            rules += [(rule.name, rule.expression) for rule in found.rules]
            declared = found.base_declared
            found = self.schema.types[found.base]
        return ProbedColumn(name, declared, tuple(rules))

    def accepted(
        self,
        places: Sequence[ProbedColumn],
        candidates: Sequence[Candidate],
        conditions: Sequence[str],
    ) -> list[int]:
        """Which candidates can be read and make no condition false, in order."""
        query = _question(places, conditions)
        if len(candidates) > _SINGLE:
            whole = self._fits(query, candidates)
            if whole is not None:
                return whole
            some = candidates[:: len(candidates) // _SINGLE]
            if not any(self._fits(query, [one]) for one in some):
                return []  # it is not the candidates
        found: list[int] = []
        waiting = [(0, len(candidates))]
        for _ in range(_TRIES):
            if not waiting:
                break
            start, end = waiting.pop()
            part = candidates[start:end]
            fits = self._fits(query, part) if part else []
            if fits is not None:
                found += [start + number for number in fits]
            elif end - start > 1:
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]
        return sorted(found)

    def worth(
        self, places: Sequence[ProbedColumn], candidates: Sequence[Candidate], expression: str
    ) -> list[str | None]:
        """What an expression is worth for each candidate; nothing where it cannot be computed."""
        query = _question(places, [], f"({expression})::text")
        columns = [list(column) for column in zip(*candidates, strict=True)]
        try:
            with self.conn.transaction():
                rows = self.conn.execute(query, columns).fetchall()
        except psycopg.OperationalError:
            raise
        except psycopg.Error:
            return []
        return [row[1] for row in rows]

    def _fits(self, query: bytes, candidates: Sequence[Candidate]) -> list[int] | None:
        columns = [list(column) for column in zip(*candidates, strict=True)]
        try:
            with self.conn.transaction():
                rows = self.conn.execute(query, columns).fetchall()
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            self.complaint = str(error.diag.message_primary or error)
            return None
        return [row[0] - 1 for row in rows]


def _question(
    places: Sequence[ProbedColumn], conditions: Sequence[str], wanted: str | None = None
) -> bytes:
    inner = ", ".join(f"u.c{n}::{place.cast} AS {quote(place.name)}"
                      for n, place in enumerate(places))  # fmt: skip
    names = ", ".join(f"c{n}" for n in range(len(places)))
    asked = [f"({text}) IS NOT FALSE" for text in conditions]
    asked += [
        f"(SELECT ({text}) IS NOT FALSE FROM (SELECT s.{quote(place.name)} AS value) v)"
        for place in places
        for _, text in place.conditions
    ]
    # each value is written again, so that each was read
    read = wanted or ", ".join(f"s.{quote(place.name)}::text" for place in places)
    where = " AND ".join(asked) or "true"
    text = (
        f"SELECT s.{_NUMBER}, {read} FROM (SELECT u.{_NUMBER}, {inner} FROM ROWS FROM (\0)"
        f" WITH ORDINALITY AS u ({names}, {_NUMBER}) OFFSET 0) s WHERE {where}"
        f" ORDER BY s.{_NUMBER}"
    )
    values = ", ".join(["pg_catalog.unnest(%s::text[])"] * len(places))
    return text.replace("%", "%%").replace("\0", values).encode()


def _plain_text(node: Node) -> str | None:
    """The text of a constant that needs no server."""
    while is_a(node, ast.TypeCast):
        if node.typeName.arrayBounds or node.typeName.names[-1].sval == "interval":
            return None
        node = node.arg
    if not is_a(node, ast.A_Const) or node.isnull:
        return None
    for name in ("sval", "ival", "fval"):
        value = getattr(node.val, name, None)
        if value is not None:
            return str(value)
    return None


def _steady(node: Node, value: str, above: bool) -> str:
    """A value of the clock at the beginning of its year, or of the next one: rows must not depend
    on the day on which they are made.
    """
    if not _asks_the_clock(node) or not value[:4].isdigit():
        return value
    return f"{int(value[:4]) + above:04d}-01-01 00:00:00"


def _asks_the_clock(node: Node) -> bool:
    return any(
        is_a(part, ast.SQLValueFunction)
        or (is_a(part, ast.FuncCall) and part.funcname[-1].sval in _CLOCKS)
        for part in walk_tree(node)
    )
