"""Defects in values: a call unwrapped, an operand left out, a value of an INSERT that is null."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind

from harness.scenario.mutate.edits import NodeEdit, NodePlace

UNWRAPPED = {
    "btrim": 0,
    "ltrim": 0,
    "rtrim": 0,
    "left": 0,
    "lower": 0,
    "upper": 0,
    "normalize": 0,
    "replace": 0,
    "round": 0,
    "date_trunc": 1,
    "timezone": 1,
}
"""Functions that give their own argument, this one, back changed."""
JOINING = {"concat": 0, "concat_ws": 1}
"""Functions that join texts, and how many arguments come before these."""


def calls(place: NodePlace) -> Iterator[NodeEdit]:
    """The argument in place of the call; one text less to join."""
    node = place.node
    name, arguments = node.funcname[-1].sval, node.args or ()
    kept = UNWRAPPED.get(name)
    if kept is not None and len(arguments) > kept:
        yield place.replaced("unwrap-call", arguments[kept])
    first = JOINING.get(name, len(arguments))
    for index in range(first, len(arguments)):
        rest = (*arguments[:index], *arguments[index + 1 :])
        yield NodeEdit("drop-operand", node, "args", rest)


def fallbacks(place: NodePlace) -> Iterator[NodeEdit]:
    """COALESCE without what stands in for null."""
    yield place.replaced("unwrap-call", place.node.args[0])


def operands(place: NodePlace) -> Iterator[NodeEdit]:
    """One side of || alone; NULLIF without what is taken for null."""
    node = place.node
    if node.kind == A_Expr_Kind.AEXPR_NULLIF:
        yield place.replaced("unwrap-call", node.lexpr)
    elif node.kind == A_Expr_Kind.AEXPR_OP and node.name[-1].sval == "||" and node.lexpr:
        yield place.replaced("drop-operand", node.lexpr)
        yield place.replaced("drop-operand", node.rexpr)


def inserts(place: NodePlace) -> Iterator[NodeEdit]:
    """Null for one value of each row."""
    source = place.node.selectStmt
    if source is None:
        return
    for target in source.targetList or ():
        if not _is_null(target.val):
            yield NodeEdit("null-value", target, "val", _null())
    rows = source.valuesLists or ()
    for number, row in enumerate(rows):
        for index, value in enumerate(row):
            if not _is_null(value):
                changed = (*row[:index], _null(), *row[index + 1 :])
                lists = (*rows[:number], changed, *rows[number + 1 :])
                yield NodeEdit("null-value", source, "valuesLists", lists)


def _null() -> Any:
    return ast.A_Const(isnull=True)


def _is_null(node: Any) -> bool:
    return isinstance(node, ast.A_Const) and bool(node.isnull)


BY_NODE: dict[str, Callable[[NodePlace], Iterator[NodeEdit]]] = {
    "FuncCall": calls,
    "CoalesceExpr": fallbacks,
    "A_Expr": operands,
    "InsertStmt": inserts,
}


def of(place: NodePlace) -> Iterator[NodeEdit]:
    """Every defect of a value at a place."""
    make = BY_NODE.get(type(place.node).__name__)
    if make is not None:
        yield from make(place)
