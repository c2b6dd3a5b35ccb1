"""Who is told: the file of recipients, a CSV with the columns address, name and zone.

    address,name,zone
    ann@example.com,Ann,Europe/Zurich
    bo@example.com,,

Only `address` has to be there; who has no zone reads the window's. The file belongs to whoever
sends: nothing of it is written into a page, a feed or a report.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from harness.core.errors import UsageError
from harness.people.window import MaintenanceWindow
from harness.people.zones import BadTime, find_zone
from harness.subject.project_search import shown

COLUMNS: Final = ("address", "name", "zone")
ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
LONGEST: Final = 254  # octets of an address, RFC 5321
LARGEST: Final = 64 * 1024**2


@dataclass(frozen=True)
class Recipient:
    """One who is told; `zone` is where they read the time."""

    address: str
    name: str
    zone: ZoneInfo

    @property
    def key(self) -> str:
        """What two spellings of one address have in common."""
        return self.address.lower()


def mask_address(address: str) -> str:
    """An address as it may be printed: the first letter, and the domain."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}***@{domain}"


def mask_addresses(text: str) -> str:
    """A text, such as a server's answer, with every address in it masked."""
    return ADDRESS.sub(lambda found: mask_address(found[0]), text)


def is_address(text: str) -> bool:
    """Whether this is an address that any server takes, with nothing around it."""
    return len(text) <= LONGEST and ADDRESS.fullmatch(text) is not None


def read_recipients(window: MaintenanceWindow) -> tuple[Recipient, ...]:
    """Everybody whom the window's file of recipients names; UsageError with file and line."""
    if window.audience is None:
        raise UsageError(
            "the window names no recipients",
            where=str(shown(window.path)),
            hint='say audience = "recipients.csv"',
        )
    file = window.audience
    rows = csv.reader(io.StringIO(_text(file), newline=""), strict=True)
    seen: dict[str, int] = {}
    found: list[Recipient] = []
    try:
        for recipient in _recipients(rows, file, window.zone):
            first = seen.setdefault(recipient.key, rows.line_num)
            if first != rows.line_num:
                raise _wrong(file, rows.line_num, f"the address of line {first} stands again")
            found.append(recipient)
    except csv.Error as error:
        raise _wrong(file, max(rows.line_num, 1), f"is not CSV: {error}") from None
    if not found:
        raise _wrong(file, 1, "names nobody")
    return tuple(found)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"the recipients cannot be read: {error.strerror}",
            where=str(shown(file)),
            hint="the window's audience names the file",
        ) from None
    if len(content) > LARGEST:
        raise UsageError("is larger than 64 MB", where=str(shown(file)))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _wrong(file, line, "is not valid UTF-8") from None


def _recipients(rows: Iterator[list[str]], file: Path, zone: ZoneInfo) -> Iterator[Recipient]:
    header = [name.strip() for name in next(rows, [])]
    if "address" not in header or not set(header) <= set(COLUMNS):
        raise _wrong(file, 1, f"the first line names the columns: {','.join(COLUMNS)}")
    if len(set(header)) < len(header):
        raise _wrong(file, 1, "a column stands twice")
    for row in rows:
        line = rows.line_num  # type: ignore[attr-defined] # of a csv reader
        if not any(map(str.strip, row)):
            continue
        if len(row) != len(header):
            raise _wrong(file, line, f"has {len(row)} fields, not {len(header)}")
        said = dict(zip(header, map(str.strip, row), strict=True))
        yield _recipient(said, file, line, zone)


def _recipient(said: dict[str, str], file: Path, line: int, zone: ZoneInfo) -> Recipient:
    # the values themselves are not repeated: a message ends in logs, where no address belongs
    if not is_address(said["address"]):
        raise _wrong(file, line, "the address is not one: a plain name@domain in ASCII is needed")
    name = said.get("name", "")
    if not name.isprintable():
        raise _wrong(file, line, "the name holds a control character")
    try:
        own = find_zone(said["zone"]) if said.get("zone") else zone
    except BadTime as flaw:
        raise _wrong(file, line, str(flaw)) from None
    return Recipient(said["address"], name, own)


def _wrong(file: Path, line: int, message: str) -> UsageError:
    return UsageError(message, where=f"{shown(file)}:{line}")
