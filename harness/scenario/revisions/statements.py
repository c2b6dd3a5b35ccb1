"""The statements of a script, with the line of each, and what of it commits together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pglast
from pglast import ast
from pglast.parser import ParseError

from harness.subject.adapter.concurrent import has_concurrent
from harness.subject.adapter.model import ForeignScript

_META: Final = re.compile(r"^\\\w+.*$", re.M)
_OPENS: Final = (ast.TransactionStmt,)
_BEGIN, _START, _COMMIT, _ROLLBACK = 0, 1, 2, 3


@dataclass(frozen=True)
class ForeignStatement:
    """One statement: its text, the line of the file on which it begins, its tree."""

    text: str
    line: int
    node: Any

    @property
    def tag(self) -> str:
        """The class of its tree, such as AlterTableStmt."""
        return type(self.node).__name__

    @property
    def control(self) -> str:
        """begin, commit or rollback, or nothing for what is no control of a transaction."""
        if not isinstance(self.node, ast.TransactionStmt):
            return ""
        assert self.node.kind is not None, "the parser sets it"
        kind = int(self.node.kind)
        return {_BEGIN: "begin", _START: "begin", _COMMIT: "commit", _ROLLBACK: "rollback"}.get(
            kind, ""
        )

    @property
    def alone(self) -> bool:
        """Whether no transaction may hold it."""
        return has_concurrent(self.text)


class UnparsedError(Exception):
    """The text is not SQL as Postgres' parser knows it; `line` is that of the file."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def needs_psql(text: str) -> bool:
    """Whether the text has commands of psql's own, or rows behind a COPY."""
    return (
        _META.search(text) is not None
        or re.search(r"^COPY .* FROM stdin", text, re.M | re.I) is not None
    )


def split(script: ForeignScript) -> list[ForeignStatement]:
    """The statements of a script; UnparsedError with the line that Postgres' parser names."""
    try:
        parsed = pglast.parse_sql(script.text)
    except ParseError as error:
        place = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else 0
        line = script.line + script.text[:place].count("\n")
        raise UnparsedError(str(error.args[0]), line) from None
    found = []
    for one in parsed:  # places are counted in characters
        begin = one.stmt_location or 0
        end = begin + one.stmt_len if one.stmt_len else len(script.text)
        text = script.text[begin:end]
        begin += len(text) - len(_without_lead(text))
        line = script.line + script.text[:begin].count("\n")
        found.append(ForeignStatement(script.text[begin:end], line, one.stmt))
    return found


def _without_lead(text: str) -> str:
    """The text from its first token on."""
    return re.sub(r"\A(?:\s+|--[^\n]*\n?|/\*.*?\*/)*", "", text, flags=re.DOTALL)


def commit_units(
    script: ForeignScript, statements: Sequence[ForeignStatement]
) -> list[list[ForeignStatement]]:
    """What of a script without a transaction of its tool commits together, in order."""
    units: list[list[ForeignStatement]] = []
    opened = False
    for one in statements:
        if one.control == "begin":
            units.append([one])
            opened = True
        elif one.control in ("commit", "rollback"):
            (units[-1] if units else units.append([]) or units[-1]).append(one)  # type: ignore[func-returns-value] # a unit is made where none is
            opened = False
        elif opened or (script.sending == "whole" and _is_open(units)):
            units[-1].append(one)
        else:
            units.append([one])
    return units


def _is_open(units: Sequence[Sequence[ForeignStatement]]) -> bool:
    """Whether the last unit is an implicit transaction of one query, which goes on."""
    return bool(units) and not units[-1][-1].control and not units[-1][0].control
