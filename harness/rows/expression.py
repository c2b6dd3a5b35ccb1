"""SQL expressions of the catalog as trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream

Node: TypeAlias = Any  # of pglast's tree, whose fields are typed as if each could be anything


def parse_expression(text: str) -> Node:
    """The tree of an expression, None when it cannot be read."""
    try:
        statement: Node = parse_sql(f"SELECT {text}")[0].stmt
        return statement.targetList[0].val
    except ParseError:  # newer syntax than the parser knows
        return None


def write_expression(node: Node) -> str:
    """The SQL of a tree."""
    return str(RawStream()(node))


def columns_of(expression: Node) -> tuple[str, ...]:
    """The names of the columns in an expression, in the order of their first use."""
    node = parse_expression(expression) if isinstance(expression, str) else expression
    references = (part.fields[-1] for part in walk_tree(node) if is_a(part, ast.ColumnRef))
    return tuple(dict.fromkeys(str(name.sval) for name in references if is_a(name, ast.String)))


def is_a(node: Node, *kinds: type) -> bool:
    """Whether a node is of one of these kinds; the type checker learns nothing by it."""
    return isinstance(node, kinds)


def walk_tree(node: Any) -> Iterator[Node]:
    """A node and everything below it."""
    if isinstance(node, tuple):
        for part in node:
            yield from walk_tree(part)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from walk_tree(getattr(node, name))
