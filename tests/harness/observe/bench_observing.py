"""What it costs to look at a run: the same backfill with watch and metrics beside it, and without.

    python -m tests.harness.observe.bench_observing [--rows 200000] [--rounds 3]

Starts a server of its own. A round is four runs in turn, ABBA: a machine grows slower or faster.
Prints one JSON document; the ratio is the median of the rounds, which only a quiet machine gives.
What both commands themselves computed meanwhile, in percent of one core, neighbours do not change.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from harness import runner
from harness.database import admin
from harness.plan import Plan
from harness.server import choose
from tests.harness.support.runner import SmallPlan

COLUMN = "1.1/010_column"
TURNS = (False, True, True, False)


def small_plan(root: Path, rows: int) -> Plan:
    """The tests' small plan, with more rows, and batches as a plan has them by default."""
    plan = SmallPlan(root)
    plan.replace("baseline/010_things.sql", "1000)", f"{rows})")
    plan.replace("plan.toml", "batch_rows = 400\nadaptive = false\n", "")
    return plan.load()


@contextmanager
def observed(dsn: str, plan: Plan, root: Path, percents: list[float]) -> Iterator[None]:
    """Both commands look once a second, and have looked once before the block begins.

    Adds what they computed during the block.
    """
    given = ["--dsn", dsn, "--plan", str(plan.path), "--every", "1s"]
    file = root / "figures.prom"
    file.unlink(missing_ok=True)
    harness = [sys.executable, "-m", "harness"]
    with (
        subprocess.Popen([*harness, "metrics", "--file", str(file), *given]) as metrics,
        subprocess.Popen([*harness, "watch", *given], stdout=subprocess.PIPE) as watch,
    ):
        try:
            assert watch.stdout is not None
            watch.stdout.readline()
            while not file.exists():
                time.sleep(0.05)
            before, began = computed(metrics, watch), time.perf_counter()
            yield
            took = time.perf_counter() - began
            percents.append(round(100 * (computed(metrics, watch) - before) / took, 1))
        finally:
            for process in (metrics, watch):
                process.terminate()
                process.communicate()


def computed(*processes: subprocess.Popen[bytes]) -> float:
    """CPU seconds of processes so far."""
    times = [psutil.Process(one.pid).cpu_times() for one in processes]
    return sum(one.user + one.system for one in times)


def seconds(
    server_dsn: str, base: str, plan: Plan, root: Path, percents: list[float] | None
) -> float:
    """How long the rest of the plan takes on a copy, looked at where there are `percents`."""
    name = admin.unique_name("harness_bench")
    admin.create(server_dsn, name, template=base)
    dsn = admin.with_dbname(server_dsn, name)
    try:
        with contextlib.ExitStack() as beside:
            if percents is not None:
                beside.enter_context(observed(dsn, plan, root, percents))
            began = time.perf_counter()
            runner.migrate(dsn, plan)
            return round(time.perf_counter() - began, 3)
    finally:
        admin.drop(server_dsn, name)


def measure(server_dsn: str, root: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Seconds of both, and the ratio of each round."""
    plan, base = small_plan(root, rows), admin.unique_name("harness_bench")
    admin.create(server_dsn, base)
    try:
        dsn = admin.with_dbname(server_dsn, base)
        runner.baseline(dsn, plan)
        runner.migrate(dsn, plan, until=COLUMN)
        taken: dict[bool, list[float]] = {False: [], True: []}
        percents: list[float] = []
        for _ in range(rounds):
            for turn in TURNS:
                given = percents if turn else None
                taken[turn].append(seconds(server_dsn, base, plan, root, given))
    finally:
        admin.drop(server_dsn, base)
    pairs = [iter(taken[turn]) for turn in (True, False)]
    ratios = [
        round((next(pairs[0]) + next(pairs[0])) / (next(pairs[1]) + next(pairs[1])), 3)
        for _ in range(rounds)
    ]
    return {
        "rows": rows,
        "observed_seconds": taken[True],
        "alone_seconds": taken[False],
        "ratios": ratios,
        "ratio": statistics.median(ratios),
        "observers_percent_of_a_core": percents,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    server = choose("embedded", profile="durable")
    try:
        server.start()
        with tempfile.TemporaryDirectory() as root:
            found = measure(server.dsn(), Path(root), given.rows, given.rounds)
    finally:
        server.close()
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
