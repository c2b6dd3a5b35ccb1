"""Whether two definitions make the same index: the server is asked, and nothing is built.

Each definition's expressions are put into a view of the real table, so that they may name it, its
rows or its schema; the rest is put on an empty table with the same columns. What the server says of
the two views and of the two indexes is compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import scan

OPEN, CLOSE, COMMA = "ASCII_40", "ASCII_41", "ASCII_44"
SIDES = ("one", "other")


@dataclass(frozen=True)
class Element:
    """What an index is over: a column, or an expression; and how (collation, class, order)."""

    column: str
    expression: str
    options: str


@dataclass(frozen=True)
class Definition:
    """A CREATE INDEX statement in parts, as its text has them."""

    unique: bool
    method: str
    elements: tuple[Element, ...]
    more: str
    predicate: str
    tablespace: str | None
    shape: tuple[object, ...] = field(repr=False)

    @property
    def expressions(self) -> tuple[str, ...]:
        """The expressions of its elements, in order."""
        return tuple(one.expression for one in self.elements if one.expression)


def read(text: str) -> Definition:
    """Take a CREATE INDEX statement apart; ParseError or ValueError when it is none."""
    node: Any = parse_sql(text)[0].stmt
    tokens = [token for token in scan(text) if "COMMENT" not in token.name]
    names = [token.name for token in tokens]
    first = names.index(OPEN, names.index("ON"))
    last = _closing(names, first)
    where = _at_top(names, "WHERE", last)
    space = _at_top(names, "TABLESPACE", last)
    end = space if space is not None else where
    return Definition(
        unique=node.unique,
        method=node.accessMethod,
        elements=tuple(
            _plain(_element(text, tokens[a:b]), part.expr, node.relation.relname)
            for (a, b), part in zip(_between(names, first, last), node.indexParams, strict=True)
        ),
        more=_slice(text, tokens[last + 1 : end]),
        predicate="" if where is None else _slice(text, tokens[where + 1 :]).rstrip("; \n"),
        tablespace=node.tableSpace,
        shape=_shape(node),
    )


def _shape(node: Any) -> tuple[object, ...]:
    """What can be compared without the server: columns by name, and what there is besides."""
    parts = (*(node.indexParams or ()), None, *(node.indexIncludingParams or ()))
    columns = tuple(None if part is None else part.name or "(…)" for part in parts)
    return node.unique, node.accessMethod, columns, node.whereClause is not None


def _closing(names: list[str], start: int) -> int:
    depth = 0
    for number in range(start, len(names)):
        depth += (names[number] == OPEN) - (names[number] == CLOSE)
        if depth == 0:
            return number
    raise ValueError("a parenthesis is not closed")


def _at_top(names: list[str], name: str, start: int) -> int | None:
    """Where a keyword stands after `start`, outside parentheses."""
    number = start + 1
    while number < len(names):
        if names[number] == OPEN:
            number = _closing(names, number)
        elif names[number] == name:
            return number
        number += 1
    return None


def _between(names: list[str], first: int, last: int) -> list[tuple[int, int]]:
    """The spans between commas within a pair of parentheses."""
    spans, start, number = [], first + 1, first + 1
    while number < last:
        if names[number] == OPEN:
            number = _closing(names, number)
        elif names[number] == COMMA:
            spans.append((start, number))
            start = number + 1
        number += 1
    return [*spans, (start, last)]


def _slice(text: str, tokens: list[Any]) -> str:
    return text[tokens[0].start : tokens[-1].end + 1] if tokens else ""


def _element(text: str, tokens: list[Any]) -> Element:
    """A column with its options; or an expression in parentheses, or a call, with its options."""
    names = [token.name for token in tokens]
    opening = 0
    while opening < len(names) and _is_part_of_name(names, opening):
        opening += 1
    if opening < len(names) and names[opening] == OPEN:
        end = _closing(names, opening) + 1
        return Element("", _slice(text, tokens[:end]), _slice(text, tokens[end:]))
    return Element(_slice(text, tokens[:1]), "", _slice(text, tokens[1:]))


def _plain(element: Element, expression: Any, table: str) -> Element:
    """A column in parentheses is a column; a name that is the table's is its whole row."""
    fields: Any = expression.fields if isinstance(expression, ast.ColumnRef) else ()
    if not fields or isinstance(fields[-1], ast.A_Star):
        return element
    name = fields[-1].sval
    if len(fields) == 1 and name == table:
        return element
    return Element('"' + name.replace('"', '""') + '"', "", element.options)


def _is_part_of_name(names: list[str], number: int) -> bool:
    """Whether a token belongs to the name of a function: words and dots in turn."""
    is_dot = names[number] == "ASCII_46"
    return is_dot if number % 2 else names[number] != OPEN


def probe(definition: Definition, table: str, side: str) -> str:
    """Statements that make the view, the empty table and its index of one side."""
    parts = ['1 AS "harness 0"']
    calls = enumerate(definition.expressions, 1)
    columns = [f'{expression} AS "harness {number}"' for number, expression in calls]
    where = [f'({definition.predicate}) AS "harness where"'] if definition.predicate else []
    view = ", ".join([*parts, *columns, *where])
    elements, number = [], 0
    for one in definition.elements:
        number += bool(one.expression)
        name = f'"harness {number}"' if one.expression else one.column
        elements.append(f"{name} {one.options}")
    return (
        f'CREATE TEMP VIEW "harness view {side}" AS SELECT {view} FROM {table};\n'  # noqa: S608 - the plan's own SQL
        f'CREATE TEMP TABLE "harness table {side}" AS'
        f" SELECT {', '.join(['*', *columns])} FROM {table} WITH NO DATA;\n"
        f"CREATE {'UNIQUE ' * definition.unique}INDEX"
        f' ON pg_temp."harness table {side}"'
        f" USING {definition.method} ({', '.join(elements)}) {definition.more};\n"
    )


ANSWER = """
SELECT
  pg_catalog.pg_get_viewdef('pg_temp."harness view one"'::pg_catalog.regclass),
  (SELECT pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index AS i
   WHERE i.indrelid = 'pg_temp."harness table one"'::pg_catalog.regclass),
  pg_catalog.pg_get_viewdef('pg_temp."harness view other"'::pg_catalog.regclass),
  (SELECT pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index AS i
   WHERE i.indrelid = 'pg_temp."harness table other"'::pg_catalog.regclass)
"""


def alike(answer: tuple[object, ...]) -> bool:
    """Whether the answer says the same of both sides, but for their names."""
    one, index, other, second = map(str, answer)
    return one == other and without_names(index) == without_names(second)


def without_names(definition: str) -> tuple[bool, str]:
    """Whether an index is unique, and its definition from the access method on."""
    tokens = scan(definition)
    using = next(token for token in tokens if token.name == "USING")
    return tokens[1].name == "UNIQUE", definition[using.start :]
