"""The page's sentences: what a state is called, and times as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from harness.people.page.state import PageState, StateName

HEADLINES: Final[dict[StateName, str]] = {
    "scheduled": "Maintenance is planned",
    "soon": "Maintenance begins soon",
    "running": "Maintenance is under way",
    "late": "Maintenance takes longer than planned",
    "done": "Maintenance is done",
    "rolled_back": "The change was taken back",
    "cancelled": "Maintenance is cancelled",
}
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def headline(state: PageState) -> str:
    """What happens, in a few words."""
    if state.name == "late" and state.begun is None:
        return "Maintenance has not begun yet"
    if state.name == "running":
        if state.undoing:
            return "The change is being taken back"
        if state.checking:
            return "The result is being checked"
    return HEADLINES[state.name]


def announcement(state: PageState) -> str:
    """What a visitor should know of it, in a sentence or two, with the times that count."""
    window = state.window
    begins, ends = (spell_time(at, window.zone) for at in (window.start_utc, window.end_utc))
    if state.name in ("scheduled", "soon"):
        return f"It begins on {begins}, and is planned to end by {ends}."
    if state.name == "cancelled":
        return f"What was planned for {begins} does not take place. Nothing changes for you."
    if state.name == "rolled_back":
        return "Everything is as it was before. We will say when we try again."
    if state.name == "done":
        new = " What is new for you stands below." if state.changes else ""
        return f"You can work as usual.{new}"
    return _under_way(state, begins, ends)


def _under_way(state: PageState, begins: str, ends: str) -> str:
    if state.begun is None:
        if state.name == "running":
            return f"It was planned to begin on {begins}, and to end by {ends}."
        return f"It was planned to begin on {begins}. We will say here when it does."
    if state.doubted:
        return "All steps are done, but the check of the result did not pass: we are looking at it."
    if state.checking:
        return "All steps are done. We check the result before we say that it is done."
    if state.name == "late":
        return f"It was planned to end by {ends}. We work on it, and will say here when it is done."
    return f"It is planned to end by {ends}."


def freshness(state: PageState) -> str:
    """How old it is what the page says of the work."""
    if not state.connected:
        return "This page goes by the plan: it does not see the work itself."
    if state.age is None:
        return "The work itself could not be seen yet: this page goes by the plan."
    if state.stale:
        ago = spell_span(state.age)
        return f"The work was last seen {ago} ago. This page stays, and goes on trying to see it."
    return "The work was seen a moment ago."


def spell_time(at: datetime, zone: tzinfo) -> str:
    """A time in a zone, named, and in UTC: Saturday 15 March 2031, 22:00 CET (21:00 UTC)."""
    local, utc = at.astimezone(zone), at.astimezone(UTC)
    day = f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year}"
    told = f"{day}, {local:%H:%M} {zone_name(local)}"
    if zone_name(local) == "UTC":
        return told
    other = "" if utc.date() == local.date() else f" on {utc.day} {MONTHS[utc.month - 1]}"
    return f"{told} ({utc:%H:%M} UTC{other})"


def zone_name(local: datetime) -> str:
    """What a zone is called at a time: CET; for a zone that has no letters, its offset."""
    name = local.tzname() or "UTC"
    if name.isalpha():
        return name
    offset = local.utcoffset() or timedelta()
    sign = "-" if offset < timedelta() else "+"
    minutes = abs(int(offset.total_seconds() // 60))
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}"


def spell_span(span: timedelta) -> str:
    """A length of time in its two largest units: 1 day 2 h, 3 h 5 min, 4 min, 20 s."""
    seconds = max(int(span.total_seconds()), 0)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min" if minutes else f"{seconds} s"
