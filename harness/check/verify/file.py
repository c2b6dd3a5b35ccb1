"""Two kinds of files beside the check files of verify: rows to compare, and trials to make.

`checks/verify/rows/*.sql` holds two queries: what the rows must have become, asked of the old
schema, and what they are. The first column is the key. `checks/verify/trials/*.sql` holds
statements that are made on the migrated database and taken back; the last is a query that names
what is wrong (`key`, and `detail` if it likes), or the header `refused` says with which SQLSTATE
the last statement must fail. A trial gives the ids of its rows itself, so that no sequence moves.
The header `until: cleanup` says that a file needs what the clean-up drops.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.check.checkfile import CLEANUP
from harness.core.errors import UsageError
from harness.core.finding import Severity
from harness.plan import script
from harness.plan.header import header_lines
from harness.plan.model import Statement

ID: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
SQLSTATE: Final = re.compile(r"[0-9A-Z]{5}( [0-9A-Z]{5})*")
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")


@dataclass(frozen=True)
class ComparedRows:
    """What every row of a relation must have become, and what it is."""

    path: Path
    id: str
    severity: Severity
    relation: str
    message: str
    hint: str
    expected: Statement
    found: Statement
    samples: bool
    until_cleanup: bool


@dataclass(frozen=True)
class Trial:
    """Statements that are made and taken back, and how the last of them must end."""

    path: Path
    id: str
    severity: Severity
    message: str
    hint: str
    statements: tuple[Statement, ...]
    refused: tuple[str, ...]
    until_cleanup: bool


def rows(directory: Path) -> tuple[ComparedRows, ...]:
    """Every file of rows; none where there is no directory. UsageError with file and line."""
    return tuple(_rows(path) for path in _files(directory))


def trials(directory: Path) -> tuple[Trial, ...]:
    """Every trial; none where there is no directory. UsageError with file and line."""
    return tuple(_trial(path) for path in _files(directory))


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.sql")) if directory.is_dir() else []


def _rows(path: Path) -> ComparedRows:
    words, statements = _read(path, {"relation", "samples"}, ("relation",))
    if len(statements) != 2:
        raise UsageError(
            f"holds {len(statements)} statements; rows are compared by two queries",
            where=f"{path}:{statements[-1].line if statements else 1}",
            hint="what the rows must have become, asked of the old schema; then what they are",
        )
    for statement in statements:
        _only_reads(path, statement)
    return ComparedRows(
        path,
        words["id"],
        _severity(path, words),
        words["relation"],
        words["message"],
        words.get("hint", ""),
        *statements,
        samples=words.get("samples", "yes") != "no",
        until_cleanup=_until_cleanup(path, words),
    )


def _trial(path: Path) -> Trial:
    words, statements = _read(path, {"refused"}, ())
    refused = words.get("refused", "")
    if refused and not SQLSTATE.fullmatch(refused):
        raise UsageError(
            f"refused is an SQLSTATE such as 23514, not {refused!r}", where=f"{path}:1"
        )
    if not statements:
        raise UsageError("holds no statement", where=f"{path}:1")
    if not refused:
        _only_reads(path, statements[-1])
    return Trial(
        path,
        words["id"],
        _severity(path, words),
        words["message"],
        words.get("hint", ""),
        statements,
        tuple(refused.split()),
        _until_cleanup(path, words),
    )


def _read(
    path: Path, more: set[str], needed: tuple[str, ...]
) -> tuple[dict[str, str], tuple[Statement, ...]]:
    _, text = script.source(path)
    known = {"id", "severity", "message", "hint", "until", *more}
    words: dict[str, str] = {}
    for number, key, value in header_lines(text):
        if key not in known:
            raise UsageError(
                f"unknown header {key!r}",
                where=f"{path}:{number}",
                hint=f"known are {', '.join(sorted(known))}",
            )
        words[key] = f"{words[key]} {value}" if key in words else value
    for key in ("id", "severity", "message", *needed):
        if not words.get(key):
            raise UsageError(f"has no header {key!r}", where=f"{path}:1")
    if not ID.fullmatch(words["id"]):
        raise UsageError(f"id is words with dots, not {words['id']!r}", where=f"{path}:1")
    return words, script.statements(path, text, "transaction")


def _until_cleanup(path: Path, words: dict[str, str]) -> bool:
    if words.get("until", CLEANUP) != CLEANUP:
        raise UsageError(f"until is {CLEANUP}, not {words['until']!r}", where=f"{path}:1")
    return "until" in words


def _severity(path: Path, words: dict[str, str]) -> Severity:
    for severity in SEVERITIES:
        if words["severity"] == severity:
            return severity
    raise UsageError(f"unknown severity {words['severity']!r}", where=f"{path}:1")


def _only_reads(path: Path, statement: Statement) -> None:
    if statement.tag != "SelectStmt":
        raise UsageError("is not a query", where=f"{path}:{statement.line}")
