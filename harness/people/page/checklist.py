"""The checklist: what people tick, on the page or on the command line, kept in a file of its own.

A tick is on the disk before it is acknowledged, and two writers exclude each other by a lock. The
file lies beside the page, since the database may be away for the whole of a maintenance.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from harness.core.errors import Refused, UsageError
from harness.core.jsonfile import FlawedJSON, parse_json
from harness.people.window import ChecklistItem, MaintenanceWindow
from harness.plan.reader import suggestion

FILE: Final = "ticks.jsonl"
LONGEST_NAME: Final = 80


@dataclass(frozen=True)
class Tick:
    """An item that somebody ticked: who, and when."""

    item: str
    by: str
    at: datetime


class TickStore:
    """The ticks of one window, in a directory; a line each, only ever added to."""

    def __init__(self, directory: Path, window: MaintenanceWindow) -> None:
        self.file = directory / FILE
        self._window = window

    def ticks(self) -> Mapping[str, Tick]:
        """The ticks by item; UsageError names the line that is not one."""
        try:
            content = self.file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(self.file)) from error
        found: dict[str, Tick] = {}
        whole = content[: content.rfind(b"\n") + 1]  # the rest was cut off, and not acknowledged
        for number, line in enumerate(whole.splitlines(), 1):
            window, tick = self._read_line(line, number)
            if window == self._window.id:
                found.setdefault(tick.item, tick)
        return found

    def tick(self, item: str, by: str, at: datetime) -> Tick:
        """Tick an item, or return the tick that it has; Refused says why it cannot be ticked.

        UsageError where the file cannot be read or written.
        """
        self._allow(item, by)
        try:
            with self._locked() as file:
                there = self.ticks().get(item)
                if there is not None:
                    return there
                made = Tick(item, " ".join(by.split()), at.astimezone(UTC))
                self._append(file, made)
                return made
        except OSError as error:
            raise UsageError(
                f"cannot be written: {error.strerror}", where=str(self.file)
            ) from error

    def _allow(self, name: str, by: str) -> None:
        known: dict[str, ChecklistItem] = {one.id: one for one in self._window.checklist}
        if name not in known:
            hint = suggestion(name, known) if known else "the window has no checklist"
            raise Refused(f"the checklist has no item {name!r}", hint=hint)
        if known[name].by == "verify":
            raise Refused(
                f"{name!r} is ticked by `harness verify` alone",
                hint="run harness verify with --page",
            )
        if not by.strip() or len(by) > LONGEST_NAME or not by.isprintable():
            raise Refused(
                "a tick needs the name of who ticks",
                hint=f"give one of at most {LONGEST_NAME} printable letters",
            )

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def _append(self, file: IO[bytes], tick: Tick) -> None:
        said = {
            "window": self._window.id,
            "item": tick.item,
            "by": tick.by,
            "at": tick.at.isoformat(),
        }
        file.seek(0)
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
        file.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())

    def _read_line(self, line: bytes, number: int) -> tuple[str, Tick]:
        try:
            said = parse_json(line.decode())
            at = datetime.fromisoformat(said["at"])
            tick = Tick(str(said["item"]), str(said["by"]), at.astimezone(UTC))
            return str(said["window"]), tick
        except (FlawedJSON, UnicodeDecodeError, ValueError, KeyError, TypeError):
            raise UsageError(
                "is not a tick",
                where=f"{self.file}:{number}",
                hint="restore the file, or take the line away",
            ) from None
