"""Read one SQL file: header comments, statements and their lines, and where its syntax breaks."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pglast import parse_sql
from pglast.parser import ParseError, scan

from harness.core.errors import UsageError
from harness.plan.header import DURATION, Header, read_header
from harness.plan.model import KINDS, MOST_WORKERS, CopyRows, Kind, Script, Statement
from harness.plan.reader import LONGEST, UNITS

SHOWN = 90
PSQL = {
    "\\": "psql's own commands are not known here",
    ":": "psql's variables are not known here; read current_setting('harness.NAME')",
}
NONE: Mapping[int, CopyRows] = MappingProxyType({})
PLACEHOLDER = re.compile(r"%(?:\((\w*)\)s|(.)|$)", re.DOTALL)


def read(path: Path, root: Path) -> Script:
    """Read and parse one script; UsageError names file, line and reason when it cannot be."""
    raw, text = source(path)
    return of(path, root, text, hashlib.sha256(raw).hexdigest(), text)


def of(
    path: Path, root: Path, text: str, sha256: str, plain: str, rows: Mapping[int, CopyRows] = NONE
) -> Script:
    """The script of a text; `plain` is its SQL alone, as long and with the same lines.

    `rows` is what statements of COPY send, by the place where the statement ends.
    """
    header = read_header(path, text)
    _refuse_undeclarable(header)
    kind = _kind(header)
    return Script(
        path=path,
        name=path.relative_to(root).as_posix(),
        kind=kind,
        statements=statements(path, plain, kind, rows),
        sha256=sha256,
        summary=header.values.get("summary", ""),
        nothing=header.values.get("nothing"),
        irreversible=header.values.get("irreversible"),
        stays=header.values.get("stays"),
        table=header.values.get("table"),
        key=header.values.get("key"),
        batch=_batch(header),
        lock_timeout=_duration(header, "lock_timeout"),
        statement_timeout=_duration(header, "statement_timeout"),
        max_wait=_seconds(header, "max_wait"),
        duty=_duty(header, kind),
        batch_workers=_batch_workers(header, kind),
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


def _refuse_undeclarable(header: Header) -> None:
    """What a way back leaves is declared in its own file, with a reason, or not at all."""
    for key in ("irreversible", "stays"):
        if key in header.values and (found := _undeclarable(header, key)):
            raise UsageError(found[0], where=header.where(key), hint=found[1])


def _undeclarable(header: Header, key: str) -> tuple[str, str] | None:
    if not header.values[key]:
        return f"{key} needs words", "say why, and what stays"
    if not header.path.name.endswith(".rollback.sql"):
        return f"header {key!r} belongs to a rollback file", "declare it in the step's way back"
    if "nothing" in header.values:
        return f"headers 'nothing' and {key!r} exclude each other", "say one of them"
    if "irreversible" not in header.values:
        return "header 'stays' without a header 'irreversible'", "say why: irreversible: …"
    return None


def _kind(header: Header) -> Kind:
    value = header.values.get("kind", "transaction")
    for kind in KINDS:
        if value == kind:
            return kind
    raise UsageError(
        f"unknown kind {value!r}", where=header.where("kind"), hint=f"kinds are {', '.join(KINDS)}"
    )


def _batch(header: Header) -> int | None:
    value = header.values.get("batch")
    if value is None:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise UsageError(f"batch is a number of rows, not {value!r}", where=header.where("batch"))
    return int(value)


def _duration(header: Header, key: str) -> str | None:
    value = header.values.get(key)
    if value is not None and not DURATION.match(value):
        raise UsageError(
            f"{key} is a time such as 2s or 500ms, not {value!r}", where=header.where(key)
        )
    if value is not None:
        _refuse_unbounded(key, value, header.where(key))
    return value


def _duty(header: Header, kind: Kind) -> int:
    value = header.values.get("duty")
    if value is None:
        return 100
    found = re.fullmatch(r"(\d{1,3}) ?%", value)
    if kind != "batch" or found is None or not 1 <= int(found[1]) <= 100:
        raise UsageError(
            f"duty is the share of its time that a batch step works, from 1% to 100%, not {value!r}"
            + ("" if kind == "batch" else f" in a {kind} script"),
            where=header.where("duty"),
        )
    return int(found[1])


def _batch_workers(header: Header, kind: Kind) -> int | None:
    value = header.values.get("batch_workers")
    if value is None:
        return None
    known = value.isascii() and value.isdecimal() and len(value) <= len(str(MOST_WORKERS))
    if kind != "batch" or not known or not 1 <= int(value) <= MOST_WORKERS:
        raise UsageError(
            f"batch_workers is how many may share a batch step, from 1 to {MOST_WORKERS},"
            f" not {value!r}" + ("" if kind == "batch" else f" in a {kind} script"),
            where=header.where("batch_workers"),
        )
    return int(value)


def _seconds(header: Header, key: str) -> float | None:
    value = _duration(header, key)
    found = DURATION.match(value) if value is not None else None
    return float(found[1]) * UNITS[found[2] or "ms"] if found is not None else None


def _refuse_unbounded(key: str, value: str, where: str) -> None:
    """Postgres takes less than a millisecond for no limit, and no more than a signed integer."""
    found = DURATION.match(value)
    assert found is not None, "its form was looked at"
    number = float(found[1]) * UNITS[found[2] or "ms"]
    if key == "lock_timeout" and number < UNITS["ms"]:
        raise UsageError(
            "lock_timeout cannot be 0: no lock is waited for without a bound", where=where
        )
    if number > LONGEST or 0 < number < UNITS["ms"]:
        raise UsageError(f"{key} is from 1ms to 24 days, not {value!r}", where=where)


def statements(
    path: Path, text: str, kind: Kind, rows: Mapping[int, CopyRows] = NONE
) -> tuple[Statement, ...]:
    """The statements of a text with their lines; UsageError where its syntax breaks."""
    text = _with_comments_doubled(text) if kind == "batch" else text
    parsed = _without_placeholders(path, text) if kind == "batch" else text
    try:
        found = parse_sql(parsed)
    except ParseError as error:
        raise _syntax_error(path, text, error) from None
    made = []
    breaks = [match.start() for match in re.finditer("\n", text)]
    for raw in found:
        start = raw.stmt_location or 0
        length = raw.stmt_len or len(text) - start
        body = _without_leading_comments(parsed, start, start + length)
        made.append(
            Statement(
                text=text[body : start + length].rstrip(),
                line=bisect_left(breaks, body) + 1,
                tag=type(raw.stmt).__name__,
                rows=rows.get(start + length),
            )
        )
    return tuple(made)


BETWEEN = re.compile(r"\s+|--[^\n]*|;")
BLOCK = re.compile(r"/\*|\*/")


def _without_leading_comments(text: str, start: int, end: int) -> int:
    """Where the statement's first word is: the parser's slice may begin with comments."""
    while start < end:
        match = BETWEEN.match(text, start, end)
        if match:
            start = match.end()
        elif text.startswith("/*", start):
            start = _block_end(text, start, end)
        else:
            break
    return start


def _block_end(text: str, start: int, end: int) -> int:
    """Where a block comment ends; they may stand within each other."""
    depth = 0
    for match in BLOCK.finditer(text, start, end):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return end


def _with_comments_doubled(text: str) -> str:
    """The text with each % of a comment written twice: whoever sends it takes one for a sign."""
    try:
        comments = [token for token in scan(text) if "COMMENT" in token.name]
    except ParseError:  # a string or comment without an end: the parser says where
        return text
    for token in reversed(comments):
        comment = text[token.start : token.end + 1]
        text = text[: token.start] + comment.replace("%", "%%") + text[token.end + 1 :]
    return text


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
    reason = " ".join(str(error.args[0]).split())
    if len(reason) > SHOWN:  # what is not terminated is quoted to its end
        reason = f'{reason[:SHOWN].rstrip()}…"'
    position = error.args[1] if len(error.args) > 1 else None
    end = len(text.rstrip()) if position is None else position
    line = text.count("\n", 0, end) + 1
    return UsageError(
        f"{reason} (SQLSTATE 42601)", where=f"{path}:{line}", hint=PSQL.get(text[end : end + 1])
    )
