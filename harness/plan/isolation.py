"""SET TRANSACTION in a script: what can be done for it, and what cannot."""

from __future__ import annotations

from typing import Any

from pglast import ast, parse_sql
from pglast.enums import VariableSetKind

from harness.plan.model import Script, Statement

MODES = ("transaction_isolation", "transaction_deferrable", "transaction_read_only")
READ_ONLY = "in a read-only transaction the step's checkpoint could not be written"
LATE = "SET TRANSACTION comes before every other statement of a script"
SNAPSHOT = "a snapshot of another session is gone when the step is resumed"
CHARACTERISTICS = "SET SESSION CHARACTERISTICS would outlive the step; use SET TRANSACTION"


def opens_with(script: Script) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """The statements that Postgres wants before the first query, and the others."""
    for number, statement in enumerate(script.statements):
        if statement.tag != "VariableSetStmt" or not _modes(parse_sql(statement.text)[0].stmt):
            return script.statements[:number], script.statements[number:]
    return script.statements, ()


def mode_reason(node: Any, *, first: bool) -> str | None:
    """Why a statement cannot set its transaction's mode so; None when it can, or sets none."""
    if not isinstance(node, ast.VariableSetStmt):
        return None
    if node.name == "TRANSACTION SNAPSHOT":
        return SNAPSHOT
    if node.name == "SESSION CHARACTERISTICS":
        return CHARACTERISTICS
    modes = _modes(node)
    if not modes:
        return None
    if _is_on(modes.get("transaction_read_only")):
        return READ_ONLY
    return None if first else LATE


def _modes(node: Any) -> dict[str, Any]:
    """The modes of its transaction that a statement sets, and to what."""
    if node.kind == VariableSetKind.VAR_SET_MULTI:
        given = node.args if node.name == "TRANSACTION" else ()
        return {one.defname: one.arg for one in given}
    if node.is_local and node.name in MODES:
        return {node.name: node.args[0] if node.args else None}
    return {}


def _is_on(value: Any) -> bool:
    """Whether a constant of the parse tree says yes; what is not understood does."""
    if value is None:
        return False
    constant = getattr(value, "val", value)
    text = getattr(constant, "sval", None)
    if text is not None:
        return str(text).lower() not in ("off", "false", "no", "0")
    number = getattr(constant, "ival", getattr(constant, "boolval", 1))
    return bool(number)
