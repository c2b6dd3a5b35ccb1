"""Defects in queries: conditions dropped and turned round, joins loosened, constants changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, BoolExprType, BoolTestType, JoinType, NullTestType
from pglast.enums import SubLinkType as Sub

from harness.scenario.mutate.edits import NodeEdit, NodePlace, without

OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
NEIGHBOUR = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
KINDS = {
    A_Expr_Kind.AEXPR_DISTINCT: A_Expr_Kind.AEXPR_NOT_DISTINCT,
    A_Expr_Kind.AEXPR_NOT_DISTINCT: A_Expr_Kind.AEXPR_DISTINCT,
}
COMPARING = (
    A_Expr_Kind.AEXPR_OP,
    A_Expr_Kind.AEXPR_IN,
    A_Expr_Kind.AEXPR_OP_ANY,
    A_Expr_Kind.AEXPR_OP_ALL,
)


class Labels:
    """The enums of a plan: a label is changed into another one of its own enum."""

    def __init__(self, enums: dict[str, tuple[str, ...]]) -> None:
        self._enums = enums

    def other(self, label: str, kind: str | None = None) -> str | None:
        """The label after this one; None when it is no label (of the enum `kind`)."""
        if kind is not None and kind not in self._enums:
            return None
        for name, labels in self._enums.items():
            if label in labels and kind in (None, name):
                return labels[(labels.index(label) + 1) % len(labels)]
        return None


def where(place: NodePlace) -> Iterator[NodeEdit]:
    """WHERE, and the WHEN or WHERE of triggers and partial indexes, gone."""
    for attribute in ("whereClause", "whenClause"):
        if getattr(place.node, attribute, None) is not None:
            yield NodeEdit("drop-where", place.node, attribute, None)


def arms(place: NodePlace) -> Iterator[NodeEdit]:
    """One side of an AND or OR gone; NOT gone."""
    node = place.node
    if node.boolop == BoolExprType.NOT_EXPR:
        yield place.replaced("negate", node.args[0])
    else:
        yield from without("drop-condition", node, "args")


def joins(place: NodePlace) -> Iterator[NodeEdit]:
    """The condition of a join gone; left for inner and inner for left."""
    node = place.node
    if node.quals is not None:
        yield NodeEdit("drop-join-condition", node, "quals", _true())
    if node.jointype == JoinType.JOIN_LEFT:
        yield NodeEdit("inner-join", node, "jointype", JoinType.JOIN_INNER)
    elif node.quals is not None:
        yield NodeEdit("left-join", node, "jointype", JoinType.JOIN_LEFT)


def comparisons(place: NodePlace) -> Iterator[NodeEdit]:
    """A comparison turned round, and moved by one where there is a boundary."""
    node = place.node
    if node.kind in KINDS:
        yield NodeEdit("negate", node, "kind", KINDS[node.kind])
    elif node.kind == A_Expr_Kind.AEXPR_BETWEEN:
        yield place.replaced("negate", _not(node))
    elif node.kind in COMPARING and len(node.name) == 1:
        sign = node.name[0].sval
        if sign in OPPOSITE:
            yield NodeEdit("negate", node, "name", (ast.String(sval=OPPOSITE[sign]),))
        if sign in NEIGHBOUR:
            yield NodeEdit("boundary", node, "name", (ast.String(sval=NEIGHBOUR[sign]),))


def null_tests(place: NodePlace) -> Iterator[NodeEdit]:
    """IS NULL for IS NOT NULL."""
    turned = {NullTestType.IS_NULL: NullTestType.IS_NOT_NULL}
    kind = turned.get(place.node.nulltesttype, NullTestType.IS_NULL)
    yield NodeEdit("negate", place.node, "nulltesttype", kind)


def boolean_tests(place: NodePlace) -> Iterator[NodeEdit]:
    """IS TRUE for IS NOT TRUE."""
    turned = {BoolTestType.IS_TRUE: BoolTestType.IS_NOT_TRUE}
    kind = turned.get(place.node.booltesttype, BoolTestType.IS_TRUE)
    yield NodeEdit("negate", place.node, "booltesttype", kind)


def subqueries(place: NodePlace) -> Iterator[NodeEdit]:
    """EXISTS for NOT EXISTS; the edit that drops NOT is made elsewhere."""
    inside_not = isinstance(place.parent, ast.BoolExpr) and (
        place.parent.boolop == BoolExprType.NOT_EXPR
    )
    if place.node.subLinkType == Sub.EXISTS_SUBLINK and not inside_not:
        yield place.replaced("negate", _not(place.node))


def cases(place: NodePlace) -> Iterator[NodeEdit]:
    """An arm of a CASE gone, or its default."""
    yield from without("drop-case", place.node, "args")
    if place.node.defresult is not None:
        yield NodeEdit("drop-case", place.node, "defresult", None)


def assignments(place: NodePlace) -> Iterator[NodeEdit]:
    """One column of an UPDATE not set."""
    yield from without("drop-assignment", place.node, "targetList")


def constants(place: NodePlace, labels: Labels, kind: str | None) -> Iterator[NodeEdit]:
    """Another number, another text, another label of the same enum, true for false."""
    node = place.node
    changed = None if node.isnull else _changed(node.val, labels, kind)
    if changed is not None:
        yield NodeEdit("change-constant", node, "val", changed)


def _changed(value: Any, labels: Labels, kind: str | None) -> Any:
    if isinstance(value, ast.Integer):
        return ast.Integer(ival=(value.ival or 0) + 1)
    if isinstance(value, ast.Boolean):
        return ast.Boolean(boolval=not value.boolval)
    if isinstance(value, ast.String):
        text = str(value.sval)
        other = labels.other(text, kind) or labels.other(text)
        return ast.String(sval=other or _another(text))
    return None


def _another(text: str) -> str:
    """A text that is not the same as a "char" either, which is the first letter and no more."""
    if len(text) == 1:
        return "y" if text == "x" else "x"
    return f"{text}x"


def _not(node: Any) -> Any:
    return ast.BoolExpr(boolop=BoolExprType.NOT_EXPR, args=(node,))


def _true() -> Any:
    return ast.A_Const(isnull=False, val=ast.Boolean(boolval=True))


BY_NODE: dict[str, Callable[[NodePlace], Iterator[NodeEdit]]] = {
    "SelectStmt": where,
    "DeleteStmt": where,
    "IndexStmt": where,
    "CreateTrigStmt": where,
    "BoolExpr": arms,
    "JoinExpr": joins,
    "A_Expr": comparisons,
    "NullTest": null_tests,
    "BooleanTest": boolean_tests,
    "SubLink": subqueries,
    "CaseExpr": cases,
}


def updates(place: NodePlace) -> Iterator[NodeEdit]:
    """What may go wrong in an UPDATE."""
    yield from where(place)
    yield from assignments(place)


BY_NODE["UpdateStmt"] = updates
