"""What a person sees of long work: rows, rate and what is left, at a terminal and in a log."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import runner
from harness.core import progress
from harness.database import fingerprint
from harness.observe.pace import MeanRate
from harness.observe.progress import LineLog, Meter, Steps
from harness.observe.standing import ProgressStanding, drawn, line
from harness.runner.outcome import Event
from tests.harness.support.runner import SmallPlan, ask, prepared, prepared_to_fill, run_sql

FILL = "1.1/020_fill"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Told:
    """What was shown at each look."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def show(self, at: ProgressStanding, pace: MeanRate) -> None:
        self.lines.append(line(at, pace))

    def say(self, text: str) -> None:
        self.lines.append(text)


class FromTheBeginning(MeanRate):
    """A planted defect: what an earlier run did counts as this one's work."""

    def at(self, done: int, total: int) -> None:
        if self._first is None:
            super().at(0, total)
        super().at(done, total)


class DeafToStandstill(MeanRate):
    """A planted defect: time only counts while something is told."""

    def at(self, done: int, total: int) -> None:
        super().at(done, total)
        self._heard = self._clock() - self._began

    @property
    def worked(self) -> float:
        return self._heard


def steady(kind: type[MeanRate]) -> bool:
    clock = Clock()
    pace = kind(clock)
    for second in range(11):
        clock.now = second
        pace.at(second * 100, 2000)
    return (pace.rate(), pace.left()) == (100.0, 10.0)


def resumed(kind: type[MeanRate]) -> bool:
    clock = Clock()
    pace = kind(clock)
    pace.at(9000, 10_000)
    clock.now = 2.0
    unknown = pace.rate() is None and pace.left() is None
    pace.at(9200, 10_000)
    return unknown and (pace.rate(), pace.left()) == (100.0, 8.0)


def stalled(kind: type[MeanRate]) -> bool:
    clock = Clock()
    pace = kind(clock)
    pace.at(0, 1000)
    clock.now = 5.0
    pace.at(500, 1000)
    seen = []
    for clock.now in (5.0, 10.0, 60.0):
        seen.append(round(pace.left() or 0.0, 6))
    return seen == [5.0, 10.0, 60.0]


@pytest.mark.parametrize("claim", [steady, resumed, stalled])
def test_what_is_left_follows_from_this_runs_own_rate(
    claim: Callable[[type[MeanRate]], bool],
) -> None:
    assert claim(MeanRate)


@pytest.mark.parametrize(
    ("claim", "defect"), [(resumed, FromTheBeginning), (stalled, DeafToStandstill)]
)
def test_a_wrong_pace_is_seen(
    claim: Callable[[type[MeanRate]], bool], defect: type[MeanRate]
) -> None:
    assert not claim(defect)


@pytest.mark.parametrize(("done", "total"), [(0, 100), (50, 0), (150, 100)])
def test_nothing_is_said_to_be_left_where_nobody_knows(done: int, total: int) -> None:
    clock = Clock()
    pace = MeanRate(clock)
    pace.at(0, total)
    clock.now = 5.0
    pace.at(done, total)
    assert pace.left() is None
    assert "left" not in line(ProgressStanding("x", done=done, total=total, unit="rows"), pace)


def test_nothing_is_left_at_the_end_and_never_less() -> None:
    clock = Clock()
    pace = MeanRate(clock)
    pace.at(0, 100)
    clock.now = 5.0
    pace.at(100, 100)
    assert pace.left() == 0.0


def test_a_log_has_no_line_in_two_seconds_and_one_in_ten_after() -> None:
    said: list[tuple[float, str]] = []
    clock = Clock()
    meter = Meter("migrate", LineLog(lambda text: said.append((clock.now, text)), clock), clock)
    steps = Steps(meter)
    steps.receive(Event("resumed", message="run 1", done=12, total=40))
    steps.receive(Event("step_started", FILL))
    steps.receive(Event("measured", FILL, done=20_000, total=120_000))
    for tenth in range(1, 301):
        clock.now = tenth / 10
        done = 20_000 + min(tenth, 150) * 500
        steps.receive(Event("batch", FILL, done=done, total=120_000))
        meter.tick()
    head = "migrate: 12 of 40 steps"
    assert said == [
        (2.0, f"{head}, 30,000 of about 120,000 rows, 5,000 rows/s, about 18 s left in {FILL}"),
        (12.0, f"{head}, 80,000 of about 120,000 rows, 5,000 rows/s, about 8 s left in {FILL}"),
        (22.0, f"{head}, 95,000 of about 120,000 rows, 3,409 rows/s, about 7 s left in {FILL}"),
    ]


@pytest.mark.parametrize("width", [1, 10, 20, 40, 80, 200])
@pytest.mark.parametrize("steps", [None, (12, 40)])
def test_a_bar_fits_the_terminal_and_a_backfill_moves_it(
    width: int, steps: tuple[int, int] | None
) -> None:
    clock = Clock()
    pace = MeanRate(clock)
    pace.at(0, 120_000)
    clock.now = 10.0
    texts = []
    for done in (1, 60_000, 119_000):
        pace.at(done, 120_000)
        at = ProgressStanding("migrate", "", FILL * 9, done, 120_000, "rows", steps)
        texts.append(drawn(at, pace, width))
    assert all(len(text) <= width for text in texts)
    if width >= 40:
        assert len(set(texts)) == 3
        assert all("━" in text or "─" in text for text in texts)


def meter_of(runs: int = 1) -> tuple[Told, Meter, Steps]:
    told, clock = Told(), Clock()
    meter = Meter("run", told, clock)
    return told, meter, Steps(meter, runs)


def test_a_rehearsal_counts_both_ways(tmp_path: Path, harness_empty_database: str) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    told, meter, steps = meter_of(runs=2)

    def receive(event: Event) -> None:
        steps.receive(event)
        meter.tick()

    runner.migrate(harness_empty_database, plan, on_event=receive)
    runner.rollback(harness_empty_database, plan, on_event=receive)
    counts = [re.search(r"(\d) of (\d) steps", text) for text in told.lines]
    seen = list(dict.fromkeys(found.groups() for found in counts if found))
    assert seen == [(str(done), "6") for done in range(7)]


def test_a_resumed_run_starts_at_what_its_ledger_says(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    seen: list[Event] = []
    with pytest.raises(Exception, match="stop"):
        runner.migrate(
            harness_empty_database,
            plan,
            on_event=seen.append,
            stop=lambda: any(event.kind == "batch" for event in seen),
        )
    again: list[Event] = []
    runner.migrate(harness_empty_database, plan, on_event=again.append)
    told = [(one.kind, one.done, one.total) for one in again]
    assert told[0] == ("resumed", 1, 3)
    assert [one for one in told if one[0] in ("measured", "batch")] == [
        ("measured", 400, 1000),
        ("batch", 800, 1000),
        ("batch", 1000, 1000),
    ]


def test_a_lost_connection_is_no_second_run() -> None:
    told, meter, steps = meter_of(runs=2)
    steps.receive(Event("run_started", message="run 1", total=3))
    steps.receive(Event("step_done", "a"))
    steps.receive(Event("resumed", message="run 1", done=1, total=3))
    meter.tick()
    steps.receive(Event("run_started", message="run 2", total=3))
    meter.tick()
    assert told.lines == ["run: 1 of 6 steps, 0 s", "run: 3 of 6 steps, 0 s"]


def test_a_fingerprint_tells_its_bytes_up_to_the_end(things: str) -> None:
    run_sql(
        things,
        "CREATE TABLE public.wide AS SELECT g, repeat(md5(g::text), 20) AS t"
        " FROM generate_series(1, 60000) AS g",
    )
    heard: list[tuple[int, int, str, str]] = []

    class Ear:
        def stage(self, name: str) -> None:
            raise AssertionError(name)

        def told(self, what: str, done: int, total: int, unit: str) -> None:
            heard.append((done, total, unit, what))

    with progress.heard_by(Ear()):
        fingerprint.take(things)
    size = ask(things, "SELECT pg_relation_size('public.wide')")
    done = [one[0] for one in heard]
    assert done == sorted(done)
    assert len(done) > 2
    assert heard[-1][0] > size * 0.99
    assert {one[1:3] for one in heard} == {(heard[0][1], "bytes")}
    assert heard[-1][0] <= heard[0][1]
    fingerprint.take(things)  # nobody listens any more
    assert len(heard) == len(done)


def test_a_name_gives_a_terminal_no_commands() -> None:
    told, meter, _ = meter_of()
    meter.told("public.\x1b[2J\n", 1, 2, "checks")
    meter.tick()
    assert told.lines == ["run: 1 of 2 checks, measuring in public.?[2J?"]


def prepared_slow(root: Path, dsn: str) -> SmallPlan:
    """A backfill that takes some seconds: every batch sleeps a while."""
    small = SmallPlan(root)
    small.replace("phases/1.1_fill/020_fill.forward.sql", "key: id\n", "key: id\n-- batch: 25\n")
    small.replace(
        "phases/1.1_fill/020_fill.forward.sql",
        "UPDATE public.things",
        "WITH slow AS MATERIALIZED (SELECT pg_sleep(0.06)) UPDATE public.things",
    )
    small.replace(
        "phases/1.1_fill/020_fill.forward.sql",
        "WHERE id >",
        "FROM slow WHERE pg_sleep IS NOT NULL AND id >",
    )
    runner.baseline(dsn, small.load())
    return small


def migrated(small: SmallPlan, dsn: str, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "harness", "migrate", "--dsn", dsn),
        *("--plan", str(small.root / "plan.toml"), "--waive-backup", "test", *more),
    ]


def at_terminal(command: list[str], columns: int, term: str = "xterm") -> list[str]:
    """The lines that a terminal of so many columns was given for stderr, without colours."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": term, "NO_COLOR": "1"}
    heard: list[bytes] = []

    def listen() -> None:
        while True:
            try:
                heard.append(os.read(ours, 65536))
            except OSError:  # the other end was closed
                return

    ear = threading.Thread(target=listen)
    ear.start()
    done = subprocess.run(
        command, stderr=theirs, stdout=subprocess.PIPE, env=environment, check=True
    )
    os.close(theirs)
    ear.join()
    os.close(ours)
    assert done.stdout.startswith(b"migrate: ")
    text = ESCAPES.sub("", b"".join(heard).decode())
    return [one for one in re.split(r"[\r\n]+", text) if one]


@pytest.mark.parametrize("columns", [40, 80])
def test_a_terminal_shows_a_bar_that_fits(
    tmp_path: Path, harness_empty_database: str, columns: int
) -> None:
    small = prepared_slow(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, small.load(), until="1.1/010_column")
    lines = at_terminal(migrated(small, harness_empty_database), columns)
    assert max(map(len, lines)) < columns
    bars = [one for one in lines if "━" in one or "─" in one]
    counted = [one for one in bars if re.search(r" 1/3 .*(%|rows)", one)]
    assert len(set(counted)) > 3, lines
    assert not [one for one in bars if " 0/3 " in one], "it was resumed, and starts at one"
    assert any("~" in one and "020_f" in one for one in counted), counted


def test_a_log_is_told_of_a_long_backfill_and_stdout_is_not(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = prepared_slow(tmp_path, harness_empty_database)
    done = subprocess.run(
        migrated(small, harness_empty_database, "--json"),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )
    assert re.fullmatch(
        r"(migrate: 1 of 3 steps, \d+ of about 1,000 rows, [\d.]+ rows/s, about \d+ s left"
        rf" in {FILL}\n)+",  # a slow machine has time for more than one line
        done.stderr,
    )
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["eta_error_percent"] >= 0


def test_a_dumb_terminal_is_given_no_bar(tmp_path: Path, harness_empty_database: str) -> None:
    prepared(tmp_path, harness_empty_database)
    assert at_terminal(migrated(SmallPlan(tmp_path), harness_empty_database), 80, term="dumb") == []
