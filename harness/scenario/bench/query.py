"""A benchmark query: one question or write, in the words of before the migration and of after it.

A subject keeps its own in a directory, one a file:

    -- about: the goods that a word finds
    -- param: word = select name from shop.goods order by id limit 1
    -- expects: shop.goods_search_idx
    -- allows: buffers 4 the old query read nothing but the key
    select id from shop.goods where name = %(word)s
    -- after:
    select id from shop.goods where search @@ plainto_tsquery(%(word)s)

Without a line `-- after:` both are the same text, which is what an old client sends. A file that
begins with that line has no before. Several statements are one transaction. `role` is who asks,
unless it is roles.application of the project file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pglast import ast, parse_sql
from pglast.parser import ParseError

from harness.check.contract.file import without_parameters
from harness.check.contract.session import CONNECTED, Actor
from harness.check.contract.settings import contract_settings
from harness.core.errors import UsageError
from harness.plan import script
from harness.plan.header import header_lines

Source = Literal["subject", "contract", "catalog"]
"""Whose it is: of the subject's benchmarks, of its contract, or made from the catalog."""
Counter = Literal["buffers", "wal", "scans", "time"]
COUNTERS: Final[tuple[Counter, ...]] = ("buffers", "wal", "scans", "time")
KNOWN: Final = ("about", "role", "param", "expects", "allows")
AFTER: Final = re.compile(r"^--[ \t]*after:[ \t]*$", re.MULTILINE)
ALLOWS: Final = re.compile(r"(\w+) (\d+(?:\.\d+)?) (\S.*)")


@dataclass(frozen=True)
class Allowance:
    """How many times its old cost or time it may take, or how many scans more; and why."""

    limit: float
    reason: str


@dataclass(frozen=True)
class BenchmarkQuery:
    """A query; a side without statements is not asked there.

    `probe` says that an index must be able to serve it, whatever the planner finds cheaper on few
    rows. `literals` stand in for what `params` would ask the database before.
    """

    name: str
    about: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    source: Source = "subject"
    writes: bool = False
    actor: Actor = field(default_factory=lambda: Actor(CONNECTED))
    params: Mapping[str, str] = field(default_factory=dict)
    literals: Mapping[str, Any] = field(default_factory=dict)
    expects: tuple[str, ...] = ()
    allows: Mapping[str, Allowance] = field(default_factory=dict)
    where: str = ""

    @property
    def legacy(self) -> bool:
        """Whether an old client's text is asked again as it was."""
        return self.before == self.after


def load_queries(directory: Path) -> tuple[BenchmarkQuery, ...]:
    """Every query of a directory, by name; UsageError with file, line and reason.

    A directory without one is a mistake too.
    """
    found = tuple(read_query(path) for path in sorted(directory.glob("*.sql")))
    if not found:
        raise UsageError("holds no query", where=str(directory), hint="write NAME.sql, one a file")
    return found


def read_query(path: Path) -> BenchmarkQuery:
    """Read one file; UsageError with file, line and reason."""
    _, text = script.source(path)
    words: dict[str, str] = {}
    params: dict[str, str] = {}
    allows: dict[str, Allowance] = {}
    for number, key, value in header_lines(text, blanks=True):
        if key == "after":
            break
        _take(key, value.strip(), (words, params, allows), f"{path}:{number}")
    if not words.get("about"):
        raise UsageError("has no header 'about'", where=f"{path}:1")
    first, marked, second = _parted(text)
    before, wrote = _statements(path, first, 0, params)
    after, writes = (
        _statements(path, second, text.count("\n", 0, len(text) - len(second)), params)
        if marked
        else (before, wrote)
    )
    if not after:
        raise UsageError("holds no statement of after the migration", where=f"{path}:1")
    settings = contract_settings(path.parent)
    role = words.get("role") or settings.roles[0]
    claims = {name: one.replace("{role}", role) for name, one in settings.claims.items()}
    return BenchmarkQuery(
        name=path.stem, about=words["about"], before=before, after=after, writes=wrote or writes,
        actor=Actor(role, claims), params=params, expects=tuple(words.get("expects", "").split()),
        allows=allows, where=str(path),
    )  # fmt: skip


def _parted(text: str) -> tuple[str, bool, str]:
    marks = list(AFTER.finditer(text))
    if not marks:
        return text, False, ""
    return text[: marks[0].start()], True, text[marks[0].end() :]


def _take(
    key: str,
    value: str,
    into: tuple[dict[str, str], dict[str, str], dict[str, Allowance]],
    where: str,
) -> None:
    words, params, allows = into
    if key not in KNOWN:
        hint = f"known are {', '.join(KNOWN)}"
        raise UsageError(f"unknown header {key!r}", where=where, hint=hint)
    if key == "param":
        name, equals, query = value.partition(" = ")
        if not equals:
            raise UsageError("a parameter is written: param: name = query", where=where)
        params[name] = query
    elif key == "allows":
        match = ALLOWS.fullmatch(value)
        if not match or match[1] not in COUNTERS:
            text = f"it is written: allows: {' or '.join(COUNTERS)} NUMBER why"
            raise UsageError(text, where=where)
        allows[match[1]] = Allowance(float(match[2]), match[3])
    else:
        words[key] = value


def _statements(
    path: Path, text: str, above: int, params: Mapping[str, str]
) -> tuple[tuple[str, ...], bool]:
    """The statements of one side, and whether one of them writes."""
    parsed = without_parameters(path, text, params, above)
    try:
        found = parse_sql(parsed)
    except ParseError as error:
        place = error.args[1] if len(error.args) > 1 else len(text.rstrip())
        line = above + text.count("\n", 0, place or 0) + 1
        raise UsageError(f"{error.args[0]} (SQLSTATE 42601)", where=f"{path}:{line}") from None
    statements, writes = [], False
    for raw in found:
        start = raw.stmt_location or 0
        end = start + (raw.stmt_len or len(text) - start)
        statements.append(re.sub(r"\A(?:\s|--[^\n]*(?:\n|\Z))+", "", text[start:end]).rstrip())
        line = above + text.count("\n", 0, end) + 1
        if not isinstance(
            raw.stmt, ast.SelectStmt | ast.InsertStmt | ast.UpdateStmt | ast.DeleteStmt
        ):
            text = "a benchmark query is SELECT, INSERT, UPDATE or DELETE"
            raise UsageError(text, where=f"{path}:{line}")
        writes = writes or not _reads(raw.stmt)
    return tuple(statements), writes


def _reads(statement: ast.Node) -> bool:
    with_clause = getattr(statement, "withClause", None)
    parts = [one.ctequery for one in with_clause.ctes] if with_clause else []
    return isinstance(statement, ast.SelectStmt) and all(_reads(one) for one in parts)
