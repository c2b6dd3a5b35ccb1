"""A baseline's files: plain SQL, or what pg_dump and pg_dumpall --roles-only write."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pglast import parse_sql
from pglast.enums import TransactionStmtKind
from pglast.visitors import Visitor

from harness.core.errors import UsageError
from harness.plan import psql, script
from harness.plan.check import check, tree
from harness.plan.model import Script, Statement

BRACKETS = (
    TransactionStmtKind.TRANS_STMT_BEGIN,
    TransactionStmtKind.TRANS_STMT_START,
    TransactionStmtKind.TRANS_STMT_COMMIT,
)
HARMLESS = Statement("SELECT 1", 1, "SelectStmt")
DATA = ("InsertStmt", "UpdateStmt", "DeleteStmt")
"""Rows, thousands of statements in some dumps: no rule of a step's is about them."""
RELATIONS = (
    "CreateStmt",
    "CreateTableAsStmt",
    "CreateForeignTableStmt",
    "ImportForeignSchemaStmt",
    "ViewStmt",
    "IntoClause",
    "CreateEnumStmt",
    "CreateDomainStmt",
)
MADE_INSIDE = re.compile(r"\bcreate\b.*\b(table|view|type|domain)\b", re.IGNORECASE | re.DOTALL)


def read(path: Path, root: Path) -> Script:
    """Read and check one file of a baseline; UsageError names file, line and reason."""
    raw, text = script.source(path)
    plain = psql.plain(path, text)
    found = script.of(path, root, text, hashlib.sha256(raw).hexdigest(), plain.text, plain.rows)
    if found.kind != "transaction":
        raise UsageError("a baseline script is of kind transaction", where=found.at(1))
    kept = tuple(one for one in found.statements if not _is_bracket(found, one))
    whole = replace(found, statements=kept)
    _check(whole)
    return whole


def _is_bracket(of: Script, statement: Statement) -> bool:
    """BEGIN and COMMIT say nothing new: each file is one transaction."""
    if statement.tag != "TransactionStmt":
        return False
    node = tree(statement)
    if node.kind not in BRACKETS or node.options:
        return False
    if node.chain:
        raise UsageError("AND CHAIN cannot run here", where=of.at(statement.line))
    return True


def _check(of: Script) -> None:
    allowed = [_is_allowed(of, one) for one in of.statements]
    if of.nothing is not None or not any(allowed):
        check(of)
        return
    check(replace(of, statements=(HARMLESS,)))  # its header alone
    for statement, is_allowed in zip(of.statements, allowed, strict=True):
        if not is_allowed:
            check(replace(of, statements=(statement,)))


def _is_allowed(of: Script, statement: Statement) -> bool:
    """Whether a baseline may do what a step may not; UsageError where only half of it is right."""
    where = of.at(statement.line)
    if statement.tag == "CopyStmt":
        if statement.rows is None:
            hint = "write the rows below COPY … FROM stdin, as pg_dump does"
            raise UsageError("COPY takes its rows from the file itself", where=where, hint=hint)
        return True
    if statement.tag == "CreatedbStmt":
        raise UsageError(
            "a baseline goes into the database that is named",
            where=where,
            hint="dump without --create",
        )
    if statement.tag != "VariableSetStmt":
        return statement.tag in DATA
    node: Any = tree(statement)
    return not str(node.name or "").startswith("TRANSACTION")


def makes_relations(scripts: Iterable[Script]) -> bool:
    """Whether the files make a relation or type, so that a database without any is not theirs.

    The text of what is code itself (DO, functions) is believed when it speaks of making one.
    """
    return any(_Makes().of(statement) for script in scripts for statement in script.statements)


class _Makes(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def of(self, statement: Statement) -> bool:
        """Whether the statement makes a relation or a type."""
        if statement.tag == "DoStmt":
            return bool(MADE_INSIDE.search(statement.text))
        if statement.rows is None:
            self(parse_sql(statement.text))
        return self.found

    def visit(self, _ancestors: Any, node: Any) -> None:
        """Called with every node of the tree."""
        self.found |= type(node).__name__ in RELATIONS
