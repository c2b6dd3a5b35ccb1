"""Names and texts in SQL at a byte position, as they are spelled there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from harness.artifact.sql.keywords import RESERVED

_NAME: Final = re.compile(rb'"(?:[^"]|"")+"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*', re.ASCII)
_TEXT: Final = re.compile(rb"(?:[Ee]?)'((?:[^']|'')*)'")
_GAP: Final = re.compile(rb"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_BARE: Final = re.compile(r"[a-z_][a-z0-9_]*")


class UnreadToken(Exception):  # noqa: N818 - reads as what happened
    """The text at a position is spelled in a way that is not read here."""


@dataclass(frozen=True)
class Token:
    """Where a name or a text stands, in bytes, and how it is spelled."""

    start: int
    end: int
    spelled: bytes


def name_at(text: bytes, start: int) -> Token:
    """The name that begins here. Raises UnreadToken for another spelling, such as U&"…"."""
    if text[start : start + 2].upper() == b"U&":
        raise UnreadToken("a name spelled U&")
    match = _NAME.match(text, start)
    if match is None:
        raise UnreadToken("no plain name")
    return Token(start, match.end(), match[0])


def names_at(text: bytes, start: int, count: int) -> list[Token]:
    """So many names with dots between them, whatever blanks and comments lie there."""
    found = [name_at(text, start)]
    while len(found) < count:
        dot = skip_gap(text, found[-1].end)
        if text[dot : dot + 1] != b".":
            raise UnreadToken("no dot after a name")
        found.append(name_at(text, skip_gap(text, dot + 1)))
    return found


def skip_gap(text: bytes, start: int) -> int:
    """The position behind blanks and comments."""
    match = _GAP.match(text, start)
    return match.end() if match else start


def text_at(text: bytes, start: int, value: str) -> Token:
    """The string constant that begins here and means `value`; the token is what is in the quotes.

    Raises UnreadToken for what is not spelled as it is meant: dollar quotes, escapes, U&.
    """
    match = _TEXT.match(text, start)
    if match is None or match[1].replace(b"''", b"'") != value.encode():
        raise UnreadToken("a text in another spelling than '…'")
    return Token(match.start(1), match.end(1), match[1])


def spell_like(old: bytes, new: str) -> bytes:
    """A name in the style of another one: quoted where that was, or where it must be."""
    if old.startswith(b'"') or not _BARE.fullmatch(new) or new in RESERVED:
        return ('"' + new.replace('"', '""') + '"').encode()
    style = old.decode("utf-8", "replace")
    if len(style) > 1 and style.isupper():
        return new.upper().encode()
    if style[:1].isupper() and style[1:] == style[1:].lower():
        return (new[:1].upper() + new[1:]).encode()
    return new.encode()
