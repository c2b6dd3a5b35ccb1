"""A check file: a query that finds what is wrong, and a few words that say what it means.

    -- id: orders.customer.dangling
    -- severity: warning
    -- relation: shop.orders
    -- message: orders name customers that do not exist
    -- hint: the migration keeps the ids; names of such customers are missing in lists
    -- clean-up: update shop.orders set customer_id = …
    select o.id as key, … as detail from shop.orders o where …

The query gives one row for each row that is wrong: `key` says which, `detail` (optional) says how.
No row means nothing is wrong. `clean-up` may be repeated, a line each; it is shown and never run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError

from harness.core.errors import UsageError
from harness.core.finding import Severity
from harness.plan import script
from harness.plan.header import header_lines

SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
NEEDED = ("id", "severity", "message")
KNOWN = (*NEEDED, "relation", "hint", "clean-up", "tolerate", "until")
CLEANUP = "cleanup"  # the one event until which something may be asked
REPEATED = ("clean-up", "hint")
ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class CheckFile:
    """One check, read and found well-formed.

    `relation` is schema-qualified and quoted as SQL wants it, or None for a check of no relation.
    `tolerate` is a share of the relation's rows in percent: up to it the finding is information.
    `until_cleanup`: it needs what the clean-up drops, and is not asked after it.
    """

    path: Path
    id: str
    severity: Severity
    message: str
    sql: str
    line: int
    sha256: str
    relation: str | None = None
    hint: str = ""
    cleanup: str = ""
    tolerate: float = 0.0
    has_detail: bool = False
    until_cleanup: bool = False

    @property
    def where(self) -> str:
        """File and line of the query."""
        return f"{self.path}:{self.line}"


def load(directory: Path) -> tuple[CheckFile, ...]:
    """Every *.sql file of a directory, by name; UsageError with file, line and reason."""
    try:
        files = sorted(file for file in directory.iterdir() if _takes_part(file))
    except OSError as error:
        raise UsageError(
            f"the checks cannot be read: {error.strerror}", where=str(directory)
        ) from None
    return distinct(read(file) for file in files)


def distinct(checks: Iterable[CheckFile]) -> tuple[CheckFile, ...]:
    """The checks, none of whose ids stands twice: an id names one check for good."""
    seen: dict[str, CheckFile] = {}
    for check in checks:
        if check.id in seen:
            raise UsageError(
                f"id {check.id!r} is taken by {seen[check.id].path.name}",
                where=f"{check.path}:1",
                hint="give each check an id of its own",
            )
        seen[check.id] = check
    return tuple(seen.values())


def _takes_part(file: Path) -> bool:
    if file.name.startswith(".") or file.suffix == ".md" or file.is_dir():
        return False
    if file.suffix != ".sql":
        raise UsageError("is not a check file", where=str(file), hint="checks are .sql files")
    return True


def read(path: Path) -> CheckFile:
    """Read one check file; UsageError with file, line and reason."""
    raw, text = script.source(path)
    words = _words(path, text)
    for key in NEEDED:
        if not words.get(key):
            raise UsageError(f"has no header {key!r}", where=f"{path}:1")
    statement = _one_query(path, text)
    columns = _columns(statement.text)
    if columns is not None and "key" not in columns:
        raise UsageError(
            "the query gives no column named key",
            where=f"{path}:{statement.line}",
            hint="name what identifies a wrong row: select id as key, …",
        )
    return CheckFile(
        path=path,
        id=_matching(path, words, "id", ID, "words with dots, such as orders.state.unknown"),
        severity=_severity(path, words),
        message=words["message"][0][1],
        sql=statement.text,
        line=statement.line,
        sha256=hashlib.sha256(raw).hexdigest(),
        relation=_relation(path, words),
        hint=" ".join(value for _, value in words.get("hint", [])),
        cleanup=_cleanup(path, words),
        tolerate=_percent(path, words),
        has_detail=columns is None or "detail" in columns,
        until_cleanup=_until_cleanup(path, words),
    )


Words = dict[str, list[tuple[int, str]]]


def _words(path: Path, text: str) -> Words:
    """Header words with their lines; the header ends with the first line that is no comment."""
    words: Words = {}
    for number, key, given in header_lines(text):
        where = f"{path}:{number}"
        if key not in KNOWN:
            raise UsageError(
                f"unknown header {key!r}", where=where, hint=f"known are {', '.join(KNOWN)}"
            )
        if key in words and key not in REPEATED:
            raise UsageError(f"header {key!r} is given twice", where=where)
        value = given if key == "clean-up" else given.strip()
        if not value.strip():
            raise UsageError(f"header {key!r} says nothing", where=where)
        words.setdefault(key, []).append((number, value))
    return words


def _one_query(path: Path, text: str) -> Any:
    found = script.statements(path, text, "transaction")
    if len(found) != 1:
        line = found[1].line if found else 1
        raise UsageError(
            f"holds {len(found)} statements; a check is one query", where=f"{path}:{line}"
        )
    node: Any = parse_sql(found[0].text)[0].stmt
    if not isinstance(node, ast.SelectStmt) or node.intoClause or node.lockingClause:
        raise UsageError(
            "is not a query that only reads",
            where=f"{path}:{found[0].line}",
            hint="a check is a SELECT without INTO and FOR UPDATE",
        )
    return found[0]


def _columns(query: str) -> set[str] | None:
    """The names of the query's columns, or None when a star hides them."""
    node: Any = parse_sql(query)[0].stmt
    while node.larg is not None:
        node = node.larg
    names = set()
    for target in node.targetList or ():
        fields: Any = getattr(target.val, "fields", None)  # of a plain column
        last = fields[-1] if fields else None
        if target.name is None and isinstance(last, ast.A_Star):
            return None
        names.add(target.name or str(getattr(last, "sval", "")))
    return names


def _matching(path: Path, words: Words, key: str, pattern: re.Pattern[str], like: str) -> str:
    line, value = words[key][0]
    if not pattern.fullmatch(value):
        raise UsageError(f"{key} is {like}, not {value!r}", where=f"{path}:{line}")
    return value


def _severity(path: Path, words: Words) -> Severity:
    line, value = words["severity"][0]
    for severity in SEVERITIES:
        if value == severity:
            return severity
    raise UsageError(
        f"unknown severity {value!r}",
        where=f"{path}:{line}",
        hint=f"severities are {', '.join(SEVERITIES)}",
    )


def _relation(path: Path, words: Words) -> str | None:
    if "relation" not in words:
        return None
    line, value = words["relation"][0]
    try:
        select: Any = parse_sql(f"TABLE {value}")[0].stmt
        node = select.fromClause[0]
        if node.schemaname and not node.catalogname:
            return f"{_quoted(node.schemaname)}.{_quoted(node.relname)}"
    except (ParseError, AttributeError, TypeError, IndexError):
        pass
    raise UsageError(
        f"relation is a schema and a name such as shop.orders, not {value!r}",
        where=f"{path}:{line}",
    )


def _until_cleanup(path: Path, words: Words) -> bool:
    if "until" not in words:
        return False
    line, value = words["until"][0]
    if value != CLEANUP:
        raise UsageError(f"until is {CLEANUP}, not {value!r}", where=f"{path}:{line}")
    return True


def _quoted(name: str) -> str:
    return name if PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _cleanup(path: Path, words: Words) -> str:
    lines = words.get("clean-up", [])
    text = "\n".join(value for _, value in lines)
    try:
        parse_sql(text)
    except ParseError as error:
        raise UsageError(
            f"the clean-up is not SQL: {error.args[0]}", where=f"{path}:{lines[0][0]}"
        ) from None
    return text


def _percent(path: Path, words: Words) -> float:
    if "tolerate" not in words:
        return 0.0
    line, value = words["tolerate"][0]
    match = PERCENT.fullmatch(value)
    if not match or float(match[1]) > 100:
        raise UsageError(
            f"tolerate is a share of the rows such as 0.5%, not {value!r}",
            where=f"{path}:{line}",
        )
    if "relation" not in words:
        raise UsageError("tolerate needs a header 'relation'", where=f"{path}:{line}")
    return float(match[1])
