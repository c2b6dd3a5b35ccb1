"""A migration under traffic: a harmless plan passes, and each planted harm is found by its step."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.document.live import LiveDocument
from harness.plan import load
from harness.scenario.live import LiveSettings, run_live
from harness.scenario.live.words import lines
from harness.traffic.history import read_history
from tests.harness.support.live_plan import hurting_plan, slowing_plan
from tests.harness.support.runner import SmallPlan

ANY_LAG = 1e6  # whoever else is at work on the machine may make the clients late


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> LiveDocument:
    root = tmp_path_factory.mktemp("hurts")
    return run_live(
        LiveSettings(
            hurting_plan(root), writes=300, reads=100, seconds=5, rows=300, control=1.0,
            late=ANY_LAG, saturation=0, patience=4.0, build=root / "build",
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "where"),
    [
        ("live.waited", "forward 1/010_apart"),
        ("live.reader_behind_batch", "forward 1/030_upgrade"),
        ("history.stale", "public.c"),
        ("history.lost", "public.c"),
        ("live.prepared", "forward 2/040_type"),
        ("live.chases_inserts", "forward 1/040_chase"),
    ],
)
def test_a_planted_harm_is_found_where_it_is_done(
    hurt: LiveDocument, finding: str, where: str
) -> None:
    assert (finding, where) in {(one.id, one.where) for one in hurt.findings}
    assert hurt.verdict == "fail"


def test_what_was_not_harmed_is_not_accused(hurt: LiveDocument) -> None:
    wrong = [one for one in hurt.findings if one.id.startswith("history.")]
    assert {one.where for one in wrong} == {"public.c"}
    assert {one.id for one in wrong} == {"history.stale", "history.lost"}


def test_victims_name_their_blocker(hurt: LiveDocument) -> None:
    apart = [one for one in hurt.victims if one.step == "1/010_apart"]
    assert apart
    assert {one.blocker for one in apart} == {"harness runner"}
    assert all(one.lock.endswith((" on a", " on b")) for one in apart)
    assert all(one.took_ms is None or one.took_ms > one.waited_ms - 50 for one in apart)


def test_a_changed_result_is_counted_by_step(hurt: LiveDocument) -> None:
    (step,) = (one for one in hurt.steps if (one.direction, one.step) == ("forward", "2/040_type"))
    assert step.refused.get("0A000", 0) > 0


def test_a_step_that_takes_throughput_without_a_lock_is_found(tmp_path: Path) -> None:
    settings = LiveSettings(
        slowing_plan(tmp_path), writes=200, reads=100, seconds=1, rows=100, control=0.5,
        late=ANY_LAG, saturation=0.5, build=tmp_path / "build",
    )  # fmt: skip
    document = run_live(settings)
    found = document.throughput
    assert found is not None
    assert found.share is not None
    assert found.share < 0.7
    # whether the control was steady is the machine's affair
    named = {one.where for one in document.findings if one.id == "live.throughput"}
    assert (found.verdict, named) in (("fail", {"forward 2/010_slow"}), ("unknown", set()))
    assert document.history.verdict == "pass"
    assert document.new_clients is not None
    assert not document.new_clients.applicable


def test_a_harmless_plan_is_accounted_for(tmp_path: Path) -> None:
    small = SmallPlan(tmp_path)
    settings = LiveSettings(
        small.load(), writes=200, reads=200, seconds=4, rows=500, control=1.0, late=ANY_LAG,
        max_wait=60, saturation=0, build=tmp_path / "build",
    )  # fmt: skip
    document = run_live(settings)
    told = "\n".join(lines(document))
    findings = {one.id for one in document.findings if one.severity == "critical"}
    assert findings <= {"live.latency"}, told  # a neighbour's load is no fault of the plan's
    assert document.history.verdict == "pass", told
    assert document.unknowns == [], told
    assert all(step.loaded for step in document.steps)
    assert [kill.fired for kill in document.kills] == [True, True]
    counts = document.history.counts
    assert counts["writes_acknowledged"] > 500
    again = read_history(Path(document.history.file))
    assert len(again.operations) == counts["operations"]
    assert load(small.root / "plan.toml").hash == document.plan.hash
