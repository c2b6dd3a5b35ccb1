"""SQL expressions of the catalog as trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream


def parse_expression(text: str) -> ast.Node | None:
    """The tree of an expression, None when it cannot be read."""
    try:
        return parse_sql(f"SELECT {text}")[0].stmt.targetList[0].val
    except ParseError:  # newer syntax than the parser knows
        return None


def write_expression(node: ast.Node) -> str:
    """The SQL of a tree."""
    return str(RawStream()(node))


def columns_of(expression: str | ast.Node | None) -> tuple[str, ...]:
    """The names of the columns in an expression, in the order of their first use."""
    node = parse_expression(expression) if isinstance(expression, str) else expression
    names = (
        part.fields[-1].sval
        for part in walk_tree(node)
        if isinstance(part, ast.ColumnRef) and isinstance(part.fields[-1], ast.String)
    )
    return tuple(dict.fromkeys(names))


def walk_tree(node: Any) -> Iterator[ast.Node]:
    """A node and everything below it."""
    if isinstance(node, tuple):
        for part in node:
            yield from walk_tree(part)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from walk_tree(getattr(node, name))
