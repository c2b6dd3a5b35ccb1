"""Solve simple conditions: which values of which columns would satisfy an expression.

The answer is a list of branches, each one way to satisfy it. What is not understood adds nothing:
then the server rejects what does not fit.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from pglast import ast
from pglast.enums import A_Expr_Kind, BoolExprType, BoolTestType, NullTestType

from harness.rows.expression import Node, columns_of, is_a, write_expression
from harness.rows.hints import NOTHING, Assigned, Branch, Hints, Order, merge_branches

LIMIT: Final = 64
"""So many ways to satisfy one expression are followed."""
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_NEGATED: Final = {
    "<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "=", "~": "!~", "!~": "~",
    "~~": "!~~", "!~~": "~~", "~*": "!~*", "!~*": "~*", "~~*": "!~~*", "!~~*": "~~*",
}  # fmt: skip
_LENGTHS: Final = {
    "length", "char_length", "character_length", "octet_length", "cardinality", "array_length",
    "jsonb_array_length", "json_array_length", "bit_length",
}  # fmt: skip
_TRIMS: Final = {"btrim", "ltrim", "rtrim", "trim"}
_ANYTHING: Final = [Branch()]

Branches: TypeAlias = list[Branch]


class Fold(Protocol):
    """What a constant expression is worth, asked of the server."""

    def text(self, node: Node, above: bool = False) -> str | None:
        """Its value as text, None when it has none; `above`: values have to lie above it."""

    def texts(self, node: Node) -> Sequence[str] | None:
        """The elements of an array; None when it is not one."""


def solve_condition(node: Node, fold: Fold, negated: bool = False) -> Branches:
    """Ways in which the condition (or its negation) is satisfied, at most `LIMIT`."""
    rule = _RULES.get(type(node))
    found = rule(node, fold, negated) if rule else None
    return found[:LIMIT] if found else _ANYTHING


def satisfy_all(parts: Iterable[Branches]) -> Branches:
    """Ways to satisfy all of the parts at once; none where they contradict each other."""
    ways = _ANYTHING
    for branches in parts:
        pairs = itertools.product(ways, branches)
        merged = (merge_branches(one, other) for one, other in pairs)
        ways = list(itertools.islice((way for way in merged if way is not None), LIMIT))
    return ways


def _solve_bool(node: Node, fold: Fold, negated: bool) -> Branches:
    if node.boolop == BoolExprType.NOT_EXPR:
        return solve_condition(node.args[0], fold, not negated)
    parts = [solve_condition(part, fold, negated) for part in node.args]
    if (node.boolop == BoolExprType.AND_EXPR) != negated:
        return satisfy_all(parts)
    # one way of each part first, so that none is cut off by the limit
    turns = itertools.zip_longest(*parts)
    return [way for turn in turns for way in turn if way is not None]


def _solve_null_test(node: Node, _fold: Fold, negated: bool) -> Branches:
    name = _column(node.arg)
    is_null = (node.nulltesttype == NullTestType.IS_NULL) != negated
    return [_hint(name, null=is_null)] if name else _ANYTHING


def _solve_boolean_test(node: Node, fold: Fold, negated: bool) -> Branches:
    plain = {BoolTestType.IS_TRUE: False, BoolTestType.IS_NOT_TRUE: True,
             BoolTestType.IS_FALSE: True, BoolTestType.IS_NOT_FALSE: False}  # fmt: skip
    if node.booltesttype not in plain:
        return _ANYTHING
    return solve_condition(node.arg, fold, plain[node.booltesttype] != negated)


def _solve_column(node: Node, _fold: Fold, negated: bool) -> Branches:
    name = _column(node)
    return [_hint(name, values=("false" if negated else "true",))] if name else _ANYTHING


def _solve_case(node: Node, fold: Fold, negated: bool) -> Branches:
    if node.arg is not None:
        return _ANYTHING
    ways: Branches = []
    before: list[Branches] = []
    for when in node.args or ():
        result = solve_condition(when.result, fold, negated)
        ways += satisfy_all([*before, solve_condition(when.expr, fold), result])
        before.append(solve_condition(when.expr, fold, True))
    rest = solve_condition(node.defresult, fold, negated) if node.defresult else _ANYTHING
    return ways + satisfy_all([*before, rest])


def _solve_cast(node: Node, fold: Fold, negated: bool) -> Branches:
    return solve_condition(node.arg, fold, negated)


def _solve_constant(node: Node, _fold: Fold, negated: bool) -> Branches | None:
    value = getattr(node.val, "boolval", None)
    return [] if value is not None and bool(value) == negated else _ANYTHING


def _solve_operator(node: Node, fold: Fold, negated: bool) -> Branches | None:
    operator = node.name[-1].sval
    if node.kind in (A_Expr_Kind.AEXPR_OP_ANY, A_Expr_Kind.AEXPR_OP_ALL):
        return _solve_list(node, operator, fold, negated)
    if node.kind in (A_Expr_Kind.AEXPR_DISTINCT, A_Expr_Kind.AEXPR_NOT_DISTINCT):
        operator = "<>" if node.kind == A_Expr_Kind.AEXPR_DISTINCT else "="
    left, right = node.lexpr, node.rexpr
    if left is None:
        return _ANYTHING
    if operator in ("=", "<>") and _is_condition(left) and _is_condition(right):
        return _solve_equivalence(left, right, fold, (operator == "=") == negated)
    if negated:
        operator = _NEGATED.get(operator, "")
    if not columns_of(left):
        left, right, operator = right, left, _FLIPPED.get(operator, "")
    if columns_of(right):
        return _compare_columns(left, operator, right)
    return _compare_constant(left, operator, right, fold)


def _solve_list(node: Node, operator: str, fold: Fold, negated: bool) -> Branches:
    name, values = _column(node.lexpr), fold.texts(node.rexpr)
    if not name or values is None:
        return _ANYTHING
    if node.kind == A_Expr_Kind.AEXPR_OP_ALL:
        operator, negated = _NEGATED.get(operator, ""), not negated
    if operator == "=":
        return [_hint(name, avoided=tuple(values)) if negated else
                _hint(name, values=tuple(values))]  # fmt: skip
    if operator in ("~", "~~") and not negated:
        write = str if operator == "~" else read_like
        return [_hint(name, patterns=(write(value),)) for value in values]
    return _ANYTHING


def _solve_equivalence(left: Node, right: Node, fold: Fold, negated: bool) -> Branches:
    both = [
        satisfy_all(
            [solve_condition(left, fold, off), solve_condition(right, fold, off != negated)]
        )
        for off in (False, True)
    ]
    return both[0] + both[1]


def _compare_columns(left: Node, operator: str, right: Node) -> Branches:
    one, other = _column(left), _column(right)
    if one and other and operator in _FLIPPED:
        return [Branch({}, (Order(one, operator, other),))] if one != other else _ANYTHING
    cased = _call(left) or _call(right)
    inner = columns_of(left) + columns_of(right)
    for name, made in ((one, right), (other, left)):
        if operator == "=" and name and name not in columns_of(made):
            return [Branch(assigned=(Assigned(name, write_expression(made)),))]
    if operator == "=" and cased in ("lower", "upper") and len(set(inner)) == 1:
        return [_hint(inner[0], case=cased)]
    return _ANYTHING


def _compare_constant(left: Node, operator: str, right: Node, fold: Fold) -> Branches:
    value = fold.text(right, above=operator in (">", ">="))
    if value is None:
        return _ANYTHING
    name = _column(left)
    if name:
        compared = _TEXTS.get(operator, _compared)(operator, value, right, fold)
        return [_hint(name, **compared)]
    return _compare_call(left, operator, value)


def _compare_call(left: Node, operator: str, value: str) -> Branches:
    call, inner = _call(left), columns_of(left)
    if call == "num_nonnulls" and value.lstrip("-").isdigit():
        return _count_filled(inner, operator, int(value))
    if len(inner) != 1:
        return _ANYTHING
    if call in _LENGTHS and value.lstrip("-").isdigit():
        return [_hint(inner[0], **_length(operator, int(value)))]
    if call in _TRIMS and operator == "<>" and value == "":
        return [_hint(inner[0], shortest=1)]
    if call in ("lower", "upper") and operator in ("=", "~", "~~"):
        return [_hint(inner[0], **_TEXTS.get(operator, _compared)(operator, value, left, None))]
    if call in ("jsonb_typeof", "json_typeof") and operator == "=":
        return [_hint(inner[0], json_type=value)]
    key = _json_key(left)
    if key is not None:
        hints = Hints(**_compared(operator, value, left, None))
        return [_hint(inner[0], json_type="object", json_keys={key: hints})]
    return _ANYTHING


def _compared(operator: str, value: str, _node: Node, _fold: Fold | None) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        "=": {"values": (value,)},
        "<>": {"avoided": (value,), **({"shortest": 1} if value == "" else {})},
        "<": {"high": value, "high_open": True},
        "<=": {"high": value},
        ">": {"low": value, "low_open": True},
        ">=": {"low": value},
        "?": {"json_type": "object", "json_keys": {value: NOTHING}},
        "@>": _containing(value),
    }
    return found.get(operator, {})


def _containing(value: str) -> dict[str, Any]:
    """What contains a constant: a document with its keys, an array or a range like it."""
    try:
        parsed = json.loads(value)
    except ValueError:
        return {"values": (value,)}
    if not isinstance(parsed, dict):
        return {"values": (value,)}
    keys = {key: Hints(json_type="raw", values=(json.dumps(part),)) for key, part in parsed.items()}
    return {"json_type": "object", "json_keys": keys}


def _keys(_operator: str, _value: str, node: Node, fold: Fold | None) -> dict[str, Any]:
    keys = fold.texts(node) if fold else None
    return {"json_type": "object", "json_keys": dict.fromkeys(keys, NOTHING)} if keys else {}


def _pattern(operator: str, value: str, _node: Node, _fold: Fold | None) -> dict[str, Any]:
    return {"patterns": (value if operator.startswith("~") and "~~" not in operator
                         else read_like(value),)}  # fmt: skip


def _within(_operator: str, _value: str, node: Node, fold: Fold | None) -> dict[str, Any]:
    values = fold.texts(node) if fold else None
    return {"elements": tuple(values)} if values else {}


_TEXTS: Final[dict[str, Callable[[str, str, Any, Fold | None], dict[str, Any]]]] = {
    "~": _pattern, "~*": _pattern, "~~": _pattern, "~~*": _pattern, "<@": _within,
    "?&": _keys, "?|": _keys,
}  # fmt: skip


def _length(operator: str, value: int) -> dict[str, Any]:
    return {
        "=": {"shortest": value, "longest": value},
        "<": {"longest": value - 1},
        "<=": {"longest": value},
        ">": {"shortest": value + 1},
        ">=": {"shortest": value},
        "<>": {"shortest": value + 1},
    }.get(operator, {})


def _count_filled(names: Sequence[str], operator: str, value: int) -> Branches:
    tests: dict[str, Callable[[int], bool]] = {
        "=": lambda n: n == value, "<>": lambda n: n != value, "<": lambda n: n < value,
        "<=": lambda n: n <= value, ">": lambda n: n > value, ">=": lambda n: n >= value,
    }  # fmt: skip
    fits = tests.get(operator)
    ways = [
        Branch({name: Hints(null=name not in filled) for name in names})
        for number in range(len(names) + 1)
        if fits is None or fits(number)
        for filled in itertools.combinations(names, number)
    ]
    return ways[:LIMIT]


def _hint(name: str, **said: Any) -> Branch:
    return Branch({name: Hints(**said)})


def _column(node: Node) -> str | None:
    """The column that this is, casts aside."""
    while is_a(node, ast.TypeCast, ast.CollateClause):
        node = node.arg
    if is_a(node, ast.ColumnRef) and is_a(node.fields[-1], ast.String):
        return str(node.fields[-1].sval)
    return None


def _call(node: Node) -> str | None:
    while is_a(node, ast.TypeCast, ast.CollateClause):
        node = node.arg
    return str(node.funcname[-1].sval) if is_a(node, ast.FuncCall) else None


def _json_key(node: Node) -> str | None:
    while is_a(node, ast.TypeCast):
        node = node.arg
    if is_a(node, ast.A_Expr) and node.name[-1].sval in ("->>", "->"):
        key = node.rexpr
        while isinstance(key, ast.TypeCast):
            key = key.arg
        text = getattr(getattr(key, "val", None), "sval", None)
        return str(text) if _column(node.lexpr) and text is not None else None
    return None


def _is_condition(node: Node) -> bool:
    if is_a(node, ast.BoolExpr, ast.NullTest, ast.BooleanTest):
        return True
    return is_a(node, ast.A_Expr) and node.name[-1].sval in _NEGATED


def read_like(pattern: str) -> str:
    """A LIKE pattern as a regular expression."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return f"^{''.join(wild.get(part) or re.escape(part[-1]) for part in parts)}$"


_RULES: Final[dict[type, Callable[[Any, Fold, bool], Branches | None]]] = {
    ast.BoolExpr: _solve_bool,
    ast.NullTest: _solve_null_test,
    ast.BooleanTest: _solve_boolean_test,
    ast.ColumnRef: _solve_column,
    ast.CaseExpr: _solve_case,
    ast.TypeCast: _solve_cast,
    ast.A_Const: _solve_constant,
    ast.A_Expr: _solve_operator,
}
