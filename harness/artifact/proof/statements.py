"""A text of SQL as statements, and as the server is asked them: with the time standing still."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from pglast.parser import ParseError, parse_sql_json

from harness.artifact.sql.edits import Edit, apply_edits
from harness.artifact.sql.nodes import Node, UnparsedSQL, fields_of, opened, parse, texts

_NOW: Final = re.compile(rb"now\s*\(\s*\)", re.IGNORECASE)
_WORD: Final = re.compile(rb"\w+")
_FIXED: Final = {
    "SVFOP_CURRENT_TIMESTAMP": "'{}'::timestamptz",
    "SVFOP_CURRENT_DATE": "'{}'::timestamptz::date",
}


def split(text: str) -> list[str]:
    """The statements of a text. Raises UnparsedSQL."""
    parse(text)
    try:
        tree = json.loads(parse_sql_json(text))
    except ParseError as error:
        raise UnparsedSQL(str(error)) from None
    source = text.encode()
    found = []
    for one in tree.get("stmts", ()):
        start = one.get("stmt_location", 0)
        length = one.get("stmt_len", 0) or len(source) - start
        found.append(source[start : start + length].decode())
    return found


def is_query(statement: str) -> bool:
    """Whether a statement is a SELECT, the only one that is run."""
    nodes = parse(statement)
    return len(nodes) == 1 and opened(nodes[0])[0] == "SelectStmt" and not _writes(nodes[0])


def stop_time(statement: str, moment: str) -> str:
    """The statement with a fixed moment for now() and its kin: both clones see the same time."""
    source = statement.encode()
    edits = set()
    for node in _below(parse(statement)):
        called = fields_of(node, "FuncCall")
        if called and texts(called["funcname"]) == ["now"] and "args" not in called:
            match = _NOW.match(source, called.get("location", 0))
            if match:
                edits.add(Edit(*match.span(), f"'{moment}'::timestamptz".encode()))
        value = fields_of(node, "SQLValueFunction")
        if value and value.get("op") in _FIXED:
            match = _WORD.match(source, value.get("location", 0))
            if match:
                edits.add(Edit(*match.span(), _FIXED[value["op"]].format(moment).encode()))
    return apply_edits(source, edits).decode()


def sort_columns(statement: str, names: list[str]) -> list[int] | None:
    """The places of the columns by which the result is sorted.

    Empty: it is not sorted. None: by something else than columns of the result.
    """
    fields = opened(parse(statement)[0])[1]
    found = []
    for node in fields.get("sortClause", ()):
        inner = node["SortBy"].get("node") or {}
        number = (fields_of(inner, "A_Const") or {}).get("ival", {}).get("ival")
        column = fields_of(inner, "ColumnRef")
        name = texts(column["fields"])[-1] if column else None
        if number is not None and 0 < number <= len(names):
            found.append(number - 1)
        elif name in names:
            found.append(names.index(name))
        else:
            return None
    return found


def _writes(node: Node) -> bool:
    """Whether a WITH clause writes, or the result goes into a table or is locked."""
    kinds = {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "LockingClause"}
    return any(kinds & one.keys() or "intoClause" in one for one in _below(node))


def _below(value: Any) -> Iterator[Node]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            yield one
            pending += one.values()
        elif isinstance(one, list):
            pending += one
