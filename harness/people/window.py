"""The window of a migration: when it is planned, for whom, and what changes for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

FILE: Final = "window.toml"
"""The name of the file, beside the plan."""

TickedBy = Literal["people", "verify"]
TICKED_BY: Final[tuple[TickedBy, ...]] = ("people", "verify")


@dataclass(frozen=True)
class UserChange:
    """What is other for users after the migration; `id` is kept, so that it can be dismissed."""

    id: str
    title: str
    text: str = ""
    link: str = ""


@dataclass(frozen=True)
class ChecklistItem:
    """What has to be done; ticked by people, or by `harness verify` alone."""

    id: str
    text: str
    by: TickedBy = "people"


@dataclass(frozen=True)
class MaintenanceWindow:
    """A window as its file plans it. `start` and `end` are times in its zone.

    `revision` rises when the window is moved or cancelled, and `note` says why it was. `audience`
    is the file of the recipients, which only who sends mail opens.
    """

    path: Path
    id: str
    revision: int
    title: str
    zone: ZoneInfo
    start: datetime
    end: datetime
    support: str
    changes: tuple[UserChange, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    audience: Path | None = None
    page_url: str = ""
    guide_url: str = ""
    cancelled: bool = False
    note: str = ""

    @property
    def sequence(self) -> int:
        """The revision as a calendar counts: from 0."""
        return self.revision - 1

    @property
    def start_utc(self) -> datetime:
        """The planned start in UTC."""
        return self.start.astimezone(UTC)

    @property
    def end_utc(self) -> datetime:
        """The planned end in UTC."""
        return self.end.astimezone(UTC)

    @property
    def length(self) -> timedelta:
        """How long it is, by the clock that knows no summer time."""
        return self.end_utc - self.start_utc
