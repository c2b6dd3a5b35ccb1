"""What the page says: seven states, a percentage that never falls, and 100 only once verified."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.core.errors import Refused, UsageError
from harness.people.page.checklist import TickStore
from harness.people.page.progress import HighWater
from harness.people.page.state import STATES, PageEvidence, StateName, page_state
from harness.people.page.verified import VerifiedRun, keep_verdict, read_verdict
from harness.people.window import MaintenanceWindow
from tests.harness.support.page import END, START, WINDOW, evidence_of, in_state, run_of

MINUTE = timedelta(minutes=1)
OVER = run_of(1.0, 1.0, 1.0, completed=START + 40 * MINUTE)
BACK = run_of(1.0, direction="rollback", completed=START - 60 * MINUTE, started=START - 90 * MINUTE)


@pytest.mark.parametrize("name", STATES)
def test_evidence_of_a_state_is_told_as_that_state(name: StateName) -> None:
    assert page_state(*in_state(name)).name == name


@pytest.mark.parametrize(
    ("now", "name"),
    [
        (START - 31 * MINUTE, "scheduled"),
        (START - 30 * MINUTE, "soon"),
        (START - timedelta(microseconds=1), "soon"),
        (START, "late"),  # a database that was looked at has no run: it begins late
    ],
)
def test_before_it_begins_the_clock_decides(now: datetime, name: StateName) -> None:
    assert page_state(evidence_of(None, now), now).name == name


def test_a_page_that_sees_no_database_goes_by_the_plan() -> None:
    state = page_state(PageEvidence(WINDOW, connected=False), START + MINUTE)
    assert (state.name, state.percent, state.stale) == ("running", None, False)
    assert page_state(PageEvidence(WINDOW), START + MINUTE).stale


def test_a_window_that_was_cancelled_while_it_ran_is_still_told_as_running() -> None:
    window = replace(WINDOW, cancelled=True)
    now = START + MINUTE
    assert page_state(evidence_of(run_of(0.5), now, window), now).name == "running"


@pytest.mark.parametrize(("revision", "name"), [(1, "rolled_back"), (2, "soon")])
def test_what_was_taken_back_is_history_once_the_window_was_moved(
    revision: int, name: StateName
) -> None:
    window, now = replace(WINDOW, revision=revision), START - 10 * MINUTE
    assert page_state(evidence_of(BACK, now, window), now).name == name


def test_a_percentage_never_falls_though_the_estimate_does() -> None:
    marks, now = HighWater(), START + MINUTE
    shares = (0.1, 0.6, 0.3, 0.9)
    found = [page_state(evidence_of(run_of(share), now), now, marks).percent for share in shares]
    assert found == [3, 20, 20, 30]
    forgetful = [page_state(evidence_of(run_of(share), now), now).percent for share in shares]
    assert forgetful != sorted(forgetful)  # what it would be without


@pytest.mark.parametrize(
    ("verdict", "percent", "name"),
    [
        (None, 99, "running"),
        (VerifiedRun("fail", OVER.key, END), 99, "running"),
        (VerifiedRun("unknown", OVER.key, END), 99, "running"),
        (VerifiedRun("pass", "b" * 32, END), 99, "running"),  # of a rehearsal, of a copy
        (VerifiedRun("pass", OVER.key, END), 100, "done"),
    ],
)
def test_it_is_at_100_only_once_this_very_run_was_verified(
    verdict: VerifiedRun | None, percent: int, name: StateName
) -> None:
    now = START + 41 * MINUTE
    state = page_state(replace(evidence_of(OVER, now), verified=verdict), now)
    assert (state.percent, state.name, state.checking) == (percent, name, name != "done")
    assert state.checklist[1].ticked == (name == "done")


def test_a_run_that_goes_on_is_not_done_whatever_was_verified() -> None:
    run, now = run_of(1.0, 1.0), START + MINUTE
    verdict = VerifiedRun("pass", "b" * 32, now)
    assert page_state(replace(evidence_of(run, now), verified=verdict), now).name == "running"


def test_the_end_is_expected_at_the_pace_so_far_and_never_in_the_past() -> None:
    now = START + 30 * MINUTE
    evidence = evidence_of(run_of(1.0, 0.5), now)
    found = page_state(evidence, now).expected_end
    assert found is not None
    assert abs(found - (START + 60 * MINUTE)) < MINUTE
    assert page_state(evidence, now + 60 * MINUTE).expected_end is None


def test_it_says_how_old_it_is() -> None:
    now = START + MINUTE
    evidence = evidence_of(run_of(0.5), now)
    assert not page_state(evidence, now).stale
    later = page_state(evidence, now + MINUTE)
    assert later.stale
    assert later.age == timedelta(seconds=61)
    assert page_state(evidence, now - MINUTE).age == timedelta()  # a clock that was put back


def test_history_tells_what_happened_the_newest_first() -> None:
    state = page_state(*in_state("done"))
    assert [entry.text for entry in state.history] == [
        "Checked: everything is as it should be",
        "All steps are done",
        "The maintenance began",
    ]


def ticks(directory: Path, window: MaintenanceWindow = WINDOW) -> TickStore:
    return TickStore(directory, window)


def test_a_tick_is_kept_with_name_and_time_and_the_first_one_counts(tmp_path: Path) -> None:
    first = ticks(tmp_path).tick("desk", "Ana", START)
    assert ticks(tmp_path).tick("desk", "Ben", END) == first
    assert ticks(tmp_path).ticks() == {"desk": first}
    assert ticks(tmp_path, replace(WINDOW, id="another")).ticks() == {}


@pytest.mark.parametrize(
    ("item", "by", "reason"),
    [
        ("rows", "Ana", "ticked by `harness verify` alone"),
        ("desks", "Ana", "'desk'"),
        ("desk", "  ", "needs the name"),
        ("desk", "A\x1b[31m", "needs the name"),
        ("desk", "A" * 81, "needs the name"),
    ],
)
def test_a_tick_is_refused_with_a_reason(tmp_path: Path, item: str, by: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        ticks(tmp_path).tick(item, by, START)
    assert ticks(tmp_path).ticks() == {}


def test_a_tick_that_was_cut_off_by_a_kill_is_none_and_the_next_is_whole(tmp_path: Path) -> None:
    store = ticks(tmp_path)
    store.tick("desk", "Ana", START)
    whole = store.file.read_bytes()
    store.file.write_bytes(whole[:-5])
    assert store.ticks() == {}
    again = store.tick("desk", "Ana", START)
    assert store.file.read_bytes() == whole
    assert store.ticks() == {"desk": again}


def test_a_file_of_ticks_that_was_spoilt_is_refused_by_its_line(tmp_path: Path) -> None:
    store = ticks(tmp_path)
    store.tick("desk", "Ana", START)
    store.file.write_bytes(b'{"window": 3}\n' + store.file.read_bytes())
    with pytest.raises(UsageError, match=r"ticks\.jsonl:1: is not a tick"):
        store.ticks()


def test_a_verdict_is_read_as_it_was_kept_and_another_file_is_refused(tmp_path: Path) -> None:
    assert read_verdict(tmp_path) is None
    keep_verdict(tmp_path, "pass", OVER.key, END)
    assert read_verdict(tmp_path) == VerifiedRun("pass", OVER.key, END.astimezone(UTC))
    (tmp_path / "verified.json").write_text('{"verdict": "pass"}')
    with pytest.raises(UsageError, match=r"verified\.json:1"):
        read_verdict(tmp_path)
