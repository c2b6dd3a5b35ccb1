"""The feed in the shape of Statuspage's version 2, which monitors read, with what is ours beside.

Its bytes change when what it says changes, and at no other time: a reader that asks again is told
so in a header (304). How old it is stands in it only once it is old.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from harness.people.page.countdown import countdown_of
from harness.people.page.state import PageState
from harness.people.page.wording import announcement, headline

OPEN: Final = ("scheduled", "in_progress", "verifying")
Table = dict[str, Any]


def status_word(state: PageState) -> str:
    """Statuspage's word for where a maintenance stands; what is cancelled is completed there."""
    if state.name in ("scheduled", "soon") or (state.name == "late" and state.begun is None):
        return "scheduled"
    if state.name in ("done", "rolled_back", "cancelled"):
        return "completed"
    return "verifying" if state.checking else "in_progress"


def feed_documents(state: PageState, planned_at: datetime) -> Mapping[str, Table]:
    """Every document by its path below /api/v2; `planned_at` is when the window was written."""
    page, status = _page(state, planned_at), _status(state)
    component = _component(state, planned_at)
    maintenance = _maintenance(state, planned_at, component)
    word = maintenance["status"]
    opened = [maintenance] if word in OPEN else []
    upcoming = [maintenance] if word == "scheduled" else []
    active = [maintenance] if word in ("in_progress", "verifying") else []
    return {
        "summary.json": {
            "page": page,
            "components": [component],
            "incidents": [],
            "scheduled_maintenances": opened,
            "status": status,
            "migration": _migration(state),
        },
        "status.json": {"page": page, "status": status},
        "components.json": {"page": page, "components": [component]},
        "incidents.json": {"page": page, "incidents": []},
        "incidents/unresolved.json": {"page": page, "incidents": []},
        "scheduled-maintenances.json": {"page": page, "scheduled_maintenances": [maintenance]},
        "scheduled-maintenances/upcoming.json": {"page": page, "scheduled_maintenances": upcoming},
        "scheduled-maintenances/active.json": {"page": page, "scheduled_maintenances": active},
    }


def _id(*parts: str) -> str:
    """An id like Statuspage's: twelve letters and digits, the same for the same parts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds")


def _updated(state: PageState, planned_at: datetime) -> str | None:
    return _time(max([planned_at, *(entry.at for entry in state.history)]))


def _page(state: PageState, planned_at: datetime) -> Table:
    return {
        "id": _id("page", state.window.id),
        "name": state.window.title,
        "url": state.window.page_url,
        "time_zone": str(state.window.zone),
        "updated_at": _updated(state, planned_at),
    }


def _status(state: PageState) -> Table:
    if status_word(state) in ("in_progress", "verifying"):
        return {"indicator": "maintenance", "description": headline(state)}
    return {"indicator": "none", "description": headline(state)}


def _component(state: PageState, planned_at: datetime) -> Table:
    at_work = status_word(state) in ("in_progress", "verifying")
    return {
        "id": _id("component", state.window.id),
        "name": "Application",
        "status": "under_maintenance" if at_work else "operational",
        "created_at": _time(planned_at),
        "updated_at": _updated(state, planned_at),
        "position": 1,
        "description": None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": _id("page", state.window.id),
        "group": False,
        "only_show_if_degraded": False,
    }


def _maintenance(state: PageState, planned_at: datetime, component: Table) -> Table:
    window, word = state.window, status_word(state)
    updated = _updated(state, planned_at)
    made = _id("maintenance", window.id)
    completed = word == "completed"
    update: Table = {
        "id": _id("update", window.id, str(window.revision), state.name, word),
        "status": word,
        "body": f"{headline(state)}. {announcement(state)}",
        "incident_id": made,
        "created_at": updated,
        "updated_at": updated,
        "display_at": updated,
        "affected_components": [],
        "deliver_notifications": False,
    }
    return {
        "id": made,
        "name": window.title,
        "status": word,
        "created_at": _time(planned_at),
        "updated_at": updated,
        "monitoring_at": None,
        "resolved_at": (_time(state.ended) or updated) if completed else None,
        "impact": "maintenance",
        "shortlink": window.page_url,
        "started_at": _time(state.begun or window.start_utc),
        "page_id": _id("page", window.id),
        "incident_updates": [update],
        "components": [component],
        "scheduled_for": _time(window.start_utc),
        "scheduled_until": _time(window.end_utc),
    }


def _migration(state: PageState) -> Table:
    """What Statuspage has no word for; the banner and the page's script read it."""
    window, waited = state.window, countdown_of(state)
    seen = None if state.age is None else state.now - state.age
    return {
        "id": window.id,
        "revision": window.revision,
        "state": state.name,
        "headline": headline(state),
        "announcement": announcement(state),
        "note": window.note,
        "percent": state.percent,
        "undoing": state.undoing,
        "starts": _time(window.start_utc),
        "ends": _time(window.end_utc),
        "time_zone": str(window.zone),
        "countdown": waited and {"label": waited.label, "to": _time(_whole(waited.to))},
        "stale": state.stale,
        "seen_at": _time(seen) if state.stale else None,
        "page_url": window.page_url,
        "guide_url": window.guide_url,
        "changes": [
            {"id": one.id, "title": one.title, "text": one.text, "link": one.link}
            for one in state.changes
        ],
    }


def _whole(at: datetime) -> datetime:
    """An expected end as a full minute: it would change with each look."""
    return at.replace(second=0, microsecond=0)
