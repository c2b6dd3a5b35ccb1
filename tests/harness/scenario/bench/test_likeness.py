"""What is compared only where it is alike, and only as far as the time reaches."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.scenario.bench.compare.block import ArmFacts
from harness.scenario.bench.compare.budget import TimeNeed, drop_beyond
from harness.scenario.bench.compare.decision import RoundResult
from harness.scenario.bench.compare.likeness import refuse_unlike, refuse_unlike_speed
from harness.scenario.bench.compare.lock import differs_from_lock
from harness.scenario.bench.compare.workloads import WORKLOADS, choose_workloads

FACTS = ArmFacts("18.0", {"work_mem": "4096"}, {"public.things": 1000}, {"nice": "0"})


def test_arms_alike_are_compared() -> None:
    refuse_unlike({"base": FACTS, "head": replace(FACTS)})
    refuse_unlike_speed(RoundResult("same", 1.0))
    refuse_unlike_speed(RoundResult("cannot tell", 1.3))


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (replace(FACTS, version="15.1"), "base 18.0, head 15.1"),
        (replace(FACTS, settings={"work_mem": "64"}), "work_mem: base 4096, head 64"),
        (replace(FACTS, rows={"public.things": 900}), "public.things: base 1000, head 900"),
        (replace(FACTS, rows={}), "public.things: base 1000, head none"),
        (replace(FACTS, place={"nice": "5"}), "nice: base 0, head 5"),
    ],
)
def test_unlike_things_are_refused_by_name(head: ArmFacts, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        refuse_unlike({"base": FACTS, "head": head})


def test_arms_that_get_unlike_shares_of_the_machine_are_refused() -> None:
    with pytest.raises(UsageError, match=r"1\.40 times the processor time"):
        refuse_unlike_speed(RoundResult("slower", 1.4))


NEEDS = {"quick": TimeNeed(10, 10), "middle": TimeNeed(100, 100), "slow": TimeNeed(300, 300)}


@pytest.mark.parametrize(
    ("left", "dropped"),
    [
        (710, []),
        (709, ["slow"]),
        (150, ["slow", "middle"]),
        (5, ["slow", "middle", "quick"]),
    ],
)
def test_what_does_not_fit_is_left_out_by_name_with_room_to_confirm(
    left: float, dropped: list[str]
) -> None:
    assert drop_beyond(NEEDS, left) == dropped


def test_the_servers_that_are_still_to_start_count() -> None:
    assert drop_beyond(NEEDS, 710, opening=1) == ["slow"]
    assert drop_beyond(NEEDS, 410, confirm=False) == []


PYTEST = metadata.version("pytest")


@pytest.mark.parametrize(
    ("lock", "dependencies", "differs"),
    [
        (f"pytest=={PYTEST} \\\n    --hash=sha256:00\n", ["pytest>=8"], False),
        ("pytest==0.1 \\\n    --hash=sha256:00\n", [], True),
        ("nobody-has-this==1\n", [], False),
        ("", ["nobody-has-this>=1"], True),
    ],
)
def test_packages_are_shared_unless_the_lock_asks_for_others(
    lock: str, dependencies: list[str], differs: bool, tmp_path: Path
) -> None:
    (tmp_path / "requirements.lock").write_text(lock)
    assert differs_from_lock(tmp_path / "requirements.lock", dependencies) == differs


def test_a_name_that_is_no_benchmark_is_refused_with_those_that_are() -> None:
    assert list(choose_workloads([])) == list(WORKLOADS)
    with pytest.raises(UsageError, match=r"'cloen'.*clone, fingerprint"):
        choose_workloads(["clone", "cloen"])
