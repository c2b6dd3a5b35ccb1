"""Grafana's variables and macros in SQL: masked for the parser, expanded for the server.

The expansion is that of Grafana's own Postgres data source, with its error at the first closing
parenthesis: `$__timeFilter(coalesce(a, b))` is cut there, and so it is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from harness.artifact.sql.mask import Masked, Variable

VARIABLE: Final = re.compile(
    rb"\$(\w+)|\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}|\[\[(\w+?)(?::(\w+))?\]\]", re.ASCII
)
_MACRO: Final = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_CALL: Final = re.compile(rb"\$(__\w+)\(")
_INTERVAL: Final = re.compile(rb"(,\s*)(\d+\w+)")
_WORD: Final = re.compile(rb"[\w$\x80-\xff]", re.ASCII)
FROM, TO = "1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
FROM_SECONDS, TO_SECONDS = 0, 4102444800
"""The range of time for which queries are run: everything."""
_NANO: Final = "000000000"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}


class UnexpandedText(Exception):  # noqa: N818 - reads as what happened
    """Grafana would refuse this text, or nobody knows a value that it needs; why, and where."""

    def __init__(self, reason: str, position: int = 0) -> None:
        super().__init__(reason)
        self.position = position


def mask_grafana(text: str) -> Masked:
    """The text with every variable and macro masked by as many bytes.

    Raises UnexpandedText for what Grafana cuts, and for a variable that is glued to a word.
    """
    source = text.encode()
    parsed = bytearray(source)
    for match in _CALL.finditer(source):
        parsed[match.start() : match.start() + 1] = b"v"
        _refuse_cut(source, match)
        end = source.find(b")", match.end())
        for interval in _INTERVAL.finditer(source, match.end(), end):
            first, last = interval.span(2)
            parsed[first:last] = b"1" * (last - first)
    variables = []
    for match in VARIABLE.finditer(bytes(parsed)):
        _refuse_glued(source, match.start(), match.end())
        name = next(part for part in (match[1], match[2], match[4]) if part).decode()
        parsed[match.start() : match.end()] = b"v" * (match.end() - match.start())
        variables.append(Variable(match.start(), match.end(), name))
    return Masked(source, bytes(parsed), tuple(variables))


def _refuse_cut(source: bytes, match: re.Match[bytes]) -> None:
    end = source.find(b")", match.end())
    inner = source[match.end() : end if end >= 0 else None]
    if end < 0 or b"(" in inner:
        raise UnexpandedText(
            f"Grafana cuts ${match[1].decode()}(…) at the first closing parenthesis; give it a"
            " plain column",
            match.start(),
        )


def _refuse_glued(source: bytes, start: int, end: int) -> None:
    quoted = source[:start].count(b"'") % 2 == 1
    for place in (start - 1, end):
        near = source[place : place + 1] if place >= 0 else b""
        if near and _WORD.fullmatch(near) and not quoted:
            raise UnexpandedText("a template variable is glued to a word", start)


def expand_grafana(text: str, values: Mapping[str, Sequence[str]]) -> str:
    """The SQL that Grafana sends, over all of time, with these values of the variables.

    Raises UnexpandedText for an unknown macro, and for a variable without a value.
    """

    def variable(match: re.Match[bytes]) -> bytes:
        name, style = _named(match)
        if name.startswith("__") and name not in values:
            return _global(name, match[0]).encode()
        if name not in values:
            raise UnexpandedText(f"the variable {name!r} has no value", match.start())
        quoted = match.string[: match.start()].count(b"'") % 2 == 1
        return _formatted(values[name], style, quoted).encode()

    filled = VARIABLE.sub(variable, text.encode()).decode()
    return _MACRO.sub(lambda match: _macro(filled, match), filled)


def _named(match: re.Match[bytes]) -> tuple[str, str]:
    name = next(part for part in (match[1], match[2], match[4]) if part)
    return name.decode(), (match[3] or match[5] or b"").decode()


def _global(name: str, whole: bytes) -> str:
    known = {"__interval": "1h", "__interval_ms": "3600000", "__range_s": str(TO_SECONDS)}
    known |= {"__from": str(FROM_SECONDS * 1000), "__to": str(TO_SECONDS * 1000)}
    return known.get(name, whole.decode())


def _formatted(values: Sequence[str], style: str, quoted: bool) -> str:
    """Values in a format of Grafana's; without one as its Postgres data source writes them."""
    escaped = [value.replace("'", "''") for value in values]
    if style in ("csv", "raw", "text", "glob"):
        return ",".join(values)
    if style == "pipe":
        return "|".join(values)
    if style in ("singlequote", "sqlstring") or (not style and len(values) > 1):
        return ",".join(f"'{value}'" for value in escaped)
    if style == "doublequote":
        return ",".join(f'"{value}"' for value in values)
    if style == "regex":
        joined = "|".join(re.escape(value) for value in values)
        return f"({joined})" if len(values) > 1 else joined
    if style:
        raise UnexpandedText(f"the format {style!r} of a variable is not known")
    return escaped[0] if quoted and escaped else (values[0] if values else "")


def _macro(whole: str, match: re.Match[str]) -> str:
    name, arguments = match[1], [part.strip(" ") for part in match[2].split(",")]
    if not name.startswith("__"):
        return match[0]
    if name == "__timeGroup" and whole[match.end() : match.end() + 1] == ",":
        name = "__timeGroupAlias"  # as Grafana does, for queries of before its version 5.3
    if name in _GROUPS:
        return _GROUPS[name](arguments)
    if name not in _MACROS:
        raise UnexpandedText(f"unknown macro {name!r}", len(whole[: match.start()].encode()))
    if "{0}" in _MACROS[name] and not arguments[0]:
        raise UnexpandedText(f"missing time column argument for macro {name}")
    return _MACROS[name].replace("{0}", arguments[0])


def _seconds(arguments: Sequence[str]) -> int:
    if len(arguments) < 2:
        raise UnexpandedText("a time group needs a time column and an interval")
    text = arguments[1].strip("'\"")
    match = re.fullmatch(r"(\d+)([smhdwMy])", text)
    if match is None:
        raise UnexpandedText(f"error parsing interval {text!r}")
    return int(match[1]) * _UNITS[match[2]]


def _group(arguments: Sequence[str]) -> str:
    size = _seconds(arguments)
    return f"floor(extract(epoch from {arguments[0]})/{size})*{size}"


def _unix_group(arguments: Sequence[str]) -> str:
    size = _seconds(arguments)
    return f"floor(({arguments[0]})/{size})*{size}"


_GROUPS: Final[Mapping[str, Callable[[Sequence[str]], str]]] = {
    "__timeGroup": _group,
    "__timeGroupAlias": lambda arguments: f'{_group(arguments)} AS "time"',
    "__unixEpochGroup": _unix_group,
    "__unixEpochGroupAlias": lambda arguments: f'{_unix_group(arguments)} AS "time"',
}
_MACROS: Final = {
    "__time": '{0} AS "time"',
    "__timeEpoch": 'extract(epoch from {0}) as "time"',
    "__timeFilter": f"{{0}} BETWEEN '{FROM}' AND '{TO}'",
    "__timeFrom": f"'{FROM}'",
    "__timeTo": f"'{TO}'",
    "__unixEpochFilter": f"{{0}} >= {FROM_SECONDS} AND {{0}} <= {TO_SECONDS}",
    "__unixEpochNanoFilter": f"{{0}} >= {FROM_SECONDS} AND {{0}} <= {TO_SECONDS}{_NANO}",
    "__unixEpochFrom": str(FROM_SECONDS),
    "__unixEpochTo": str(TO_SECONDS),
    "__unixEpochNanoFrom": str(FROM_SECONDS),
    "__unixEpochNanoTo": f"{TO_SECONDS}{_NANO}",
}
