"""Read one SQL file: header comments, statements and their lines, and where its syntax breaks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from pglast import parse_sql
from pglast.parser import ParseError

from harness.errors import UsageError
from harness.plan.model import KINDS, Kind, Script, Statement

HEADER = re.compile(r"^--\s*([a-z_]+):\s*(.*?)\s*$")
PLACEHOLDER = re.compile(r"%(?:\((\w*)\)s|(.)|$)", re.DOTALL)
DURATION = re.compile(r"^\d+(\.\d+)?\s*(us|ms|s|min|h)?$")
SETTING = re.compile(r"^([A-Za-z_][\w.]*)\s*=\s*(.+)$")
ONCE = {
    "kind",
    "summary",
    "nothing",
    "irreversible",
    "stays",
    "table",
    "key",
    "batch",
    "lock_timeout",
    "statement_timeout",
}


@dataclass
class _Header:
    path: Path
    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    settings: list[tuple[str, str]] = field(default_factory=list)

    def take(self, key: str, value: str, line: int) -> None:
        """Record one header line, or refuse it with file and line."""
        where = f"{self.path}:{line}"
        if key == "set":
            match = SETTING.match(value)
            if not match:
                raise UsageError(f"cannot read set: {value!r}", where=where, hint="name=value")
            self.settings.append((match[1], match[2]))
        elif key not in ONCE:
            known = ", ".join(sorted(ONCE | {"set"}))
            raise UsageError(f"unknown header {key!r}", where=where, hint=f"known are {known}")
        elif key in self.values:
            raise UsageError(f"header {key!r} is given twice", where=where)
        else:
            self.values[key] = value
            self.lines[key] = line

    def where(self, key: str) -> str:
        """File and line of a header, or of the file's start when it is not given."""
        return f"{self.path}:{self.lines.get(key, 1)}"


def read(path: Path, root: Path) -> Script:
    """Read and parse one script; UsageError names file, line and reason when it cannot be."""
    raw, text = source(path)
    header = _header(path, text)
    _refuse_undeclarable(header)
    kind = _kind(header)
    return Script(
        path=path,
        name=path.relative_to(root).as_posix(),
        kind=kind,
        statements=statements(path, text, kind),
        sha256=hashlib.sha256(raw).hexdigest(),
        summary=header.values.get("summary", ""),
        nothing=header.values.get("nothing"),
        irreversible=header.values.get("irreversible"),
        stays=header.values.get("stays"),
        table=header.values.get("table"),
        key=header.values.get("key"),
        batch=_batch(header),
        lock_timeout=_duration(header, "lock_timeout"),
        statement_timeout=_duration(header, "statement_timeout"),
        settings=tuple(header.settings),
    )


def source(path: Path) -> tuple[bytes, str]:
    """The bytes and the text of an SQL file; UsageError when it is not readable text."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UsageError("is not valid UTF-8", where=f"{path}:{line}") from None
    if "\0" in text:
        raise UsageError("holds a NUL character", where=str(path))
    return raw, text


def _header(path: Path, text: str) -> _Header:
    header = _Header(path)
    over = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("--"):
            break
        match = HEADER.match(line)
        if not line.strip():
            over = True
        elif match and not over:
            header.take(match[1], match[2], number)
        elif match and match[1] in ONCE | {"set"}:
            raise UsageError(
                f"header {match[1]!r} stands after a blank line",
                where=f"{path}:{number}",
                hint="header lines come first, without a gap",
            )
    return header


def _refuse_undeclarable(header: _Header) -> None:
    """What a way back leaves is declared in its own file, with a reason, or not at all."""
    for key in ("irreversible", "stays"):
        if key in header.values and (found := _undeclarable(header, key)):
            raise UsageError(found[0], where=header.where(key), hint=found[1])


def _undeclarable(header: _Header, key: str) -> tuple[str, str] | None:
    if not header.values[key]:
        return f"{key} needs words", "say why, and what stays"
    if not header.path.name.endswith(".rollback.sql"):
        return f"header {key!r} belongs to a rollback file", "declare it in the step's way back"
    if "nothing" in header.values:
        return f"headers 'nothing' and {key!r} exclude each other", "say one of them"
    if "irreversible" not in header.values:
        return "header 'stays' without a header 'irreversible'", "say why: irreversible: …"
    return None


def _kind(header: _Header) -> Kind:
    value = header.values.get("kind", "transaction")
    for kind in KINDS:
        if value == kind:
            return kind
    raise UsageError(
        f"unknown kind {value!r}", where=header.where("kind"), hint=f"kinds are {', '.join(KINDS)}"
    )


def _batch(header: _Header) -> int | None:
    value = header.values.get("batch")
    if value is None:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise UsageError(f"batch is a number of rows, not {value!r}", where=header.where("batch"))
    return int(value)


def _duration(header: _Header, key: str) -> str | None:
    value = header.values.get(key)
    if value is not None and not DURATION.match(value):
        raise UsageError(
            f"{key} is a time such as 2s or 500ms, not {value!r}", where=header.where(key)
        )
    return value


def statements(path: Path, text: str, kind: Kind) -> tuple[Statement, ...]:
    """The statements of a text with their lines; UsageError where its syntax breaks."""
    parsed = _without_placeholders(path, text) if kind == "batch" else text
    try:
        found = parse_sql(parsed)
    except ParseError as error:
        raise _syntax_error(path, text, error) from None
    made = []
    for raw in found:
        start = raw.stmt_location or 0
        length = raw.stmt_len or len(text) - start
        body = _without_leading_comments(parsed, start, start + length)
        made.append(
            Statement(
                text=text[body : start + length].rstrip(),
                line=text.count("\n", 0, body) + 1,
                tag=type(raw.stmt).__name__,
            )
        )
    return tuple(made)


COMMENT = re.compile(r"\s+|--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/")


def _without_leading_comments(text: str, start: int, end: int) -> int:
    """Where the statement's first word is: the parser's slice may begin with comments."""
    while match := COMMENT.match(text, start, end):
        start = match.end()
    return start


def _without_placeholders(path: Path, text: str) -> str:
    """The same text, character for character as long, with placeholders Postgres can parse."""

    def replace(match: re.Match[str]) -> str:
        if match[1] in ("after", "upto"):
            return {"after": "$1", "upto": "$2"}[match[1]].ljust(len(match[0]))
        if match[2] == "%":
            return "% "
        line = text.count("\n", 0, match.start()) + 1
        raise UsageError(
            f"unknown placeholder {match[0]!r} in a batch script",
            where=f"{path}:{line}",
            hint="use %(after)s and %(upto)s, and write a literal % as %%",
        )

    return PLACEHOLDER.sub(replace, text)


def _syntax_error(path: Path, text: str, error: ParseError) -> UsageError:
    reason = str(error.args[0])
    position = error.args[1] if len(error.args) > 1 else None
    end = len(text.rstrip()) if position is None else position
    line = text.count("\n", 0, end) + 1
    return UsageError(f"{reason} (SQLSTATE 42601)", where=f"{path}:{line}")
