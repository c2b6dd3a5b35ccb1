"""The faults of the wire strike the message that they name, and every fault has a name that is
known: what is not there, not struck or not answered for is no pass, and bad input is said at once.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.core.errors import InfrastructureError, Stopped, UsageError
from harness.crash import explore, fault_names, runners, sample, workers
from harness.crash.domain.wire import golden
from harness.crash.domain.wire.faults import WireScene, counts, logs_in, strike
from harness.crash.model import NOWHERE, START, CoverageRow, Point, Task
from harness.crash.registry import DOMAINS, REGISTRY
from harness.crash.request import NOTHING
from harness.crash.settings import CrashSettings
from harness.crash.setup import Setup
from harness.crash.templates import furnished
from harness.fault.frames import Message
from harness.fault.proxy import Act, Frame, Partial, Proxy
from harness.fault.strikes import MessageRecorder
from harness.report import crash_page
from harness.runner import heartbeat, signals
from harness.server.installation import embedded, system
from tests.harness.support.crash import ground_of
from tests.harness.support.runner import SmallPlan
from tests.harness.support.server import require

STEP, FILL = "1.1/010_column", "1.1/020_fill"
ROWS = ("baseline/010_things.sql", "generate_series(1, 1000)", "generate_series(1, 250)")
"""Three batches do here."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallPlan:
    files = SmallPlan(tmp_path_factory.mktemp("plan"))
    files.replace(*ROWS)
    return files


@pytest.fixture(scope="module")
def ground(harness_server, small) -> Iterator[Setup]:
    """The small plan and its bench."""
    found = ground_of(harness_server.dsn(), small.load())
    place = furnished(found, harness_server.dsn())
    yield replace(found, extra={"bench": place})
    place.close()


@pytest.fixture(scope="module")
def tasks(ground) -> list[Task]:
    return workers.find_tasks(ground, "wire")


def struck(
    ground: Setup, tasks: list[Task], fault: str, wanted: Callable[[Point], bool], planted: Any
) -> list[CoverageRow]:
    """The rows of a fault's forward points, with a defect planted in the struck runners."""
    prepare = planted and f"{__name__}:{planted.__name__}"
    chosen = [
        replace(task, points=tuple(p for p in task.points if p.direction == "forward" if wanted(p)))
        for task in sample.struck_by(tasks, [fault])
    ]
    some = [task for task in chosen if task.points]
    assert some, "no such point"
    return list(workers.run_tasks(replace(ground, prepare=prepare), some, workers=1))


# What was struck ends as it may.


def give_up_as_if_never_begun() -> None:
    """Planted: a connection that is lost midway is said to have never been there."""
    run = runners.VERBS["forward"]

    def confused(dsn: str, plan: Any, **others: Any) -> Any:
        try:
            return run(dsn, plan, **others)
        except Stopped as error:
            raise InfrastructureError("no connection to the database") from error

    runners.VERBS["forward"] = confused


def test_midway_a_runner_stops_and_does_not_say_that_there_is_no_server(ground, tasks):
    """Would pass if status 3 were let pass wherever a line is cut."""
    rows = struck(ground, tasks, "cut", lambda point: point.step == STEP, give_up_as_if_never_begun)
    assert [row for row in rows if row.verdict != "fail"] == []
    assert all("the runner ended with 3" in row.reason for row in rows)


def test_before_there_was_a_session_there_is_nothing_to_resume(ground, tasks):
    beats = tasks[0].extra["stretch"].segments[0].beats
    logins = {beat.boundary for beat in beats if beat.step == START and logs_in(beat)}
    rows = struck(ground, tasks, "cut", lambda p: p.step == START and p.boundary in logins, None)
    assert {row.verdict for row in rows} == {"pass"}
    assert any("ended with 3" in row.evidence for row in rows)


def die_of_a_second_interrupt() -> None:
    """Planted: who presses Ctrl-C twice ends Python, not the run."""
    receive = signals.StopRequest.receive

    def impatient(self: Any, number: int, frame: Any) -> None:
        if number == signal.SIGINT and self.count:
            raise KeyboardInterrupt
        receive(self, number, frame)

    signals.StopRequest.receive = impatient  # type: ignore[method-assign]


def test_both_signals_are_sent_twice_at_commits(ground, tasks):
    """Would miss it if only SIGTERM came twice."""
    at = lambda point: point.step == STEP  # noqa: E731 - short, and used four times
    for fault in ("sigterm-twice", "sigint-twice"):
        assert {row.verdict for row in struck(ground, tasks, fault, at, None)} == {"pass"}
    planted = die_of_a_second_interrupt
    assert {r.verdict for r in struck(ground, tasks, "sigterm-twice", at, planted)} == {"pass"}
    rows = struck(ground, tasks, "sigint-twice", at, planted)
    assert {(row.fired, row.verdict) for row in rows} == {(True, "fail")}, rows
    assert all("the runner ended with 70" in row.reason for row in rows)


# What fired is the message that the point names.


def strikes_at_one_message(ground: Setup) -> list[tuple[bool, str]]:
    """Cut the same message twice: once it is the one that is looked for, once another is."""
    place = (ground.extra or {})["bench"]
    beats = golden.trace(ground, place, "forward")
    number, beat = next((n, b) for n, b in enumerate(beats, 1) if b.step == FILL and b.kind == "Q")
    other = next(b for b in beats if b.kind == beat.kind and b.signature != beat.signature)
    found = []
    for looked_for in (beat, other):
        dsn = place.start("forward")
        scene = WireScene(ground, "forward", dsn, number, looked_for)
        seen = strike(scene, "cut")
        found.append((seen.fired, seen.evidence))
        place.drop(dsn)
    return found


def test_a_strike_at_another_message_of_the_same_kind_did_not_fire(ground):
    """Would fire if the kind of a message were all that is compared."""
    with workers.pool(1) as processes:
        right, wrong = processes.submit(strikes_at_one_message, ground).result()
    assert right[0]
    assert not wrong[0]
    assert re.match(r"message \d+ was Q \w+, not Q \w+", wrong[1])


class HeldUntilSeen(MessageRecorder):
    """Holds the first message of a step until another kind of message has been seen."""

    seen: list[str]

    def meets(self, frame: Frame) -> Act | Partial:
        """Hold it; heartbeats come by another connection."""
        if self.note() == FILL and not self.seen:
            return Act.HOLD
        return super().meets(frame)


def run_with_heartbeats(ground: Setup) -> tuple[list[str], list[str], list[str]]:
    """What counts of a run with heartbeats, what does not, and what counts of one without."""
    place = (ground.extra or {})["bench"]
    silent = [beat.signature for beat in golden.trace(ground, place, "forward")]
    left_out: list[str] = []

    def counted(message: Message) -> bool:
        if not counts(message):
            left_out.append(message.text)
        return counts(message)

    dsn = place.start("forward")
    with Proxy(dsn, counted) as proxy:
        plan = ground.sweeping(heartbeat=0.02)
        with runners.start(ground, "forward", proxy.dsn, plan, close=proxy.descriptors) as process:
            strike = HeldUntilSeen(lambda: golden.step_of(process))
            strike.seen = left_out
            proxy.serve([process], strike)
            assert process.wait().status == 0
    place.drop(dsn)
    return [golden.signature(one) for one in strike.trace], left_out, silent


def test_heartbeats_alone_are_not_counted(ground):
    """Would fail if the runner asked for signs of life in other words than the proxy knows."""
    with workers.pool(1) as processes:
        told, left_out, silent = processes.submit(run_with_heartbeats, ground).result()
    assert told == silent
    assert left_out
    question = heartbeat.QUESTION.partition("{")[0]
    assert all(text.startswith(question) for text in left_out)


# Everything that there is has a name, and everything that was asked for is there.


@pytest.fixture(scope="module")
def everything(ground) -> list[Task]:
    found = workers.find_all(ground, DOMAINS, 2)
    return [task for some in found.values() for task in some]


def test_every_domain_finds_points_in_both_directions(everything):
    found = {(point.domain, point.direction) for task in everything for point in task.points}
    assert found == {(domain, way) for domain in DOMAINS for way in ("forward", "rollback")}


def test_every_fault_that_is_found_is_known_by_name_and_every_name_is_found(everything):
    found = {(point.domain, point.fault) for task in everything for point in task.points}
    assert [one for one in sorted(found) if not fault_names.knows(*one)] == []
    for domain, names in ((name, one.faults) for name, one in REGISTRY.items()):
        for name in names:
            # small names no roles to close the door to: test_window; its one worker has no ranges:
            if name.startswith(("window-", "batch_range.")):  # test_crew
                continue
            shape = re.sub("[A-Z]+", r"\\w+", re.escape(name))
            assert any(domain == d and re.fullmatch(shape, fault) for d, fault in found), name


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"faults": ("cut", "flood")}, "no fault 'flood' in what is explored"),
        ({"faults": ("cut",), "domains": ("wal", "pinned")}, "no fault 'cut'"),
        ({"replay": "wire:forward:9.9/x:m01:cut"}, "no crash point .* has no step 9.9/x"),
        ({"replay": f"wal:forward:{FILL}:m01:cut"}, "no crash point .* wal has no fault cut"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_started(
    small, monkeypatch, choice: dict[str, Any], said: str
):
    """Would be another error, of the room that there is not, if it were looked for later."""
    monkeypatch.setattr(explore, "ROOM", 2**60)
    with pytest.raises(UsageError, match=said):
        explore.run(CrashSettings(small.load().path, rows=0, **choice))


def test_a_fault_narrows_the_search_to_the_domains_that_know_it(small):
    chosen = CrashSettings(small.load().path, faults=("cancel", "cut"))
    assert explore.narrowed(chosen, small.load()).domains == ("wire", "pinned")


def test_room_is_asked_for_by_the_number_of_workers(small, monkeypatch):
    root, _ = explore.data_root()
    monkeypatch.setattr(explore, "ROOM", explore.free(root if root.exists() else root.parent) // 2)
    with pytest.raises(InfrastructureError, match=r"[kMGT]B there for 5 workers"):
        explore.run(CrashSettings(small.load().path, rows=0, workers=5))


def test_a_direction_in_which_nothing_is_found_leaves_the_whole_unknown(
    harness_server, small, monkeypatch, tmp_path
):
    """Would pass if only what was enumerated were held against the rows."""
    find_all = workers.find_all

    def forward_only(*arguments: Any) -> dict[str, list[Task]]:
        found = find_all(*arguments)
        return {name: sample.in_directions(some, ["forward"]) for name, some in found.items()}

    monkeypatch.setattr(workers, "find_all", forward_only)
    settings = CrashSettings(
        small.load().path,
        rows=0,
        domains=("wire",),
        directions=("forward", "rollback"),
        points=2,
        build=tmp_path,
    )
    document = explore.run_on(harness_server, settings, small.load())
    assert document.verdict == "unknown"
    (unknown,) = document.unknowns
    assert unknown.id == f"wire:rollback:{NOWHERE}:none:any"
    assert unknown.reason == NOTHING
    assert "--domain wire --direction rollback " in unknown.replay
    assert document.enumerated["wire"]["rollback"] == 0
    assert document.enumerated["wire"]["forward"] > document.points == 2
    assert NOTHING in crash_page.html(document)


def connect_elsewhere() -> None:
    """Planted: a subject that does its work by another way than the DSN that it is given."""
    runners.VERBS["forward"] = lambda *_, **__: None  # type: ignore[assignment, return-value]


def test_a_subject_that_cannot_be_traced_is_said_and_nothing_is_struck(ground):
    elsewhere = replace(ground, prepare=f"{__name__}:{connect_elsewhere.__name__}")
    with pytest.raises(InfrastructureError, match="the subject cannot be traced") as caught:
        workers.find_tasks(elsewhere, "wire")
    assert "the DSN that it is given" in str(caught.value)


# The command.


def crash(*arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "harness", "crash", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_a_container_is_refused_and_what_would_do_is_said(small):
    status, _, err = crash("--server", "container", "--plan", str(small.load().path))
    assert status == 3
    assert "cannot kill and copy a server of provider container" in err
    assert "use embedded or system" in err


@pytest.mark.parametrize(
    "arguments", [["--fault", "flood"], ["--replay", "wire:forward:9.9/x:m01:cut"]]
)
def test_what_is_unknown_is_a_usage_error(small, arguments):
    status, _, err = crash(*arguments, "--plan", str(small.load().path))
    assert status == 2
    assert "looking for points" not in err


def test_the_command_strikes_the_named_faults_alone(small, tmp_path):
    options = ["--rows", "0", "--build", str(tmp_path), "--plan", str(small.load().path)]
    status, out, err = crash(*options, "--fault", "sigint-twice,sigint", "--points", "4", "--json")
    assert status == 0, out + err
    document = json.loads(out)
    assert {row["fault"] for row in document["rows"]} <= {"sigint", "sigint-twice"}
    assert document["asked"]["faults"] == ["sigint-twice", "sigint"]
    assert list(document["domains"]) == ["wire"]
    assert sum(document["enumerated"]["wire"].values()) > 1000


@pytest.mark.parametrize("provider", ["embedded", "system"])
def test_a_failure_is_repeated_by_the_line_that_it_prints(provider, tmp_path):
    """Would pass on the second run if the line named another server, or another point."""
    have = system() if provider == "system" else embedded()
    if not have:
        require(provider, "no Postgres of this kind")
    forgetful = SmallPlan(tmp_path / "plan")
    forgetful.replace(*ROWS)
    forgetful.replace("phases/1.1_fill/010_column.rollback.sql", "DROP TABLE public.kinds;\n", "")
    options = ["--build", str(tmp_path / "build"), "--json"]
    asked = ["--server", provider] if provider != "embedded" else []
    chosen = ["--domain", "wire", "--fault", "sigkill-acked", "--rows", "0", "--points", "8"]
    plan = ["--plan", str(forgetful.load().path)]
    status, out, err = crash(*chosen, *asked, *plan, *options)
    assert status == 1, out + err
    first = json.loads(out)
    assert first["failures"], first
    failure = first["failures"][0]
    harness, crash_, *line = shlex.split(failure["replay"])
    assert (harness, crash_) == ("harness", "crash")
    assert (f"--server system --pg-version {have[0].version}" in failure["replay"]) is bool(asked)
    status, out, err = crash(*line, *options)
    assert status == 1, out + err
    again = json.loads(out)
    (same,) = [one for one in again["failures"] if one["id"] == failure["id"]]
    assert "public.kinds" in same["reason"], same
    environment = again["environment"]
    assert (environment["server"], environment["postgres"]) == (provider, have[0].version)
