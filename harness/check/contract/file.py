"""A contract: what a client asks of the old schema, one query a file, in `read/` and `write/`.

Comments at the top say what the query is for (`about`), which roles run it (`roles`; unless said,
those of `contract.toml`, else `roles.application` of the project file), where the
values of its parameters come from (`param: name = query`, asked before the migration), and what is
known to differ after it (`differs: SQLSTATE why`). Several statements are one transaction; they end
with the first that fails. A `%` is written `%%`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pglast import parse_sql
from pglast.parser import ParseError

from harness.check.contract.session import Actor
from harness.check.contract.settings import contract_settings
from harness.core.errors import UsageError
from harness.plan import script
from harness.plan.header import header_lines

Kind = Literal["read", "write"]
KINDS: Final[tuple[Kind, ...]] = ("read", "write")
KNOWN: Final = ("about", "roles", "param", "differs")
PARAMETER: Final = re.compile(r"%(?:\((\w+)\)s|(.))", re.DOTALL)
COMMENT: Final = re.compile(r"\s+|--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/")
DIFFERS: Final = re.compile(r"([0-9A-Z]{5}) (\S.*)")


@dataclass(frozen=True)
class ContractQuery:
    """One query of a contract: its statements, a query for each parameter, where each stands."""

    name: str
    kind: Kind
    about: str
    roles: tuple[str, ...]
    params: dict[str, str]
    statements: tuple[str, ...]
    path: Path = field(default_factory=Path)
    lines: tuple[int, ...] = ()
    differs: str | None = None
    """The SQLSTATE that ends it after the migration, whatever it did before: a known difference."""
    because: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)
    """Settings that the API makes for a role; {role} stands for its name."""

    def actor(self, role: str) -> Actor:
        """Who asks the query as this role."""
        claims = {name: text.replace("{role}", role) for name, text in self.claims.items()}
        return Actor(role, claims)

    def where(self, statement: int = 0) -> str:
        """File and line of a statement."""
        line = self.lines[min(statement, len(self.lines) - 1)] if self.lines else 1
        return f"{self.path}:{line}"


def load(directory: Path, kind: Kind) -> tuple[ContractQuery, ...]:
    """Every query of a kind, by name; UsageError with file, line and reason."""
    return tuple(read(path, kind) for path in sorted((directory / kind).glob("*.sql")))


def load_all(directory: Path) -> tuple[ContractQuery, ...]:
    """Reads, then writes; a directory without a query is a mistake."""
    found = tuple(query for kind in KINDS for query in load(directory, kind))
    if not found:
        raise UsageError(
            "holds no query", where=str(directory), hint="write read/*.sql and write/*.sql"
        )
    return found


def read(path: Path, kind: Kind) -> ContractQuery:
    """Read one file; UsageError with file, line and reason."""
    settings = contract_settings(path.parent.parent)
    _, text = script.source(path)
    words: dict[str, str] = {}
    params: dict[str, str] = {}
    for number, key, value in header_lines(text, blanks=True):
        _take(key, value.strip(), words, params, f"{path}:{number}")
    if not words.get("about"):
        raise UsageError("has no header 'about'", where=f"{path}:1")
    statements, lines = _statements(path, text, params)
    state, because = _differs(path, words)
    return ContractQuery(
        name=path.stem,
        kind=kind,
        about=words["about"],
        roles=tuple(words.get("roles", "").split()) or settings.roles,
        params=params,
        statements=statements,
        path=path,
        lines=lines,
        differs=state,
        because=because,
        claims=settings.claims,
    )


def _take(key: str, value: str, words: dict[str, str], params: dict[str, str], where: str) -> None:
    if key not in KNOWN:
        hint = f"known are {', '.join(KNOWN)}"
        raise UsageError(f"unknown header {key!r}", where=where, hint=hint)
    if key != "param":
        words[key] = value
        return
    name, equals, query = value.partition(" = ")
    if not equals:
        raise UsageError("a parameter is written: param: name = query", where=where)
    params[name] = query


def _differs(path: Path, words: dict[str, str]) -> tuple[str | None, str]:
    if "differs" not in words:
        return None, ""
    match = DIFFERS.fullmatch(words["differs"])
    if not match:
        raise UsageError("a known difference is written: differs: SQLSTATE why", where=f"{path}:1")
    return match[1], match[2]


def _statements(
    path: Path, text: str, params: dict[str, str]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    parsed = without_parameters(path, text, params)
    try:
        found = parse_sql(parsed)
    except ParseError as error:
        place = error.args[1] if len(error.args) > 1 else len(text.rstrip())
        line = text.count("\n", 0, place or 0) + 1
        raise UsageError(f"{error.args[0]} (SQLSTATE 42601)", where=f"{path}:{line}") from None
    statements, lines = [], []
    for raw in found:
        start = raw.stmt_location or 0
        end = start + (raw.stmt_len or len(text) - start)
        while match := COMMENT.match(parsed, start, end):
            start = match.end()
        statements.append(text[start:end].rstrip())
        lines.append(text.count("\n", 0, start) + 1)
    if not statements:
        raise UsageError("holds no statement", where=f"{path}:1")
    return tuple(statements), tuple(lines)


def without_parameters(path: Path, text: str, params: Mapping[str, str], above: int = 0) -> str:
    """The same text, character for character as long, as the parser reads it.

    `above` lines stand before it in its file. Raises UsageError, with the line, for a parameter
    without a header and a % that is none.
    """

    def replace(match: re.Match[str]) -> str:
        where = f"{path}:{above + text.count(chr(10), 0, match.start()) + 1}"
        if match[1]:
            if match[1] not in params:
                raise UsageError(f"parameter {match[1]!r} has no header 'param'", where=where)
            return "$1".ljust(len(match[0]))
        if match[2] != "%":
            raise UsageError("a % that is no parameter is written %%", where=where)
        return "% "

    # headers are comments, and their queries are asked without parameters
    return PARAMETER.sub(replace, re.sub(r"^--.*$", lambda m: "-" * len(m[0]), text, flags=re.M))
