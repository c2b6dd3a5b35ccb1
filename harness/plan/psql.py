"""What psql reads beside SQL in a file that pg_dump wrote: data of COPY, and its own commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError
from harness.plan.model import CopyRows

TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*)
  | (?P<block>/\*)
  | (?P<quoted>\b[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*")
  | (?P<dollar>(?<![\w$])\$(?:[^\W\d]\w*)?\$)
  | (?P<end>;)
  | (?P<command>\\(?P<name>\S*)[^\n]*)
    """,
    re.VERBOSE | re.DOTALL,
)
BLOCK = re.compile(r"/\*|\*/")
COPY = re.compile(r"\s*COPY\b.*\bFROM\s+STDIN\b", re.IGNORECASE | re.DOTALL)
LAST = re.compile(r"^\\\.[ \t]*\r?$", re.MULTILINE)
HARMLESS = ("restrict", "unrestrict")
"""What pg_dump writes around a dump so that psql runs no command of the data."""
REFUSED = {
    "connect": "a baseline goes into the database that is named: dump without --create",
    "c": "a baseline goes into the database that is named: dump without --create",
    "i": "make each file a file of the baseline",
    "ir": "make each file a file of the baseline",
    "copy": "write the rows below COPY … FROM stdin, as pg_dump does",
    ".": "the rows of COPY end so, and no COPY … FROM stdin stands before it",
}


@dataclass(frozen=True)
class Plain:
    """A text with nothing but SQL, as long as the file's and with the same lines.

    `rows` is the data of each COPY … FROM stdin, by the place of the semicolon before it.
    """

    text: str
    rows: dict[int, CopyRows]


def plain(path: Path, text: str) -> Plain:
    """Take out what is not SQL; UsageError with file and line for what psql alone can do."""
    reader = _PsqlReader(path, text)
    reader.read()
    return Plain("".join(reader.parts), reader.rows)


class _PsqlReader:
    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text
        self.parts: list[str] = []
        self.rows: dict[int, CopyRows] = {}
        self._at = 0  # up to here the text was taken over
        self._begun = 0  # the statement at hand begins here, in parts joined

    def read(self) -> None:
        """Go through the whole text, token by token."""
        place = 0
        while match := TOKEN.search(self.text, place):
            place = match.end()
            if match["command"]:
                self._command(match)
            elif match["end"]:
                place = self._ended(place)
            elif match["block"] or match["dollar"]:
                place = self._closed(match)
        self._take(len(self.text))

    def _take(self, upto: int) -> None:
        self.parts.append(self.text[self._at : upto])
        self._at = upto

    def _blank(self, start: int, end: int) -> None:
        """Take over the text up to a part, and blanks for that part."""
        self._take(start)
        self.parts.append(re.sub(r"[^\n]", " ", self.text[start:end]))
        self._at = end

    def _closed(self, match: re.Match[str]) -> int:
        """Where a block comment or a dollar quote ends; the text's end when it does not."""
        if match["dollar"]:
            end = self.text.find(match[0], match.end())
            return len(self.text) if end < 0 else end + len(match[0])
        depth = 0
        for mark in BLOCK.finditer(self.text, match.start()):
            depth += 1 if mark[0] == "/*" else -1
            if not depth:
                return mark.end()
        return len(self.text)

    def _command(self, match: re.Match[str]) -> None:
        if match["name"] not in HARMLESS:
            raise UsageError(
                f"\\{match['name']} is a command of psql, and is not run here",
                where=self._where(match.start()),
                hint=REFUSED.get(match["name"], "write plain SQL"),
            )
        self._blank(match.start(), match.end())

    def _ended(self, place: int) -> int:
        """A statement ends here; when it is COPY FROM stdin, its rows follow up to a line `\\.`."""
        statement = re.sub(r"--[^\n]*", "", self.text[self._begun : place])
        self._begun = place
        if not COPY.match(statement):
            return place
        start = self.text.find("\n", place) + 1 or len(self.text)
        last = LAST.search(self.text, start)
        if last is None:
            raise UsageError(
                "the rows of COPY do not end with a line \\.", where=self._where(place - 1)
            )
        data = self.text[start : last.start()]
        self.rows[place - 1] = CopyRows(data, self.text.count("\n", 0, start) + 1)
        self._blank(start, last.end())
        self._begun = last.end()
        return last.end()

    def _where(self, place: int) -> str:
        line = self.text.count("\n", 0, place) + 1
        return f"{self.path}:{line}"
