"""What is known of functions, extensions and statements: what stays in its database, what does not.

The names are in known.toml; what stands in none of its lists is not known.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pglast import ast

_NAMES: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
LOCAL_STATEMENTS: Final = frozenset(_NAMES["local_statements"])
LOCAL_VOLATILE: Final = frozenset(_NAMES["local_functions"])
OUTWARD_FUNCTIONS: Final = frozenset(_NAMES["outward_functions"])
EXTENSIONS: Final = frozenset(_NAMES["extensions"])
OUTWARD: Final = frozenset(_NAMES["outward_extensions"])
_MADE_OF: Final = frozenset(_NAMES["made_of"])

_FUNCTION: Final = 2
"""OPCLASS_ITEM_FUNCTION of Postgres's parser: a member of an operator class that is a function."""

CONNECTING: Final = (
    ast.CreateSubscriptionStmt,
    ast.AlterSubscriptionStmt,
    ast.DropSubscriptionStmt,
)
"""Statements that talk to a publisher, from wherever they are run."""


def calls(node: Any) -> Iterator[tuple[str, ...]]:
    """The functions that a node of a parse tree names, qualified as they stand there."""
    if isinstance(node, ast.FuncCall | ast.CreateTrigStmt | ast.CreateEventTrigStmt):
        yield _names(node.funcname)
    elif isinstance(node, ast.CreateCastStmt) and node.func is not None:
        yield _names(node.func.objname)
    elif isinstance(node, ast.CreateConversionStmt):
        yield _names(node.func_name)
    elif isinstance(node, ast.CreateTransformStmt):
        yield from (_names(one.objname) for one in (node.fromsql, node.tosql) if one is not None)
    elif isinstance(node, ast.DefineStmt):
        yield from _defined(node.definition)
    elif isinstance(node, ast.CreateRangeStmt):
        yield from _defined(node.params)
    elif type(node).__name__ == "CreateOpClassItem" and node.itemtype == _FUNCTION:
        yield _names(node.name.objname)


def _defined(definition: Any) -> Iterator[tuple[str, ...]]:
    """An aggregate, operator or type is made of functions, which the parser takes for types."""
    for one in definition or ():
        if one.defname.lower() in _MADE_OF and isinstance(one.arg, ast.TypeName):
            yield _names(one.arg.names)


def _names(parts: Any) -> tuple[str, ...]:
    return tuple(str(part.sval) for part in parts)
