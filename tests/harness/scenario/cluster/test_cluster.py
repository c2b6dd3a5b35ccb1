"""Two workers strike what one machine would, though one of them is killed in mid-task."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.core.poll import wait_until
from harness.core.tree_hash import tool_hash
from harness.crash import explore
from harness.crash.model import CoverageRow, Task
from harness.crash.prospect import Prospect, prospected
from harness.crash.settings import CrashSettings
from harness.document.base import to_builtins
from harness.scenario.cluster.address import connected
from harness.scenario.cluster.dispatch import Part
from harness.scenario.cluster.order import WorkOrder, why_foreign
from harness.scenario.cluster.run import strike_on
from harness.server import Server
from harness.subject.plan import PlanSubject
from tests.harness.scenario.merge.test_crash_shards import timeless
from tests.harness.support.cluster import LONG, cluster
from tests.harness.support.runner import SmallPlan


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlanSubject:
    files = SmallPlan(tmp_path / "project")
    files.replace("baseline/010_things.sql", "generate_series(1, 1000)", "generate_series(1, 250)")
    monkeypatch.chdir(files.root)
    return PlanSubject(files.load())


def test_the_ledger_is_that_of_one_machine_though_a_worker_is_killed(
    harness_server: Server, small: PlanSubject, tmp_path: Path
) -> None:
    settings = CrashSettings(
        plan=Path("plan.toml"), rows=0, points=4, domains=("wire",), directions=("cleanup",),
        workers=1, build=None,
    )  # fmt: skip
    other = SmallPlan(tmp_path / "other").root
    killed: list[str] = []
    given: list[tuple[str, str]] = []
    with (
        cluster(tmp_path, [Path.cwd(), Path.cwd(), other]) as there,
        connected(there.address) as client,
        prospected(harness_server, settings, small) as prospect,
    ):
        *_, foreign = there.workers

        def heard(worker: str, part: Part) -> None:
            given.extend((worker, name) for name in part.names)
            if not killed and worker != foreign:
                killed.append(worker)
                process = psutil.Process(there.workers[worker].pid)
                wait_until(process.children, LONG, "the worker to make its ground")
                os.kill(process.pid, signal.SIGKILL)

        def spread(
            prospect: Prospect, chosen: Sequence[Task], tell: Callable[[int], None]
        ) -> Iterator[CoverageRow]:
            return strike_on(client, settings, prospect, chosen, tell, heard)

        alone = explore.strike(prospect, settings)
        many = explore.strike(prospect, settings, struck=spread)
        (lost,) = killed
        assert lost not in client.nthreads()
    assert [worker for worker, _ in given].count(foreign) == 1  # it was turned away then
    struck_twice = [name for worker, name in given if worker == lost]
    assert struck_twice
    assert all(
        any(w not in (lost, foreign) and n == name for w, n in given) for name in struck_twice
    )
    assert many.verdict == "pass"
    assert timeless(to_builtins(many)) == timeless(to_builtins(alone))


def order_for(subject: PlanSubject, **changes: Any) -> WorkOrder:
    order = WorkOrder("crash", "plan.toml", subject.hash, tool_hash(), 1, "embedded")
    return replace(order, **changes)


def test_a_worker_of_another_hash_turns_an_order_away(small: PlanSubject) -> None:
    assert why_foreign(order_for(small)) == ""
    assert "the plan here has hash" in why_foreign(order_for(small, plan_hash="f" * 64))
    assert "this harness has hash" in why_foreign(order_for(small, tool_hash="f" * 64))
    assert "nowhere.toml" in why_foreign(order_for(small, plan="nowhere.toml"))


def test_an_order_is_plain_values_and_read_back(small: PlanSubject) -> None:
    order = order_for(small, domains=("wire",), directions=("forward",))
    assert WorkOrder.read(order.document()) == order
    plain = (str, int, bool, type(None), list)
    assert all(isinstance(value, plain) for value in order.document().values())
