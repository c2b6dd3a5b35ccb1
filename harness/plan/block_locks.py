"""What the text of a DO block says of the statements that it runs, and where it does not say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pglast import ast, parse_plpgsql, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

from harness.plan.check import tree
from harness.plan.model import Script, Statement

DYNAMIC = ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors", "dynquery")


@dataclass(frozen=True)
class BlockText:
    """The statements that a block is known to run; `whole` where it runs no others."""

    nodes: tuple[Any, ...] = ()
    whole: bool = True


def read_block(text: str, node: Any) -> BlockText:
    """What a DO statement runs; nothing is known of one in another language than PL/pgSQL."""
    given = {one.defname: one.arg for one in node.args or ()}
    spoken = str(given["language"].sval).lower() if "language" in given else "plpgsql"
    if spoken != "plpgsql":
        return BlockText(whole=False)
    try:
        found = parse_plpgsql(text)
    except (ParseError, ValueError):
        return BlockText(whole=False)
    nodes, whole = list[Any](), True
    for query, made in _queries(found, made=False):
        whole = whole and not made
        nodes += [] if made else _parsed(query)
    return BlockText(tuple(nodes), whole)


def _queries(found: Any, *, made: bool) -> Iterator[tuple[str, bool]]:
    """Every query of a block, and whether it is put together when it runs."""
    if isinstance(found, list):
        for one in found:
            yield from _queries(one, made=made)
    elif isinstance(found, dict):
        for key, value in found.items():
            if key == "PLpgSQL_expr":
                yield value["query"], made
            else:
                yield from _queries(value, made=made or key in DYNAMIC)


def _parsed(query: str) -> list[Any]:
    try:
        return [raw.stmt for raw in parse_sql(query)]
    except ParseError:
        return []  # an expression or an assignment


class _Calls(Visitor):
    """Names the functions of a schema of one's own: their bodies are elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def visit_FuncCall(self, _ancestors: Any, node: Any) -> None:  # noqa: N802 - pglast's name
        words = [part.sval for part in node.funcname]
        if len(words) > 1 and words[0] != "pg_catalog":
            self.found.add(".".join(words))


def unseen_locks(script: Script) -> tuple[str, ...]:
    """Where in a script something is run that may lock tables its text does not name."""
    return tuple(found for one in script.statements if (found := _unseen(one)))


def _unseen(statement: Statement) -> str:
    try:
        node = tree(statement)
    except ParseError:
        return ""
    where = f"line {statement.line}"
    if isinstance(node, ast.DoStmt):
        block = read_block(statement.text, node)
        return (
            "" if block.whole else f"a DO block whose statements are not all in its text ({where})"
        )
    if isinstance(node, ast.SelectStmt | ast.CallStmt):
        calls = _Calls()
        calls(node)
        return f"function {', '.join(sorted(calls.found))} ({where})" if calls.found else ""
    return ""
