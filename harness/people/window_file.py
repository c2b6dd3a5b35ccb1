"""Read window.toml: only known keys, with the types they need, and the line of what is wrong.

format = 1
id = "harvest-2031"
revision = 1
title = "Accounts get a new home"
zone = "Europe/Zurich"
start = 2031-03-15T22:00:00
end = 2031-03-15T23:30:00
support = "help@example.com"
audience = "recipients.csv"
page_url = "https://status.example.com/harvest"

[[change]]
id = "names"
title = "Accounts are called customers"

[[checklist]]
id = "front-desk"
text = "The front desk has been told"
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from harness.core.errors import UsageError
from harness.people.window import FILE, TICKED_BY, ChecklistItem, MaintenanceWindow, UserChange
from harness.people.zones import BadTime, find_zone, place_time
from harness.plan.reader import suggestion
from harness.subject.project_search import read_document, shown
from harness.subject.toml_lines import line_of

ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
KNOWN: Final = (
    "format", "id", "revision", "title", "zone", "start", "end", "support", "audience",
    "page_url", "guide_url", "cancelled", "note", "change", "checklist", "mail",
)  # fmt: skip
CHANGE: Final = ("id", "title", "text", "link")
ITEM: Final = ("id", "text", "by")


def find_window(plan_path: Path) -> Path | None:
    """The window's file beside a plan, or None where there is none."""
    directory = plan_path if plan_path.is_dir() else plan_path.parent
    file = directory / FILE
    return file if file.is_file() else None


def read_window(file: Path) -> MaintenanceWindow:
    """The window that a file plans; UsageError names file, line and reason."""
    text, document = read_document(file)
    reader = TableReader(file, text, document)
    reader.only(KNOWN)
    reader.format()
    zone = reader.zone("zone")
    start, end = (reader.time(key, zone) for key in ("start", "end"))
    # in UTC: two times of one zone are compared without their offsets
    if end.astimezone(UTC) <= start.astimezone(UTC):
        reader.refuse("end", f"the window ends before it starts: {end} is not after {start}")
    audience = reader.line("audience", "")
    return MaintenanceWindow(
        path=file,
        id=reader.id("id"),
        revision=reader.whole("revision"),
        title=reader.line("title"),
        zone=zone,
        start=start,
        end=end,
        support=reader.line("support"),
        changes=tuple(_change(one) for one in reader.entries("change", CHANGE)),
        checklist=tuple(_item(one) for one in reader.entries("checklist", ITEM)),
        audience=file.parent / audience if audience else None,
        page_url=reader.url("page_url"),
        guide_url=reader.url("guide_url"),
        cancelled=reader.flag("cancelled"),
        note=reader.paragraph("note", ""),
    )


def _change(entry: TableReader) -> UserChange:
    return UserChange(
        entry.id("id"), entry.line("title"), entry.paragraph("text", ""), entry.url("link")
    )


def _item(entry: TableReader) -> ChecklistItem:
    said = entry.line("by", "people")
    by = next((known for known in TICKED_BY if known == said), None)
    if by is None:
        entry.refuse("by", f"by is {' or '.join(map(repr, TICKED_BY))}, not {said!r}")
    return ChecklistItem(entry.id("id"), entry.line("text"), by)


@dataclass(frozen=True)
class TableReader:
    """A table of a TOML file; knows the line of what is wrong.

    `place` names the table, and `first` is its line where it is one of an array, else 0.
    """

    file: Path
    text: str
    values: dict[str, Any]
    place: str = ""
    first: int = 0

    def refuse(self, key: str, message: str, hint: str | None = None) -> NoReturn:
        """Raise UsageError at the line of a key, or of the table where it is not in it."""
        raise UsageError(message, where=self.where(key), hint=hint)

    def where(self, key: str) -> str:
        """File and line of a key."""
        return f"{shown(self.file)}:{self._line(key)}"

    def _line(self, key: str) -> int:
        if not self.first:
            return line_of(self.text, (*([self.place] if self.place else []), key))
        lines = self.text.splitlines()
        for number in range(self.first, len(lines)):
            if lines[number].lstrip().startswith("["):
                break
            if re.match(rf'\s*"?{re.escape(key)}"?\s*=', lines[number]):
                return number + 1
        return self.first

    def only(self, known: Iterable[str]) -> None:
        """Refuse the first key that is not known."""
        for key in self.values:
            if key not in known:
                where = f" in [{self.place}]" if self.place else ""
                self.refuse(key, f"unknown key {key!r}{where}", suggestion(key, known))

    def format(self) -> None:
        """Refuse what is not of format 1."""
        value = self.values.get("format")
        if value != 1 or isinstance(value, bool):
            said = "format is missing" if value is None else f"format is {value!r}"
            self.refuse("format", f"{said}; this harness reads format 1")

    def paragraph(self, key: str, default: str | None = None) -> str:
        """A text, which may have several lines; without a default it has to be there."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            where = f"[{self.place}] needs" if self.place else "the window needs"
            self.refuse(key, f"{where} a text {key!r}")
        for letter in value:
            if not letter.isprintable() and letter not in "\n\t":
                self.refuse(key, f"{key} holds the control character {letter!r}")
        return value.strip()

    def line(self, key: str, default: str | None = None) -> str:
        """A text of one line; without a default it has to be there."""
        value = self.paragraph(key, default)
        if "\n" in value or "\t" in value:
            self.refuse(key, f"{key} is one line of text")
        return value

    def id(self, key: str) -> str:
        """A text that names something in an address: letters, digits, dot, dash, underscore."""
        value = self.line(key)
        if not ID.fullmatch(value):
            self.refuse(key, f"{value!r} cannot be an id; it is like {ID.pattern}")
        return value

    def url(self, key: str) -> str:
        """An address that starts with https:// or http://; empty where it is not there."""
        value = self.line(key, "")
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:  # a bracket that is not closed
            usable = False
        if value and (not usable or " " in value):
            self.refuse(key, f"{key} is an address such as 'https://…', not {value!r}")
        return value

    def whole(self, key: str) -> int:
        """A whole number of at least 1."""
        value = self.values.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
            self.refuse(key, f"{key} is a whole number of at least 1, not {value!r}")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false where it is not there."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, f"{key} is true or false, not {value!r}")
        return value

    def zone(self, key: str) -> ZoneInfo:
        """A time zone that has to be there."""
        try:
            return find_zone(self.line(key))
        except BadTime as flaw:
            self.refuse(key, str(flaw))

    def time(self, key: str, zone: ZoneInfo) -> datetime:
        """A time of a zone that has to be there."""
        value = self.values.get(key)
        if not isinstance(value, datetime):
            said = "is missing" if value is None else f"is {value!r}"
            self.refuse(key, f"{key} {said}; it is a time such as 2031-03-15T22:00:00, unquoted")
        try:
            return place_time(value, zone)
        except BadTime as flaw:
            self.refuse(key, f"{key}: {flaw}")

    def entries(self, name: str, known: Iterable[str]) -> list[TableReader]:
        """The tables of an array such as [[change]], no two with the same id."""
        found = self.values.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self.refuse(name, f"each {name} is a table of its own: [[{name}]]")
        header = re.compile(rf'\s*\[\[\s*"?{name}"?\s*\]\]')
        numbered = enumerate(self.text.splitlines(), 1)
        lines = [number for number, line in numbered if header.match(line)]
        lines += [self._line(name)] * (len(found) - len(lines))  # written as inline tables
        tables = [
            TableReader(self.file, self.text, one, name, line)
            for one, line in zip(found, lines, strict=False)
        ]
        seen: set[str] = set()
        for one in tables:
            one.only(known)
            if one.id("id") in seen:
                one.refuse("id", f"the id {one.id('id')!r} stands twice")
            seen.add(one.id("id"))
        return tables
