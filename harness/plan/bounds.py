"""How a batch statement compares with the bounds of its range: each row must lie in one range."""

from __future__ import annotations

from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, BoolExprType
from pglast.visitors import Skip, Visitor

AFTER, UPTO = 1, 2
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
WRONG = {
    (AFTER, ">="): "takes the row at the border in two ranges",
    (UPTO, "<"): "leaves the row at the border out of every range",
}
RIGHT = {(AFTER, ">"), (UPTO, "<=")}
HINT = "every statement of a batch is bounded by key > after and key <= upto"


class _Bounds(Visitor):
    """The comparisons with a bound itself, as if the key stood left of it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[int, str]] = set()
        self.numbers: set[int] = set()
        self.apart = False

    def visit_ParamRef(self, _: Any, node: Any) -> None:  # noqa: N802 - pglast's name
        """Keep which bounds there are."""
        self.numbers.add(node.number)

    def visit_A_Expr(self, _: Any, node: Any) -> None:  # noqa: N802 - pglast's name
        """Keep a comparison with a bound."""
        if node.kind == A_Expr_Kind.AEXPR_BETWEEN:
            low, high = node.rexpr
            self._keep(low, ">=")
            self._keep(high, "<=")
        elif node.kind == A_Expr_Kind.AEXPR_OP:
            operator = node.name[-1].sval
            self._keep(node.rexpr, operator)
            self._keep(node.lexpr, MIRRORED.get(operator, ""))

    def visit_BoolExpr(self, _: Any, node: Any) -> Any:  # noqa: N802 - pglast's name
        """Notice an OR whose arms hold one bound each; pass over what a NOT turns around."""
        if node.boolop == BoolExprType.NOT_EXPR:
            return Skip
        if node.boolop == BoolExprType.OR_EXPR:
            arms = [_bounds_of(arm).numbers for arm in node.args]
            self.apart |= {AFTER} in arms and {UPTO} in arms
        return None

    def _keep(self, node: Any, operator: str) -> None:
        while isinstance(node, ast.TypeCast):
            node = node.arg
        if isinstance(node, ast.ParamRef) and node.number:
            self.found.add((node.number, operator))


def _bounds_of(node: Any) -> _Bounds:
    found = _Bounds()
    found(node)
    return found


def bound_reason(node: Any) -> tuple[str, str] | None:
    """Why ranges would take a row twice or never, and what to do; None when nothing says so.

    A bound that is used in another way, such as `after + 1`, is the author's business.
    """
    bounds = _bounds_of(node)
    if bounds.apart:
        return "the bounds are joined by OR: a row of any range would be taken in each", HINT
    for (number, operator), what in WRONG.items():
        used = {one for one in bounds.found if one[0] == number}
        if (number, operator) in used and not used & RIGHT:
            name = "%(after)s" if number == AFTER else "%(upto)s"
            return f"{operator} {name} {what}", HINT
    return None
