"""SQL that is put together when it runs: what of it stands in the text.

`format('alter table %I …', x)` is a statement with a name put in: what kind of statement it is can
be read. A whole text put in by `%s` or `||` cannot.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pglast import ast, parse_sql
from pglast.enums import A_Expr_Kind
from pglast.parser import ParseError

NAME: Final = "harness_name"
"""Stands where a quoted name is put in."""
TEXT: Final = "harness_text"
"""Stands where any text at all is put in."""
_LITERAL: Final = "'harness literal'"
_FORMAT: Final = re.compile(r"%(?:\d+\$)?-?\d*([sIL%])")
_PUT: Final = {"s": TEXT, "I": NAME, "L": _LITERAL, "%": "%"}
_QUOTED: Final = {"quote_ident": NAME, "quote_literal": _LITERAL, "quote_nullable": _LITERAL}
_NAMES: Final = frozenset(
    ("regclass", "regrole", "regtype", "regproc", "regprocedure", "regnamespace", "regoper")
)


def template(expression: str) -> str:
    """The text of a statement from the expression that makes it, with stand-ins for what is not
    known; just `TEXT` when nothing is."""
    try:
        (statement,) = parse_sql(f"SELECT {expression}")
        select: Any = statement.stmt
        return _text(select.targetList[0].val)
    except (ParseError, ValueError, AttributeError, TypeError):
        return TEXT


def _text(node: Any) -> str:
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.String):
        return str(node.val.sval)
    if isinstance(node, ast.TypeCast):
        return NAME if _is_name(node) or _is_name(node.arg) else _text(node.arg)
    if (
        isinstance(node, ast.A_Expr)
        and node.kind == A_Expr_Kind.AEXPR_OP
        and _ends(node.name) == "||"
    ):
        return _text(node.lexpr) + _text(node.rexpr)
    if isinstance(node, ast.FuncCall):
        return _call(_ends(node.funcname), node.args or ())
    return TEXT


def _call(name: str, arguments: Any) -> str:
    if name in _QUOTED:
        return _QUOTED[name]
    if name == "format" and arguments:
        text = _text(arguments[0])
        return TEXT if TEXT in text else _FORMAT.sub(lambda match: _PUT[match[1]], text)
    return TEXT


def _is_joined(node: Any) -> bool:
    return (
        isinstance(node, ast.A_Expr)
        and node.kind == A_Expr_Kind.AEXPR_OP
        and (_ends(node.name) == "||")
    )


def _is_name(node: Any) -> bool:
    kind: Any = getattr(node, "typeName", None)
    return isinstance(node, ast.TypeCast) and _ends(kind.names) in _NAMES


def _ends(names: Any) -> str:
    return str(names[-1].sval)
