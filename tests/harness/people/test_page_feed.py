"""Programs of others read the feed and the calendar, and understand each state as it is meant."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from circuit_maintenance_parser import NotificationData, init_provider
from circuit_maintenance_parser.provider import GenericProvider
from icalendar import Calendar

from harness.people.page.calendar import calendar_of
from harness.people.page.countdown import Countdown, countdown_of
from harness.people.page.feed import feed_documents
from harness.people.page.publication import publish
from harness.people.page.state import STATES, StateName, page_state
from harness.people.page.wording import spell_time
from tests.harness.support.page import END, START, WINDOW, evidence_of, in_state, run_of

PLANNED = datetime(2031, 3, 1, tzinfo=UTC)
WORDS: dict[StateName, str] = {
    "scheduled": "scheduled",
    "soon": "scheduled",
    "running": "in_progress",
    "late": "in_progress",
    "done": "completed",
    "rolled_back": "completed",
    "cancelled": "completed",
}
NOTES: dict[StateName, str] = {
    "scheduled": "CONFIRMED",
    "soon": "CONFIRMED",
    "running": "IN-PROCESS",
    "late": "IN-PROCESS",
    "done": "COMPLETED",
    "rolled_back": "COMPLETED",
    "cancelled": "CANCELLED",
}


def summary(name: StateName) -> dict[str, Any]:
    return dict(feed_documents(page_state(*in_state(name)), PLANNED)["summary.json"])


@pytest.fixture
def exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The checker of statuspage-prometheus-exporter; it reads its settings when imported."""
    settings = tmp_path / "services.json"
    settings.write_text("{}")
    monkeypatch.setenv("SERVICES_JSON_PATH", str(settings))
    monkeypatch.chdir(tmp_path)  # it keeps a cache there
    before = set(sys.modules)
    from statuspage_prometheus_exporter import service_checker

    monkeypatch.setattr(service_checker, "load_service_response", lambda _: None)
    monkeypatch.setattr(service_checker, "save_service_response", lambda *_: None)
    yield service_checker
    for module in set(sys.modules) - before:
        if module.startswith("statuspage_prometheus_exporter"):
            del sys.modules[module]


class Answer:
    """What the exporter's client was answered: the feed's own bytes."""

    def __init__(self, body: bytes) -> None:
        self.json: Callable[[], Any] = lambda: json.loads(body)

    def raise_for_status(self) -> None:
        """It was a 200."""


def test_a_monitor_of_statuspages_reads_maintenance_from_begin_to_end(
    exporter: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for name in STATES:
        body = publish(page_state(*in_state(name)), PLANNED, live=True).files
        answer = Answer(body["api/v2/summary.json"].body)
        client = type("Client", (), {"get": lambda *_, answer=answer, **__: answer})
        monkeypatch.setattr(exporter, "create_retry_session", lambda client=client, **_: client())
        read = exporter.check_status_page_service(
            "page", {"url": "http://page/api/v2/summary.json"}
        )
        assert read["success"], read
        maintenance = [one["status"] for one in read["maintenance_metadata"]]
        found[name] = (read["component_metadata"][0]["status"], maintenance)
    at_work = ("under_maintenance", ["in_progress"])
    planned, over = ("operational", ["scheduled"]), ("operational", [])
    assert found == {
        "scheduled": planned, "soon": planned, "running": at_work, "late": at_work,
        "done": over, "rolled_back": over, "cancelled": over,
    }  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_a_maintenance_is_in_the_lists_where_statuspage_has_it(name: StateName) -> None:
    documents = feed_documents(page_state(*in_state(name)), PLANNED)
    (one,) = documents["scheduled-maintenances.json"]["scheduled_maintenances"]
    assert one["status"] == WORDS[name]
    assert (one["resolved_at"] is not None) == (WORDS[name] == "completed")
    lists = {"upcoming": WORDS[name] == "scheduled", "active": WORDS[name] == "in_progress"}
    for part, there in lists.items():
        found = documents[f"scheduled-maintenances/{part}.json"]["scheduled_maintenances"]
        assert found == ([one] if there else [])


def test_the_bytes_of_the_feed_change_with_what_it_says_alone() -> None:
    second, now = timedelta(seconds=1), START + timedelta(minutes=20, seconds=10)
    evidence, later = (evidence_of(run_of(1.0, 0.5), at) for at in (now, now + second))
    files = [
        publish(page_state(one, at), PLANNED, live=True).files["api/v2/summary.json"]
        for one, at in ((evidence, now), (later, now + second), (evidence, now + 60 * second))
    ]
    assert files[0].etag == files[1].etag
    assert files[0].etag != files[2].etag  # it is old: that is news
    assert json.loads(files[2].body)["migration"]["stale"]


def entry(name: StateName, revision: int = 1) -> Any:
    evidence, now = in_state(name)
    window = replace(evidence.window, revision=revision)
    found = Calendar.from_ical(
        calendar_of(page_state(replace(evidence, window=window), now), PLANNED)
    )
    (event,) = found.walk("VEVENT")
    return event


def test_a_calendar_entry_keeps_its_uid_and_counts_its_revisions() -> None:
    first, moved, cancelled = entry("scheduled"), entry("soon", 2), entry("cancelled", 3)
    assert first["uid"] == moved["uid"] == cancelled["uid"]
    assert [int(one["sequence"]) for one in (first, moved, cancelled)] == [0, 1, 2]
    assert [one["status"] for one in (first, cancelled)] == ["CONFIRMED", "CANCELLED"]
    assert first["dtstart"].dt == START
    assert first["dtend"].dt == END


@pytest.mark.parametrize("name", STATES)
def test_the_entry_is_read_as_a_maintenance_note(name: StateName) -> None:
    body = calendar_of(page_state(*in_state(name)), PLANNED)
    data = NotificationData.init_from_raw("ical", body)
    assert data is not None
    provider = init_provider("genericprovider")
    assert isinstance(provider, GenericProvider)
    (note,) = provider.get_maintenances(data)
    assert (note.status.value, note.start, note.maintenance_id) == (
        NOTES[name], int(START.timestamp()), WINDOW.id,
    )  # fmt: skip


ZONES = (
    "Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Chicago", "America/Denver",
    "America/Halifax", "America/Havana", "America/Los_Angeles", "America/Miquelon",
    "America/New_York", "America/Nuuk", "America/Port-au-Prince", "America/Santiago",
    "America/St_Johns", "America/Tijuana", "Antarctica/Troll", "Asia/Beirut", "Asia/Jerusalem",
    "Atlantic/Azores", "Atlantic/Bermuda", "Atlantic/Faroe", "Atlantic/Madeira",
    "Australia/Adelaide", "Australia/Hobart", "Australia/Lord_Howe", "Australia/Sydney",
    "Europe/Athens", "Europe/Berlin", "Europe/Chisinau", "Europe/Dublin", "Europe/Helsinki",
    "Europe/Kyiv", "Europe/Lisbon", "Europe/London", "Europe/Madrid", "Europe/Rome",
    "Europe/Zurich", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Norfolk",
)  # fmt: skip


def changes_of(zone: ZoneInfo, year: int) -> Iterator[datetime]:
    """The days of a year, in UTC, in which the clocks of a zone are put forward or back."""
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        following = day + timedelta(days=1)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            yield day
        day = following


@pytest.mark.parametrize("year", [2031])
def test_a_countdown_is_right_across_each_change_of_the_clocks_in_40_zones(year: int) -> None:
    naive = 0
    for zone in map(ZoneInfo, ZONES):
        for day in changes_of(zone, year):
            now, start = (day + timedelta(hours=n) for n in (-6, 30))
            now, start = now.astimezone(zone), start.astimezone(zone)
            window = replace(WINDOW, zone=zone, start=start, end=start + timedelta(hours=2))
            waited = countdown_of(page_state(evidence_of(None, now, window), now))
            assert waited == Countdown("Begins in", start.astimezone(UTC))
            assert waited.left(now) == timedelta(hours=36), zone
            naive += start - now != timedelta(hours=36)  # what the clocks on the wall say
    assert len(ZONES) == 40
    assert naive >= 60


IN_SUMMER, IN_WINTER = datetime(2031, 7, 15, 23, 30, tzinfo=UTC), START


@pytest.mark.parametrize(
    ("at", "zone", "told"),
    [
        (IN_WINTER, "Europe/Zurich", "Saturday 15 March 2031, 22:00 CET (21:00 UTC)"),
        (IN_SUMMER, "Europe/Zurich", "Wednesday 16 July 2031, 01:30 CEST (23:30 UTC on 15 July)"),
        (
            IN_WINTER,
            "Asia/Kathmandu",
            "Sunday 16 March 2031, 02:45 UTC+05:45 (21:00 UTC on 15 March)",
        ),
        (IN_WINTER, "UTC", "Saturday 15 March 2031, 21:00 UTC"),
    ],
)
def test_a_time_is_told_in_its_zone_and_in_utc(at: datetime, zone: str, told: str) -> None:
    assert spell_time(at, ZoneInfo(zone)) == told
