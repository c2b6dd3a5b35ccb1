"""Benchmarks that no number of rows changes: a server's start, and a crash point of the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from harness.crash.explore import run_on
from harness.crash.settings import CrashSettings
from harness.crash.setup import Setup
from harness.document.bench_run import BenchResultDocument
from harness.scenario.bench.own import ROUNDS, timed
from harness.scenario.bench.statistics import summarize
from harness.server import Server

START: Final = "server-start"
POINT: Final = "crash-point"
FIXED: Final = (START, POINT)
KIND: Final = "harness"
ROWS: Final = 100
POINTS: Final = 8
"""Points of the sample of a crash exploration; two workers strike them."""


def run_fixed(
    setup: Setup, server: Server, only: Sequence[str], tell: Callable[[str], None]
) -> Iterator[BenchResultDocument]:
    """Those that are wanted by name, or all."""
    if not only or START in only:
        tell(START)
        times = [timed(lambda: setup.server("fast").close()) for _ in range(ROUNDS)]
        yield BenchResultDocument(name=START, kind=KIND, rows=0, seconds=summarize(times))
    if not only or POINT in only:
        tell(POINT)
        yield BenchResultDocument(
            name=POINT, kind=KIND, rows=ROWS, seconds=summarize([_seconds_a_point(setup, server)])
        )


def _seconds_a_point(setup: Setup, server: Server) -> float:
    settings = CrashSettings(
        rows=ROWS, seed=setup.seed, points=POINTS, domains=("wire",), build=None,
        server=server.provider, pg_version=server.version, subject=setup.subject,
    )  # fmt: skip
    found = run_on(server, settings, setup.subject)
    return found.seconds / max(found.points, 1)
