"""What a run, its runner and its server use is told to Prometheus; what is not seen is said so."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until
from harness.observe.metrics import exposition
from harness.observe.process_use import ProcessUse, runner_use, server_use
from harness.observe.run_figures import (
    DatabaseUse,
    HostUse,
    RunFigures,
    StatementTime,
    StepTime,
)
from harness.observe.run_standing import IndexBuild, RunStanding, StepStanding, WaitingSession
from harness.runner.control import control
from harness.runner.watching import look_and_measure, watching
from harness.server import Server, choose
from tests.harness.support.runner import WAIT, SmallPlan, ask, child, prepared_to_fill, run_sql
from tests.harness.support.server import require

USE = ProcessUse(1.5, 1000, 10, 20)
WHOLE = exposition(
    RunStanding(
        *("partial", 1, "forward"),
        at_work=True,
        step=StepStanding("1.1/020_fill", "batch", "running", 400, 1000),
        build=IndexBuild("building index: scanning table", 1, 2, "blocks"),
        waits=(WaitingSession(1, 2.0, "process 2"),),
    ),
    RunFigures(
        DatabaseUse(1, 2, 3, 4),
        HostUse(5, 0.5, USE),
        USE,
        0.5,
        (StepTime("1.1/020_fill", 2.0),),
        (StatementTime("-123", 2, 1.0, 0.9),),
    ),
)


def checked(text: str) -> subprocess.CompletedProcess[str]:
    """What Prometheus' own tool says of a text of metrics."""
    program = shutil.which("promtool")
    if program is None:
        require("promtool", "install Debian's package prometheus")
    return subprocess.run(
        [program, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )


def test_promtool_finds_nothing_wrong_with_any_metric() -> None:
    for text in (WHOLE, exposition(None)):
        found = checked(text)
        assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    planted = WHOLE.replace("harness_runner_cpu_seconds_total", "harness_runner_cpu_ms")
    assert checked(planted).returncode != 0


def test_a_scrape_tells_of_the_runner_and_outlives_it(
    tmp_path: Path, harness_empty_database: str, harness_server: Server
) -> None:
    dsn, plan = harness_empty_database, prepared_to_fill(tmp_path, harness_empty_database)
    control(dsn, "pause", {}, 600.0)
    with watching(dsn) as conn:
        with child("migrate", dsn, plan) as run:
            run.event("paused")
            view, figures = look_and_measure(conn, plan)
            assert figures.runner is not None
            assert figures.runner.memory_bytes > 1_000_000
            assert (figures.host is not None) == harness_server.capabilities.local_files
            text = exposition(view, figures)
            assert 'harness_seen{part="runner"} 1.0\n' in text
            run.kill()
        wait_until(lambda: not look_and_measure(conn, plan)[0].at_work, WAIT, "a free lock")
        view, figures = look_and_measure(conn, plan)
        wait_until(
            lambda: look_and_measure(conn, plan)[1].database.found_bytes > 0,
            WAIT,
            "the counters of sessions that have ended",
        )
    text = exposition(view, figures)
    assert figures.runner is None
    assert 'harness_seen{part="runner"} 0.0\n' in text
    assert "harness_runner_memory_bytes" not in text
    assert 'harness_step_seconds{direction="forward",run="1",step="1.1/010_column"}' in text


def test_a_runner_elsewhere_or_a_number_that_is_anothers_is_not_measured() -> None:
    ours, now = f"me@{socket.gethostname()}:{os.getpid()}", time.time()
    found = runner_use(ours, now)
    assert found is not None
    assert found.cpu_seconds > 0
    assert runner_use(f"me@elsewhere.example:{os.getpid()}", now) is None
    assert runner_use(ours, now - 10**6) is None, "our process is younger than that runner"
    assert runner_use("who knows", now) is None


def test_a_servers_use_is_that_of_all_its_processes() -> None:
    alone = runner_use(f"me@{socket.gethostname()}:{os.getpid()}", time.time())
    with subprocess.Popen(["sleep", "600"]) as sleeper:
        family = server_use(os.getpid())
        sleeper.kill()
    assert alone is not None
    assert family is not None
    assert family.cpu_seconds >= alone.cpu_seconds
    assert server_use(2**31 - 1) is None


@pytest.fixture
def counting() -> Iterator[Server]:
    """A server that counts statements."""
    try:
        server = choose("embedded")
    except InfrastructureError as error:
        require("embedded", str(error))
    try:
        server.start()
        run_sql(server.dsn(), "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        server.stop("fast")
        server.start()
        yield server
    finally:
        server.close()


def test_slow_statements_are_told_by_number_where_the_server_counts_them(
    counting: Server, tmp_path: Path
) -> None:
    dsn, plan = counting.dsn(), SmallPlan(tmp_path).load()
    with watching(dsn) as conn:
        assert look_and_measure(conn, plan)[1].statements is None
        run_sql(dsn, "CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset()")
        run_sql(dsn, "SELECT 'secret', pg_sleep(0.2)")
        view, figures = look_and_measure(conn, plan)
    number = ask(dsn, "SELECT queryid::text FROM pg_stat_statements WHERE query ~ 'pg_sleep'")
    (slept,) = (one for one in figures.statements or () if one.number == number)
    assert (slept.calls, slept.longest >= 0.2) == (1, True)
    text = exposition(view, figures)
    assert f'harness_statement_calls_total{{queryid="{number}"}} 1.0\n' in text
    assert "secret" not in text
    assert "pg_sleep" not in text
