"""The header of an SQL file: the comment lines `-- key: value` at its very top.

Comments of others are no headers. But what was meant as one and would go unnoticed is refused: a
key that is nearly a known one, and a header that stands after a blank line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import UsageError
from harness.plan.model import KINDS

HEADER = re.compile(r"^--\s*([a-z_]+):\s*(.*?)\s*$")
KEYED = re.compile(r"^--\s*([a-z][a-z_-]*): ?(.*?)\s*$")
ALMOST = re.compile(r"^\s*--+\s*([A-Za-z][A-Za-z_ -]{1,20}?)\s*[:=]\s*(.*?)\s*$")
DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(us|ms|s|min|h)?$")
SETTING = re.compile(r"^([A-Za-z_][\w.]*)\s*=\s*(.+)$")
WORDS = re.compile(r"\S")
FORMS = {
    "kind": re.compile("|".join(KINDS)),
    "summary": WORDS,
    "nothing": WORDS,
    "irreversible": WORDS,
    "stays": WORDS,
    "table": re.compile(r'(\w+|"[^"]+")\.(\w+|"[^"]+")$'),
    "key": re.compile(r'(\w+|"[^"]+")$'),
    "batch": re.compile(r"\d+$"),
    "lock_timeout": DURATION,
    "statement_timeout": DURATION,
    "max_wait": DURATION,
    "duty": re.compile(r"\d+ ?%$"),
    "batch_workers": re.compile(r"\d+$"),
    "set": SETTING,
}
"""What a value of each header looks like: only such a line can have been meant as one."""
LATE = set(FORMS) - {"summary", "nothing", "stays"}
"""Headers that change what is run, so that one which is overlooked matters."""


@dataclass
class Header:
    """The keys of a file's header, the line of each, and its settings."""

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
            self.lines.setdefault("set", line)
        elif key in self.values:
            raise UsageError(f"header {key!r} is given twice", where=where)
        else:
            self.values[key] = value
            self.lines[key] = line

    def where(self, key: str) -> str:
        """File and line of a header, or of the file's start when it is not given."""
        return f"{self.path}:{self.lines.get(key, 1)}"


def header_lines(text: str, *, blanks: bool = False) -> Iterator[tuple[int, str, str]]:
    """Number, key and value of every line `-- key: value` at the top of a text.

    The header ends with the first line that is not a comment; `blanks` allows empty lines in it.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("--") and not (blanks and not line.strip()):
            return
        match = KEYED.match(line)
        if match:
            yield number, match[1], match[2]


def read_header(path: Path, text: str) -> Header:
    """The header of a text; UsageError names file and line of what cannot be one."""
    header = Header(path)
    over = within = False
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole.strip()
        if within or line.startswith("/*"):
            over, within = True, "*/" not in line
        elif not line:
            over = True
        elif not line.startswith("--"):
            break
        elif over:
            _refuse_late(path, line, number)
        else:
            _take(header, line, number)
    return header


def _take(header: Header, line: str, number: int) -> None:
    match = HEADER.match(line)
    if match and match[1] in FORMS:
        header.take(match[1], match[2], number)
        return
    meant = _meant(line)
    if meant:
        key, given = meant
        spelling = f", written {key}: without a gap" if given == key else ""
        raise UsageError(
            f"unknown header {given!r}",
            where=f"{header.path}:{number}",
            hint=f"did you mean {key!r}{spelling}; a comment may say anything else",
        )


def _refuse_late(path: Path, line: str, number: int) -> None:
    match = HEADER.match(line)
    if match and match[1] in LATE and FORMS[match[1]].match(match[2]):
        raise UsageError(
            f"header {match[1]!r} stands after a blank line",
            where=f"{path}:{number}",
            hint="header lines come first, without a gap",
        )


def _meant(line: str) -> tuple[str, str] | None:
    """The known key that a comment line nearly is, and the key that it has."""
    match = ALMOST.match(line)
    if not match:
        return None
    given, value = match[1], match[2]
    plain = re.sub(r"[ -]+", "_", given.lower())
    for key, form in FORMS.items():
        if not form.match(value):
            continue
        if plain == key or distance(plain, key) <= (1 if len(key) < 5 else 2):
            return key, given
    return None


def distance(one: str, other: str) -> int:
    """How many letters to add, drop, change, or swap with the next, to make one the other."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
