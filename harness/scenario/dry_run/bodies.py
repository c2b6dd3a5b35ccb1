"""The statements and expressions in the body of a function or a DO block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from pglast import ast, parse_plpgsql, parse_sql
from pglast.parser import ParseError

_DYNAMIC: Final = ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors")
_ARRAY: Final = re.compile(r"\b[\w.]+\.\w+\[\]")
"""A variable of a type that only the database knows; the parser takes arrays of its own only."""
_ASSIGNED: Final = re.compile(r"^[^=:]*?:?=")


class BodyPart(NamedTuple):
    """A parsed statement of a body, or where it is put together at run time, what makes it."""

    node: Any = None
    made_by: str | None = None


class OpaqueError(Exception):
    """A body that cannot be read; why."""


def options(node: Any) -> dict[str, Any]:
    """The options of a CREATE FUNCTION or a DO: language, as."""
    found = node.options if isinstance(node, ast.CreateFunctionStmt) else node.args
    return {one.defname: one.arg for one in found or ()}


def language(node: Any) -> str:
    """The language of a function or block."""
    given = options(node).get("language")
    if given is not None:
        return str(given.sval).lower()
    return "plpgsql" if isinstance(node, ast.DoStmt) else "sql"


def parts(node: Any, text: str) -> Iterator[BodyPart]:
    """What a function or block consists of; `text` is the whole statement that `node` is of."""
    spoken = language(node)
    if spoken == "plpgsql":
        yield from _plpgsql(text)
    elif spoken == "sql" and getattr(node, "sql_body", None) is not None:
        yield BodyPart(node.sql_body)
    elif spoken == "sql":
        yield from _sql(options(node)["as"])
    else:
        raise OpaqueError(f"in language {spoken}")


def _sql(body: Any) -> Iterator[BodyPart]:
    text = body[0].sval if isinstance(body, tuple) else body.sval
    try:
        yield from (BodyPart(raw.stmt) for raw in parse_sql(text))
    except (ParseError, ValueError) as error:
        raise OpaqueError("that cannot be read") from error


def _plpgsql(text: str) -> Iterator[BodyPart]:
    try:
        found = parse_plpgsql(_ARRAY.sub("text[]", text))
    except (ParseError, ValueError) as error:
        raise OpaqueError("that cannot be read") from error
    for query, dynamic in _expressions(found, dynamic=False):
        node = _parsed(query)
        if node is None:
            raise OpaqueError(f"that cannot be read: {query}")
        yield from (BodyPart(raw.stmt) for raw in node)
        if dynamic:
            yield BodyPart(made_by=query)


def _expressions(found: Any, *, dynamic: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(found, list):
        for item in found:
            yield from _expressions(item, dynamic=dynamic)
    elif isinstance(found, dict):
        for key, value in found.items():
            if key == "PLpgSQL_expr":
                yield value["query"], dynamic
            elif key in _DYNAMIC:
                yield from _expressions(value.get("query"), dynamic=True)
                rest = {name: one for name, one in value.items() if name != "query"}
                yield from _expressions(rest, dynamic=False)
            else:
                yield from _expressions(value, dynamic=key == "dynquery")


def _parsed(query: str) -> Any:
    """A statement, an expression, or an assignment of one."""
    for text in (query, f"SELECT {query}", f"SELECT {_ASSIGNED.sub('', query, count=1)}"):
        try:
            return parse_sql(text)
        except ParseError:
            continue
    return None
