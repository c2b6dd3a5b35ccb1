"""What the page keeps for its next start: how far each run was, and what was seen last.

So a page that is started while the database is away says what was known, and how old that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from harness.core.errors import UsageError
from harness.core.jsonfile import FlawedJSON, read_text, write_whole
from harness.people.page.reading import LedgerReading

FILE: Final = "seen.json"
EVERY: Final = timedelta(seconds=10)
"""A reading that says nothing new is kept again after this time: then it is known to be younger."""


class SeenDocument(msgspec.Struct, frozen=True):
    """The file. `about` is the window that it is about: for another one it counts for nothing."""

    about: str
    percents: dict[str, int]
    reading: LedgerReading | None


class SeenFile:
    """Reads the file once, and writes it when it has something new to say."""

    def __init__(self, directory: Path, about: str) -> None:
        self.file, self._about = directory / FILE, about
        self.found = self._read()
        self._last = self.found

    def _read(self) -> SeenDocument:
        nothing = SeenDocument(self._about, {}, None)
        try:
            found = msgspec.json.decode(read_text(self.file), type=SeenDocument)
        except FileNotFoundError:
            return nothing
        except (FlawedJSON, OSError, msgspec.MsgspecError) as error:
            said = f"is not what the page kept: {error}"
            raise UsageError(said, where=str(self.file), hint="take the file away") from None
        return found if found.about == self._about else nothing

    def keep(self, percents: Mapping[str, int], reading: LedgerReading | None) -> None:
        """Write it where that says something new; UsageError where it cannot be written."""
        now = SeenDocument(self._about, dict(percents), reading)
        if now == self._last or not self._is_news(now):
            return
        self._last = now
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.file, msgspec.json.encode(now).decode() + "\n")
        except OSError as error:
            said = f"cannot be written: {error.strerror}"
            raise UsageError(said, where=str(self.file)) from error

    def _is_news(self, now: SeenDocument) -> bool:
        last = self._last
        if now.percents != last.percents or now.reading is None or last.reading is None:
            return True
        same = (now.reading.run, now.reading.at_work) == (last.reading.run, last.reading.at_work)
        return not same or now.reading.at - last.reading.at >= EVERY
