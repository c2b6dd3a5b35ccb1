"""The body of a PL/pgSQL function: each statement planned on both databases, variables as nulls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pglast import parse_plpgsql
from pglast.parser import ParseError

from harness.artifact.inside.follow_table import names_changed
from harness.artifact.inside.model import DatabasePair
from harness.artifact.inside.trial import Comparison, compare_trials, try_statement
from harness.artifact.sql.nodes import UnparsedSQL, children, fields_of, opened, parse, texts
from harness.core.sqlstate import SYNTAX_ERROR

PLANNED: Final = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
_TOKEN: Final = rb'(?:"(?:[^"]|"")*"|[\w$\x80-\xff]+)'
_DOTTED: Final = re.compile(rb"(" + _TOKEN + rb")(?:\s*\.\s*(" + _TOKEN + rb"|\*))*")
_ASSIGNED: Final = re.compile(r"^\s*[\w.\"\[\]$ ]+?\s*:?=\s*", re.DOTALL)
_NAMED_TABLE: Final = re.compile(r"\btg_(?:table_name|relname)\b\s*=\s*'((?:[^']|'')*)'", re.I)


@dataclass
class PlpgsqlBody:
    """What a body holds: its SQL, its variables with their types, the SQL that it makes of text."""

    statements: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)
    dynamic: list[str] = field(default_factory=list)


def read_body(definition: str) -> PlpgsqlBody:
    """The statements and variables of a function. Raises UnparsedSQL."""
    try:
        tree = parse_plpgsql(definition)
    except (ParseError, json.JSONDecodeError, RecursionError) as error:
        raise UnparsedSQL(" ".join(str(error).split())) from None
    body = PlpgsqlBody()
    for kind, one in _nodes(tree):
        if kind == "PLpgSQL_var":
            named = one.get("datatype", {}).get("PLpgSQL_type", {}).get("typname", "")
            body.variables[one["refname"]] = "" if "%" in named else named
        elif kind == "PLpgSQL_rec":
            body.records.add(one["refname"])
        elif kind in ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"):
            body.dynamic.append(str(one.get("query", {}).get("PLpgSQL_expr", {}).get("query", "")))
        elif kind == "PLpgSQL_expr":
            body.statements.append(_whole(one["query"], one.get("parseMode", 0)))
    return body


def _nodes(value: Any) -> Iterator[tuple[str, Any]]:
    """Every node of the tree with its type, in the order of the text."""
    if isinstance(value, list):
        for one in value:
            yield from _nodes(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key.startswith("PLpgSQL_") and isinstance(one, dict):
                yield key, one
            yield from _nodes(one)


def _whole(query: str, mode: int) -> str:
    """An expression or an assignment as a query."""
    if mode == 0:
        return query
    return "select " + (_ASSIGNED.sub("", query, count=1) if mode >= 3 else query)


def judge_body(
    pair: DatabasePair, definition: str, relation: str | None, settings: Sequence[str]
) -> tuple[str, Comparison]:
    """The first statement of a body that stops working, or what cannot be judged of it."""
    try:
        body = read_body(definition)
    except UnparsedSQL as error:
        return definition, Comparison("unknown", f"it does not parse: {error.reason}", SYNTAX_ERROR)
    session = [f"set local {name} = {value or repr('')}"
               for name, _, value in (one.partition("=") for one in settings)]  # fmt: skip
    doubt: tuple[str, Comparison] | None = None
    for text in dict.fromkeys(body.statements):
        found = judge_planned(pair, text, body, relation, session)
        if found.outcome in ("cannot", "silent"):
            return text, found
        if found.outcome == "unknown" and names_changed(pair, text):
            doubt = doubt or (text, found)
    for text in body.dynamic:
        if names_changed(pair, text):
            reason = "it makes SQL of a text that names what is called otherwise"
            doubt = doubt or (text, Comparison("unknown", reason))
    return doubt or ("", Comparison("same"))


def judge_planned(
    pair: DatabasePair, text: str, body: PlpgsqlBody, relation: str | None, session: list[str]
) -> Comparison:
    """One statement of a body, planned on both databases."""
    for name in _NAMED_TABLE.findall(text):
        if any(name == one.old.name.name and one.new and one.new.name.name != name
               for one in pair.renames.changes.values()):  # fmt: skip
            return Comparison(
                "silent", f"its trigger is called for the table of another name than {name!r}"
            )
    try:
        nodes = parse(text)
        if len(nodes) != 1 or opened(nodes[0])[0] not in PLANNED:
            return Comparison("unknown", "it is not a statement that can be planned")
        planned = "explain (costs off) " + fill_variables(text, nodes[0], body, relation)
    except UnparsedSQL as error:
        return Comparison("unknown", f"it does not parse: {error.reason}")
    first = try_statement(pair.before, planned, pair.timeout, session)
    second = try_statement(pair.after, planned, pair.timeout, session)
    if first.failed or second.failed:
        return compare_trials(first, second)
    return Comparison("same")


def fill_variables(text: str, node: Any, body: PlpgsqlBody, relation: str | None) -> str:
    """The statement with a null of its type in the place of each variable."""
    source = text.encode()
    edits: dict[int, tuple[int, str]] = {}
    for column in _columns(node):
        names = [name.lower() for name in texts(column["fields"]) if name is not None]
        match = _DOTTED.match(source, column.get("location", 0))
        if not names or match is None:
            continue
        put = _null_of(names, body, relation)
        if put is not None:
            edits[match.start()] = (match.end(), put)
    for start in sorted(edits, reverse=True):
        end, put = edits[start]
        source = source[:start] + put.encode() + source[end:]
    return re.sub(r"\$\d+", "null", source.decode())


def _null_of(names: list[str], body: PlpgsqlBody, relation: str | None) -> str | None:
    """What stands for a variable, or for a field of a record; None for what is none."""
    first = names[0]
    if first in ("new", "old") and first in body.records and relation is not None:
        row = f"(null::{relation})"
        return row if len(names) == 1 else f'({row}."{names[1]}")'
    if first in body.records:
        return "null" if len(names) > 1 else "null::record"
    if first in body.variables and len(names) == 1:
        named = body.variables[first]
        return f"null::{named}" if named else "null"
    return None


def _columns(node: Any) -> Iterator[Mapping[str, Any]]:
    pending = [node]
    while pending:
        one = pending.pop()
        found = fields_of(one, "ColumnRef")
        if found:
            yield found
        pending += children(one)
