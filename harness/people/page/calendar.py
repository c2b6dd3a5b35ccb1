"""The window as a calendar's entry, also readable as a maintenance note (MAINTNOTE).

UID stays and SEQUENCE rises with the window's revision, so that a client moves the entry it has.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from harness.people.page.state import PageState, StateName
from harness.people.page.wording import announcement, headline

if TYPE_CHECKING:
    from icalendar import Event

PRODUCT: Final = "-//migration-harness//page//EN"
STATUS: Final[dict[StateName, str]] = {
    "scheduled": "CONFIRMED",
    "soon": "CONFIRMED",
    "running": "IN-PROCESS",
    "late": "IN-PROCESS",
    "done": "COMPLETED",
    "rolled_back": "COMPLETED",
    "cancelled": "CANCELLED",
}


def calendar_of(state: PageState, planned_at: datetime) -> bytes:
    """The calendar with its one entry; `planned_at` is when the window was written."""
    from icalendar import Calendar  # of the extra, which the base install does not bring

    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add_component(_entry(state, planned_at))
    return bytes(calendar.to_ical())


def _entry(state: PageState, planned_at: datetime) -> Event:
    from icalendar import Event, vCalAddress, vText, vUri

    window, entry = state.window, Event()
    entry.add("uid", f"{window.id}@migration-harness")
    entry.add("sequence", window.sequence)
    stamp = planned_at.astimezone(UTC).replace(microsecond=0)
    entry.add("dtstamp", stamp)
    entry.add("last-modified", stamp)
    entry.add("dtstart", window.start_utc)
    entry.add("dtend", window.end_utc)
    entry.add("summary", window.title)
    entry.add("status", "CANCELLED" if state.name == "cancelled" else "CONFIRMED")
    entry.add("transp", "TRANSPARENT")
    entry.add("description", _description(state))
    if window.page_url:
        entry["url"] = vUri(window.page_url)
    if "@" in window.support:
        entry["organizer"] = vCalAddress(f"mailto:{window.support}")
    begun = state.begun is not None or state.name != "late"
    notes = {
        "provider": "migration-harness",
        "account": window.id,
        "maintenance-id": window.id,
        "object-id": "application",
        "impact": "DEGRADED",
        "status": STATUS[state.name] if begun else "CONFIRMED",
    }
    for name, value in notes.items():
        entry[f"x-maintnote-{name}"] = vText(value)
    return entry


def _description(state: PageState) -> str:
    lines = [f"{headline(state)}. {announcement(state)}"]
    lines += [window_note] if (window_note := state.window.note) else []
    lines += [f"- {change.title}" for change in state.changes]
    lines += [f"Questions: {state.window.support}"]
    return "\n".join(lines)
