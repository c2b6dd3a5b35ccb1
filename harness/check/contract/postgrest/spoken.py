"""A statement of a contract as PostgREST would send it.

Rows that are given become a JSON body: `INSERT … VALUES`, and an UPDATE that sets values. What a
REST client computes first, PostgREST is sent as JSON, so the values are computed by a query of
their own. What it has no request for (TRUNCATE, a CTE that writes) is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pglast import ast, parse_sql
from pglast.parser import scan
from pglast.visitors import Visitor

from harness.check.contract.file import PARAMETER, without_parameters
from harness.check.contract.postgrest.envelope import json_rows, quote_name, wrap_read, wrap_write

BODY: Final = "pgrst_body"
_SET_PREFIX: Final = "pgrst_"
_OPEN: Final = "ASCII_40", "ASCII_91"
_CLOSE: Final = "ASCII_41", "ASCII_93"


@dataclass(frozen=True)
class JsonBody:
    """What is sent as JSON: the query that makes it, and the columns that it has."""

    query: str
    relation: str
    columns: tuple[str, ...]
    single: bool
    head: str
    tail: str
    assigned: bool = False

    def statement(self, types: dict[str, str]) -> str:
        """The statement with the body in place of the values."""
        place = f"%({BODY})s"
        typed = {name: types[name] for name in self.columns}
        if self.assigned:
            rows = json_rows(typed, place, single=True, prefix=_SET_PREFIX)
            values = (
                f"{quote_name(name)} = pgrst_body.{quote_name(_SET_PREFIX + name)}"
                for name in self.columns
            )
            return f"{self.head} {', '.join(values)} FROM {rows} {self.tail}"
        rows = json_rows(typed, place, single=self.single)
        named = ", ".join(f"pgrst_body.{quote_name(name)}" for name in self.columns)
        return f"{self.head} SELECT {named} FROM {rows} {self.tail}"  # noqa: S608 - likewise


@dataclass(frozen=True)
class Spoken:
    """A statement that PostgREST has a request for."""

    statement: str
    reads: bool
    represented: bool
    body: JsonBody | None = None

    def wrapped(self, types: dict[str, str] | None = None) -> str:
        """The SQL; with the types of the columns, the values go by JSON."""
        if self.reads:
            return wrap_read(self.statement)
        told = self.body.statement(types) if self.body and types else self.statement
        ending = "" if self.represented else "\nRETURNING 1"
        return wrap_write(told + ending, represented=self.represented)


class _Finder(Visitor):
    """Looks for what a JSON body cannot hold, and for statements that write inside of others."""

    def __init__(self) -> None:
        self.computed = False
        self.writes = False

    def visit_ColumnRef(self, _ancestors: Any, _node: Any) -> None:  # noqa: N802 - pglast\'s name
        self.computed = True

    def visit_SetToDefault(self, _ancestors: Any, _node: Any) -> None:  # noqa: N802 - pglast\'s name
        self.computed = True

    def visit_MultiAssignRef(self, _ancestors: Any, _node: Any) -> None:  # noqa: N802 - pglast\'s name
        self.computed = True

    def visit_CommonTableExpr(self, _ancestors: Any, node: Any) -> None:  # noqa: N802 - pglast\'s name
        self.writes |= not isinstance(node.ctequery, ast.SelectStmt)


def speak(statement: str) -> Spoken | None:
    """The request for a statement of a contract; None where PostgREST has none."""
    text = _Text(statement)
    node = text.node
    if _look(node).writes or not isinstance(
        node, ast.SelectStmt | ast.InsertStmt | ast.UpdateStmt | ast.DeleteStmt
    ):
        return None
    if isinstance(node, ast.SelectStmt):
        return None if node.intoClause else Spoken(statement, reads=True, represented=True)
    # the first is what Postgres 18's grammar has, the second what those before it have
    represented = bool(
        getattr(node, "returningClause", None) or getattr(node, "returningList", None)
    )
    body = None
    if isinstance(node, ast.InsertStmt):
        body = _inserted(text, node)
    elif isinstance(node, ast.UpdateStmt):
        body = _updated(text, node)
    return Spoken(statement, reads=False, represented=represented, body=body)


class _Text:
    """A statement with its tokens, at character positions."""

    def __init__(self, statement: str) -> None:
        names = dict.fromkeys(_parameters(statement), "")
        self.text = statement
        self.plain = without_parameters(Path(), statement, names)
        self.node = parse_sql(self.plain)[0].stmt
        self.tokens = [one for one in scan(self.plain) if "COMMENT" not in one.name]

    def outer(self) -> Iterator[tuple[str, int]]:
        """Name and start of every token that lies in no bracket."""
        depth = 0
        for one in self.tokens:
            depth -= one.name in _CLOSE
            if depth == 0:
                yield one.name, one.start
            depth += one.name in _OPEN

    def first(self, names: Sequence[str], after: int = -1) -> int:
        """Where the first of these tokens begins; else the end of the text."""
        found = (start for name, start in self.outer() if name in names and start > after)
        return next(found, len(self.text))


def _parameters(statement: str) -> Iterator[str]:
    return (match[1] for match in PARAMETER.finditer(statement) if match[1])


def _look(*nodes: Any) -> _Finder:
    finder = _Finder()
    for node in nodes:
        finder(node)
    return finder


def _inserted(text: _Text, node: Any) -> JsonBody | None:
    rows = node.selectStmt.valuesLists if node.selectStmt is not None else None
    if not rows or not node.cols or _look(node.selectStmt).computed or _indirect(node.cols):
        return None
    names = tuple(one.name for one in node.cols)
    start = text.first(["VALUES"])
    end = text.first(["ON", "RETURNING"], start)
    single = len(rows) == 1
    named = ", ".join(quote_name(name) for name in names)
    made = "row_to_json(r)" if single else "json_agg(r)"
    query = f"SELECT {made}::text FROM ({text.text[start:end]}\n) AS r({named})"  # noqa: S608 - it is the contract's own text
    return JsonBody(query, _relation(node), names, single, text.text[:start], text.text[end:])


def _updated(text: _Text, node: Any) -> JsonBody | None:
    values = [one.val for one in node.targetList]
    if node.fromClause or _look(*values).computed or _indirect(node.targetList):
        return None
    names = tuple(one.name for one in node.targetList)
    start = text.first(["SET"]) + len("set")
    end = text.first(["WHERE", "RETURNING"], start)
    cuts = [place for name, place in text.outer() if name == "ASCII_44" and start < place < end]
    spans = zip([start, *(cut + 1 for cut in cuts)], [*cuts, end], strict=True)
    given = [text.text[text.first(["ASCII_61"], first) + 1 : last] for first, last in spans]
    if len(given) != len(names):
        return None
    columns = ", ".join(
        f"{value} AS {quote_name(name)}" for value, name in zip(given, names, strict=True)
    )
    query = f"SELECT row_to_json(r)::text FROM (SELECT {columns}\n) AS r"  # noqa: S608 - it is the contract's own text
    return JsonBody(
        query, _relation(node), names, True, text.text[:start], _own_stars(text, node, end), True
    )


def _own_stars(text: _Text, node: Any, end: int) -> str:
    """The rest of an UPDATE, where `*` means the columns of the relation alone."""
    alias = node.relation.alias
    own = quote_name(alias.aliasname) if alias else _relation(node)
    rest, place = "", end
    returning = text.first(["RETURNING"], end - 1)
    for name, start in text.outer():
        before = text.plain[:start].rstrip()
        if name == "ASCII_42" and start > returning and before[-1:] in ",gG":
            rest += text.text[place:start] + own + "."
            place = start
    return rest + text.text[place:]


def _indirect(targets: Sequence[Any]) -> bool:
    return any(one.indirection for one in targets)


def _relation(node: Any) -> str:
    named = node.relation
    parts = [one for one in (named.schemaname, named.relname) if one]
    return ".".join(map(quote_name, parts))
