"""Defects inside function bodies and other SQL that a statement carries as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pglast import ast, parse_plpgsql, parse_sql
from pglast.parser import ParseError

from harness.scenario.mutate.edits import NodePlace, places, written

Changed = tuple[str, str, str]
"""An operator, a text laid out, and what the operator makes of it, laid out alike."""
Vary = Callable[[str], Iterator[Changed]]

CONDITION = "SELECT 1 WHERE "
STATEMENT = 0  # how a piece of PL/pgSQL is parsed: as it stands
ASSIGNMENTS = (3, 4, 5)  # likewise: `target := expression`, of one, two or three names
ERRCODE = 0  # of the options of RAISE only this one is more than words
STATEMENTS = {
    "PLpgSQL_stmt_assign": re.compile(r"[\w.\"]+\s*:?="),
    "PLpgSQL_stmt_execsql": re.compile(r"insert|update|delete|select|with|alter", re.IGNORECASE),
    "PLpgSQL_stmt_perform": re.compile(r"perform", re.IGNORECASE),
    "PLpgSQL_stmt_dynexecute": re.compile(r"execute", re.IGNORECASE),
    "PLpgSQL_stmt_raise": re.compile(r"raise", re.IGNORECASE),
}
ARRAY = re.compile(r"\b[\w.]+\.\w+\[\]")


@dataclass(frozen=True)
class BodyPiece:
    """An expression or query in a PL/pgSQL body, with the line on which its statement begins."""

    line: int
    query: str
    mode: int


def body_of(tree: Any) -> tuple[Any, str, str] | None:
    """The option of a CREATE FUNCTION or DO that holds its body, the body, and its language."""
    options = getattr(tree, "options" if isinstance(tree, ast.CreateFunctionStmt) else "args", ())
    found: dict[str, Any] = {
        str(option.defname): option for option in options or () if isinstance(option, ast.DefElem)
    }
    if "as" not in found:
        return None
    holder = found["as"]
    text = holder.arg[0].sval if isinstance(holder.arg, tuple) else holder.arg.sval
    language = found["language"].arg.sval if "language" in found else "plpgsql"
    return holder, text, language


def with_body(holder: Any, body: str) -> Any:
    """The value of the option `holder` that says `body`."""
    text = ast.String(sval=body)
    return (text,) if isinstance(holder.arg, tuple) else text


def in_plpgsql(tree: Any, body: str, vary: Vary) -> Iterator[Changed]:
    """Every defect in a PL/pgSQL body: statements gone, and those of its expressions and queries.

    `tree` is the CREATE FUNCTION or DO of the body; `vary` gives the defects of one SQL statement.
    """
    if isinstance(tree, ast.DoStmt):
        whole = f"create function f() returns void language plpgsql as $body${body}$body$"
    else:
        whole = written(tree)
    known = ARRAY.sub("text[]", whole)  # the parser knows no types but those of the server
    parsed = parse_plpgsql(known)[0]["PLpgSQL_function"]
    starts = _line_starts(body)
    for name, line in _statements(parsed["action"]):
        gone = _without_statement(body, starts[line - 1], STATEMENTS[name])
        if gone is not None:
            yield "delete-statement", body, gone
    used: dict[tuple[int, str], int] = {}
    for piece in _pieces(parsed, 1):
        after = used.get((piece.line, piece.query), starts[piece.line - 1])
        at, length, into = _found(body, _shown(body, piece), after)
        if at < 0:
            continue
        used[(piece.line, piece.query)] = at + 1
        for operator, before, changed in _in_piece(_shown(body, piece), piece, into, vary):
            plain, mutant = (body[:at] + text + body[at + length :] for text in (before, changed))
            yield operator, plain, mutant


def conditions(tree: Any, vary: Vary) -> Iterator[tuple[NodePlace, str, str, str]]:
    """Defects in texts that are SQL themselves: a condition, or a statement to be executed."""
    for place in places(tree):
        value = getattr(place.node, "val", None)
        if not isinstance(place.node, ast.A_Const) or not isinstance(value, ast.String):
            continue
        text = str(value.sval)
        if not re.search(r"\s", text.strip()):
            continue
        for head in ("", CONDITION):
            if _parses(f"{head}{text}"):
                for operator, before, changed in _headless(head, vary(f"{head}{text}")):
                    yield place, operator, before, changed
                break


def _headless(head: str, varied: Iterator[Changed]) -> Iterator[Changed]:
    """Texts without what was put in front of them to make them statements."""
    start = re.compile(r"\s+".join(map(re.escape, head.split())) + r"\s*", re.IGNORECASE)
    for operator, before, changed in varied:
        ends = [start.match(text) for text in (before, changed)]
        if all(ends):
            yield operator, before[ends[0].end() :], changed[ends[1].end() :]  # type: ignore[union-attr]


def _parses(text: str) -> bool:
    try:
        return len(parse_sql(text)) == 1
    except ParseError:
        return False


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _statements(node: Any) -> Iterator[tuple[str, int]]:
    """Name and line of every simple statement."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in STATEMENTS:
                yield name, value["lineno"]
            yield from _statements(value)
    elif isinstance(node, list):
        for item in node:
            yield from _statements(item)


def _pieces(node: Any, line: int) -> Iterator[BodyPiece]:
    """Every expression and query, in order; what RAISE says to people is left out."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "PLpgSQL_expr":
                yield BodyPiece(line, value["query"], value.get("parseMode", 0))
            elif name == "PLpgSQL_stmt_raise":
                options = value.get("options", [])
                kept = [o for o in options if o["PLpgSQL_raise_option"].get("opt_type") == ERRCODE]
                yield from _pieces(kept, value["lineno"])
            else:
                own = value.get("lineno", line) if isinstance(value, dict) else line
                yield from _pieces(value, own)
    elif isinstance(node, list):
        for item in node:
            yield from _pieces(item, line)


def _without_statement(body: str, start: int, first: re.Pattern[str]) -> str | None:
    """The body with `null` for the statement that begins on the line at `start`."""
    begin = start + len(body[start:]) - len(body[start:].lstrip())
    if not first.match(body, begin):
        return None
    quoted = False
    for end in range(begin, len(body)):
        if body[end] == "'":
            quoted = not quoted
        if body[end] == ";" and not quoted:
            return f"{body[:begin]}null{body[end:]}"
    return None


def _shown(body: str, piece: BodyPiece) -> str:
    """The part of a piece that is a query or expression, as the body has it."""
    if piece.mode in ASSIGNMENTS:
        match = re.match(r"[^=]*?:?=\s*", piece.query)
        return piece.query[match.end() :] if match else piece.query
    if piece.query.startswith("SELECT ") and piece.query not in body:
        return piece.query.removeprefix("SELECT ")  # PERFORM reads as SELECT here
    return piece.query


def _in_piece(shown: str, piece: BodyPiece, into: str, vary: Vary) -> Iterator[Changed]:
    head = "" if piece.mode == STATEMENT and shown == piece.query else "SELECT "
    for operator, *texts in _headless(head, vary(f"{head}{shown}")):
        if into:
            texts = [re.sub(r"\bFROM\b", f"{into} FROM", text, count=1) for text in texts]
        yield operator, texts[0], texts[1]


def _found(body: str, query: str, after: int) -> tuple[int, int, str]:
    """Where a query stands, its length, and its INTO: the parser gives blanks for that."""
    at = body.find(query, after)
    if at >= 0:
        return at, len(query), ""
    blanks = re.search(r"\s{6,}(?=from\b)", query, re.IGNORECASE)
    if blanks is None:
        return -1, 0, ""
    at = body.find(query[: blanks.start()], after)
    into = body[at + blanks.start() : at + blanks.end()].strip() if at >= 0 else ""
    return (at, len(query), into) if into.lower().startswith("into ") else (-1, 0, "")
