"""The wire domain: every message is struck, every state judged, and what is not seen is said."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.core.errors import InfrastructureError, Refused, UsageError
from harness.crash import coverage, sample, workers
from harness.crash.domain.wire.domain import HALF, MAIN
from harness.crash.domain.wire.span import ACKED, CLOSING, RACE, Span
from harness.crash.model import START, CoverageRow, Point, Task
from harness.crash.setup import Setup
from harness.crash.templates import furnished
from harness.runner import backward, batch_step, concurrent_step, steps
from harness.runner.index import Wanted
from harness.runner.ledger import Ledger, LedgerRun
from harness.runner.session import RunnerSession
from harness.runner.step_work import StepWork
from tests.harness.support.crash import ground_of
from tests.harness.support.runner import SmallPlan
from tests.harness.support.thorough import EXHAUSTIVE

if TYPE_CHECKING:
    from harness.server import Server

FILL, INDEX = "1.1/020_fill", "1.2/010_index"
CHEAP = ("cut", "unheard", "sigkill", ACKED, CLOSING)


@pytest.fixture(scope="module")
def ground(harness_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """The small plan with fewer rows, seven commits of a batch step, and its bench."""
    files = SmallPlan(tmp_path_factory.mktemp("plan"))
    files.replace("baseline/010_things.sql", "generate_series(1, 1000)", "generate_series(1, 600)")
    # On a busy machine what rivals hold may be held longer than the plan's short lock timeout.
    files.replace("plan.toml", 'lock_timeout = "200ms"', 'lock_timeout = "5s"')
    found = ground_of(harness_server.dsn(), files.load())
    place = furnished(found, harness_server.dsn())
    yield replace(found, extra={"bench": place})
    place.close()


@pytest.fixture(scope="module")
def tasks(ground: Setup) -> list[Task]:
    """Everything that is to be struck."""
    return workers.find_tasks(ground, "wire")


def some(tasks: list[Task], every: int, *faults: str) -> list[Task]:
    """Each `every`th message of some faults, each fault from another one on; or all of them."""
    chosen = sample.struck_by(tasks, faults)
    if EXHAUSTIVE:
        return chosen
    return [replace(task, points=spread(task.points, every)) for task in chosen]


def spread(points: tuple[Point, ...], every: int) -> tuple[Point, ...]:
    met: Counter[str] = Counter()
    first = {fault: at % every for at, fault in enumerate(sorted({p.fault for p in points}))}
    kept = []
    for point in points:
        if met[point.fault] % every == first[point.fault]:
            kept.append(point)
        met[point.fault] += 1
    return tuple(kept)


def explored(ground: Setup, tasks: list[Task]) -> list[CoverageRow]:
    rows = list(workers.run_tasks(ground, tasks, workers=1))
    assert Counter(row.point for row in rows) == Counter(p for task in tasks for p in task.points)
    return rows


def failing(rows: list[CoverageRow]) -> list[str]:
    return [f"{row.point.id}: {row.verdict}: {row.reason}" for row in rows if row.verdict != "pass"]


def test_every_fifth_message_cut_unheard_or_killed(ground: Setup, tasks: list[Task]) -> None:
    rows = explored(ground, some(tasks, 5, *CHEAP))
    assert failing(rows) == []
    assert all(row.fired for row in rows)
    assert len(rows) > 200
    states = {(row.point.direction, row.state) for row in rows}
    assert len(states) > 15  # strikes before and behind commits leave states of their own


@pytest.mark.parametrize(
    ("faults", "every"),
    [
        (("partial", "sigterm", "sigint", "sigterm-twice"), 13),
        (("blip", "blip-unheard"), 9),
        (("stall",), 23),
        (("sigstop", RACE), 2),
    ],
    ids=["partial-and-signals", "blips", "stall", "rivals"],
)
def test_the_other_faults_of_the_wire(
    ground: Setup, tasks: list[Task], faults: tuple[str, ...], every: int
) -> None:
    rows = explored(ground, some(tasks, every, *faults))
    assert failing(rows) == []
    assert {row.point.fault for row in rows} == set(faults)


def test_a_line_that_falls_silent_before_the_first_step_is_noticed(
    ground: Setup, tasks: list[Task]
) -> None:
    """Would fail if anything that is asked before the heartbeat beats had no bound."""
    silent = sample.struck_by(tasks, ("stall",))
    early = [
        replace(task, points=tuple(p for p in task.points if p.step == START)) for task in silent
    ]
    rows = explored(ground, [task for task in early if task.points])
    assert failing(rows) == []
    assert {row.point.direction for row in rows} == {"forward", "rollback"}


def test_every_message_is_a_point_of_every_main_fault(tasks: list[Task]) -> None:
    counted = Counter(p.fault for task in tasks for p in task.points if not begun_halfway(p))
    assert counted["cut"] == counted["sigkill"] == counted["partial"] > 150
    assert counted[CLOSING] == 2  # one for each direction
    found = {p.step for task in tasks for p in task.points}
    assert found >= {"(start)", "1.1/010_column", FILL, INDEX, "(end)", "(resume)"}


def test_a_message_that_is_never_sent_is_not_passed(ground: Setup, tasks: list[Task]) -> None:
    """Would fail if a strike that met nothing counted as survived."""
    task = next(t for t in tasks if any(p.fault == CLOSING for p in t.points))
    stretch: Span = task.extra["stretch"]
    last = stretch.segments[-1]
    longer = replace(
        last, beats=(*last.beats, *(replace(last.beats[-1], place=n) for n in (98, 99)))
    )
    planted = replace(stretch, segments=(*stretch.segments[:-1], longer))
    point = Point("wire", stretch.direction, last.beats[-1].step, "m99", "cut")
    (row,) = explored(ground, [Task("wire", (point,), 1.0, {"stretch": planted})])
    assert (row.fired, row.verdict) == (False, "fail")


# The chain of kills.


def repeats_behind_the_third() -> None:
    """A runner that resumes one key too early, but only where three batches were done."""
    run = batch_step.run

    def one_too_early(work: StepWork) -> int:
        if work.row is not None and work.row.batches == 3 and work.row.last_key is not None:
            work.row = replace(work.row, last_key=work.row.last_key - 1)
        return run(work)

    steps.RUNNERS["batch"] = one_too_early


def acked(tasks: list[Task], step: str) -> list[Point]:
    """The kills behind the commits of a step forward, in the order of the run."""
    points = [p for task in tasks for p in task.points if p.direction == "forward"]
    return [p for p in points if p.fault == ACKED and p.step == step]


def test_a_chain_that_goes_wrong_fails_where_it_does_and_does_so_again_when_replayed(
    ground: Setup, tasks: list[Task]
) -> None:
    """Would fail if the end of a chain were judged and its first state were blamed."""
    planted = replace(ground, prepare=f"{__name__}:repeats_behind_the_third")
    kills = acked(tasks, FILL)[:5]
    third = kills[2]
    cuts = [p for task in tasks for p in task.points if p.fault == "cut" and p.step == FILL]
    chosen = [
        replace(task, points=tuple(p for p in task.points if p in {*kills, *cuts[:30:4]}))
        for task in tasks
        if third in task.points
    ]
    rows = explored(planted, chosen)
    expected = tuple(point for task in chosen for point in task.points)
    order = tuple(step.id for step in ground.plan.steps)
    (failure,) = coverage.Coverage(expected, tuple(rows), order).failures()
    assert (failure.first.point, failure.others) == (third, 0)
    verdicts = {row.point: row.verdict for row in rows}
    assert [verdicts[point] for point in kills] == ["pass", "pass", "fail", "unknown", "unknown"]
    unproven = [row for row in rows if row.verdict == "unknown"]
    assert {row.point.fault for row in unproven} == {ACKED, "cut"}
    assert all(f"wrong since {third.id}: after resume" in row.reason for row in unproven)
    (again,) = explored(planted, sample.replayed(tasks, third))
    assert (again.verdict, again.reason) == ("fail", failure.first.reason)
    (alone,) = explored(planted, sample.replayed(tasks, cuts[28]))  # and nobody else to tell
    assert (alone.verdict, alone.reason) == (
        "fail",
        unproven[0].reason.removeprefix("not proven: "),
    )


def merges_when_resumed() -> None:
    """A runner that, where two batches were done, does the rest in one: it makes fewer commits."""
    batch = batch_step._batch

    def large(work: StepWork, size: int, at: batch_step.BatchPosition) -> bool:
        return batch(work, 10_000 if at.batches == 2 else size, at)

    batch_step._batch = large


def test_a_run_that_makes_other_commits_fails_where_it_does(
    ground: Setup, tasks: list[Task]
) -> None:
    """Would fail if a chain that cannot go on took the points behind it with it."""
    planted = replace(ground, prepare=f"{__name__}:merges_when_resumed")
    kills = acked(tasks, FILL)
    share = next(task for task in tasks if kills[0] in task.points)
    rows = explored(planted, [replace(share, points=tuple(kills))])
    verdicts = {row.point: (row.fired, row.verdict) for row in rows}
    assert [verdicts[p] for p in kills] == [(True, "pass")] * 3 + [(False, "fail")] * 4
    said = f"the run committed in {INDEX}, an undisturbed one in {FILL}"
    assert all(said in row.reason for row in rows if not row.fired)
    (again,) = explored(planted, sample.replayed(tasks, kills[3]))
    assert (again.fired, again.verdict) == (False, "fail")


# A rollback that begins halfway.


def begun_halfway(point: Point) -> bool:
    """Whether it strikes the rollback of a migration that was left halfway."""
    return point.boundary.startswith(tuple(HALF))


def test_a_rollback_begun_within_a_batch_step_or_at_an_intent_is_struck_at_its_messages(
    tasks: list[Task],
) -> None:
    points = [p for task in tasks for p in task.points if begun_halfway(p)]
    assert {p.direction for p in points} == {"rollback"}
    assert {p.fault for p in points} == MAIN
    first = {mark: next(p for p in points if p.boundary.startswith(mark)).id for mark in HALF}
    assert first == {mark: f"wire:rollback:(start):{mark}m01:cut" for mark in HALF}
    of = {mark: {p.step for p in points if p.boundary.startswith(mark)} for mark in HALF}
    assert of["half-batch-"] == {START, FILL, "1.1/010_column"}
    assert of["half-intent-"] == {START, INDEX, FILL}


def takes_the_checkpoints_of_what_it_undoes_for_its_own() -> None:
    """A rollback that, resumed, believes what an unfinished migration did to be undone."""
    undo = backward._steps

    def confused(session: RunnerSession, known: Ledger, forward: LedgerRun) -> None:
        if session.context.resumed and not forward.completed:
            steps = {**known.steps, session.run.id: known.steps.get(forward.id, {})}
            known = replace(known, steps=steps)
        undo(session, known, forward)

    backward._steps = confused


def test_what_only_a_struck_rollback_begun_halfway_shows_is_seen(
    ground: Setup, tasks: list[Task]
) -> None:
    """Would fail if only rollbacks of finished migrations were struck."""
    planted = replace(
        ground, prepare=f"{__name__}:takes_the_checkpoints_of_what_it_undoes_for_its_own"
    )
    back = sample.struck_by(sample.in_directions(tasks, ["rollback"]), sorted(MAIN))
    chosen = [
        replace(task, points=task.points[:: 12 if begun_halfway(task.points[0]) else 40])
        for task in back
    ]
    rows = explored(planted, chosen)
    wrong = {row.point for row in rows if row.verdict == "fail"}
    assert all(begun_halfway(point) for point in wrong)
    assert {mark for mark in HALF for p in wrong if p.boundary.startswith(mark)} == {*HALF}
    assert [row for row in rows if not begun_halfway(row.point) and row.verdict != "pass"] == []
    (one, *_) = sorted(wrong)
    (again,) = explored(planted, sample.replayed(tasks, one))
    assert again.verdict == "fail"


def drops_what_is_not_there() -> None:
    """A rollback that takes it for granted that an intended index was built."""
    drop = concurrent_step._drop

    def careless(work: StepWork, want: Wanted) -> None:
        if concurrent_step._look(work, want) is None:
            raise Refused(f"{want.index} is not there")
        drop(work, want)

    concurrent_step._drop = careless


def test_a_sample_rolls_back_a_state_of_each_kind_and_says_which(ground: Setup) -> None:
    """Would fail if a kill behind a commit passed although no rollback comes from there."""
    lean = replace(ground, lean=True, directions=("forward",))
    sampled = sample.struck_by(workers.find_tasks(lean, "wire"), (ACKED,))
    intent = acked(sampled, INDEX)[0]
    rows = {row.point: row for row in explored(lean, sampled)}
    assert failing(list(rows.values())) == []
    back = [point.step for point, row in rows.items() if "; rolled back from" in row.evidence]
    assert {FILL, INDEX} <= set(back)
    assert "; rolled back from there" in rows[intent].evidence
    assert 4 <= len(back) <= 6  # batches, an intent, an index, and the end
    others = [row for row in rows.values() if "; rolled back from" not in row.evidence]
    assert others
    assert all(row.evidence.endswith("to the end; not rolled back here") for row in others)
    planted = replace(lean, prepare=f"{__name__}:drops_what_is_not_there")
    (wrong,) = [row for row in explored(planted, sampled) if row.verdict != "pass"]
    assert (wrong.point, wrong.verdict) == (intent, "fail")
    assert "things_upper is not there" in wrong.reason


def chatter() -> None:
    """A runner that asks something more in every second run: it cannot be swept."""
    import harness.runner.session as session

    honest = session.RunnerSession.check_stop
    flag = Path(tempfile.gettempdir()) / f"harness-chatter-{os.getppid()}"
    talks = flag.exists()
    if talks:
        flag.unlink()
    else:
        flag.touch()

    def asks(self: Any, where: str | None = None) -> None:
        if talks:
            self.work.conn.execute("SELECT 1")
        honest(self, where)

    session.RunnerSession.check_stop = asks  # type: ignore[method-assign]


def test_a_run_that_is_not_the_same_twice_is_refused(ground: Setup) -> None:
    talkative = replace(ground, prepare=f"{__name__}:chatter")
    with pytest.raises(InfrastructureError, match="two undisturbed forward runs differ: message"):
        workers.find_tasks(talkative, "wire")


def test_a_sample_is_the_same_for_the_same_seed_and_takes_every_commit(tasks: list[Task]) -> None:
    def points(seed: int, boundaries: bool) -> set[Point]:
        chosen = sample.sampled(tasks, 40, seed, boundaries=boundaries)
        return {point for task in chosen for point in task.points}

    assert points(1, False) == points(1, False)
    assert points(1, False) != points(2, False)
    assert len(points(1, False)) == 40
    commits = {p for task in tasks for p in task.points if p.fault == ACKED}
    assert commits <= points(1, True)
    assert len(points(1, True)) == 40 + len(commits)


def test_an_unknown_point_is_named(tasks: list[Task]) -> None:
    with pytest.raises(UsageError, match=r"no crash point wire:forward:9\.9/x:m01:cut"):
        sample.replayed(tasks, Point.parse("wire:forward:9.9/x:m01:cut"))
    with pytest.raises(UsageError, match="is not a crash point"):
        Point.parse("wire:sideways:1.1/010_column:m01:cut")


def test_a_foreign_connection_is_not_waited_for_ever(ground: Setup) -> None:
    """Would hang if a state were judged while somebody is still at work in it."""
    from harness.crash.state import settle

    place = (ground.extra or {})["bench"]
    dsn = place.start("forward")
    try:
        with psycopg.connect(dsn), pytest.raises(TimeoutError, match="the end of all use"):
            settle(place.server_dsn, dsn.rpartition("/")[2], limit=0.2)
    finally:
        place.drop(dsn)
