"""The pinned domain: held by blockers, confirmed by the server, struck there; nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.crash.domain.pinned.moments import (
    AGAIN,
    BUILD,
    DROP,
    LEFT,
    REBUILD,
    boundaries,
    rebuilt,
)
from harness.crash.domain.pinned.strike import ALONE, TOGETHER, WHILE_MENDING, HeldRun
from harness.crash.model import END, START, CoverageRow, Point, Task
from harness.crash.setup import Setup
from harness.crash.workers import find_tasks, pool, run_task, run_tasks
from harness.database.ledger_names import spelled
from harness.fault.pins import HeldPin, Hold, Pin, PinMissed, Sight, remove
from harness.plan import Plan, load
from harness.runner import concurrent_step
from harness.runner.connection import configure, connect, set_variables
from harness.runner.index import FoundIndex as Index
from harness.runner.index import Wanted
from harness.runner.session import RunnerSession
from harness.runner.step_work import StepWork
from tests.harness.support.crash import ground_of
from tests.harness.support.runner import SmallPlan, ask, child, prepared_to_fill

FAULTS = ALONE + TOGETHER
FEW = 6
FILL, INDEX, VALID = "1.1/020_fill", "1.2/010_index", "1.1/040_valid"
BUILDING = Sight("virtualxid", phase="waiting for writers before build")


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Plan:
    """The small plan in batches of 600 rows, and with a constraint that is validated apart."""
    files = SmallPlan(tmp_path_factory.mktemp("plan"))
    files.replace("phases/1.1_fill/020_fill.forward.sql", "-- key: id", "-- key: id\n-- batch: 600")
    for name, text in {
        "030_check.forward": "ADD CONSTRAINT named CHECK (name <> '') NOT VALID",
        "030_check.rollback": "DROP CONSTRAINT named",
        "040_valid.forward": "VALIDATE CONSTRAINT named",
    }.items():
        files.write(f"phases/1.1_fill/{name}.sql", f"ALTER TABLE public.things {text};\n")
    files.write("phases/1.1_fill/040_valid.rollback.sql", "-- nothing: the constraint goes\n")
    return files.load()


@pytest.fixture(scope="module")
def ground(harness_server, small) -> Setup:
    return ground_of(harness_server.dsn(), small)


@pytest.fixture(scope="module")
def found(ground) -> list[Point]:
    return [point for task in find_tasks(ground, "pinned") for point in task.points]


def explore(ground: Setup, points: Iterable[Point]) -> dict[Point, CoverageRow]:
    """One row for each point; many of them half by half in two processes, each with its server."""
    points = list(points)
    halves = (points[::2], points[1::2]) if len(points) > FEW else (points,)
    tasks = [Task("pinned", tuple(part)) for part in halves]
    rows = list(run_tasks(ground, tasks))
    assert sorted(row.point for row in rows) == sorted(points)
    return {row.point: row for row in rows}


def point(step: str, boundary: str, fault: str, direction: str = "forward") -> Point:
    return Point("pinned", direction, step, boundary, fault)  # type: ignore[arg-type]


def test_every_moment_is_found_by_looking(found, ground):
    moments = {(one.direction, one.step, one.boundary) for one in found}
    assert {("forward", INDEX, boundary) for boundary in BUILD} <= moments
    assert {("rollback", INDEX, boundary) for boundary in DROP} <= moments
    assert {("forward", INDEX, boundary) for boundary in REBUILD} <= moments
    assert ("forward", VALID, "validate-lock") in moments
    commits = Counter((way, step) for way, step, boundary in moments if "-commit-" in boundary)
    once, twice = 2, 4  # a commit has two sides
    steps = {step.id: once for step in ground.plan.steps} | {START: once, END: once, INDEX: twice}
    assert {step: commits["rollback", step] for step in steps} == steps
    assert {step: commits["forward", step] for step in steps} == {**steps, FILL: twice}
    assert len(commits) == 2 * len(steps)
    assert {one.fault for one in found if one.boundary in DROP} == {*FAULTS} - {"reconnect"}
    assert {one.fault for one in found if one.boundary in REBUILD} == {*WHILE_MENDING}


def test_the_points_are_the_same_every_time(found, ground):
    again = [point for task in find_tasks(ground, "pinned") for point in task.points]
    assert again == found
    assert len(set(found)) == len(found)


def test_each_moment_is_held_and_struck_and_costs_nothing(found, ground):
    """Each moment with one of its faults, in turn, so that every fault comes by often."""
    moments = dict.fromkeys((one.direction, one.step, one.boundary) for one in found)
    of = {moment: [one for one in found if _moment(one) == moment] for moment in moments}
    chosen = [of[moment][number % len(of[moment])] for number, moment in enumerate(moments)]
    rows = explore(ground, chosen)
    assert {one.fault for one in chosen} == set(FAULTS)
    for row in rows.values():
        assert (row.fired, row.verdict, row.reason) == (True, "pass", ""), row
        assert "wait_event" in row.evidence


def _moment(one: Point) -> tuple[str, str, str]:
    return one.direction, one.step, one.boundary


def test_the_evidence_names_what_was_seen(ground):
    building = point(INDEX, "create-before-validation", "terminate")
    dropping = point(INDEX, "drop-second-wait", "kill-runner", "rollback")
    validating = point(VALID, "validate-lock", "cancel")
    before = point(FILL, "before-commit-running-1", "terminate")
    after = point(FILL, "after-commit-running-1", "terminate")
    rows = explore(ground, (building, dropping, validating, before, after))
    assert "'waiting for writers before validation'" in rows[building].evidence
    assert "index not valid ready live" in rows[building].evidence
    assert "index not valid not ready not live" in rows[dropping].evidence
    assert "took over" in rows[dropping].evidence
    assert "ShareUpdateExclusiveLock on things not granted" in rows[validating].evidence
    assert "advisory" in rows[before].evidence
    assert "is not in the ledger" in rows[before].evidence
    assert "SyncRep" in rows[after].evidence
    assert "the checkpoint is in the ledger" in rows[after].evidence


def struck_late(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike, and do not look again before the runner has gone on and done a step."""
    struck = HeldRun.struck

    def later(self: HeldRun, how: str) -> None:
        assert self._process is not None
        self._process.wait_told(lambda told: told.kind == "step_done", 30.0)
        struck(self, how)

    HeldRun.struck = later  # type: ignore[method-assign]
    return run_task(ground, task)


def test_who_goes_on_behind_a_held_commit_is_not_held_at_the_next(ground):
    """Would fail if the pin stayed while a runner that was cancelled there writes on."""
    cancelled = point(START, "after-commit-running-0", "cancel")
    with pool(1) as processes:
        (row,) = processes.submit(struck_late, ground, Task("pinned", (cancelled,))).result()
    assert (row.fired, row.verdict, row.reason) == (True, "pass", "")


def test_a_moment_that_never_comes_is_a_failure(ground):
    never = [
        point("9.9/999_none", "before-commit-done-0", "cancel"),
        point("1.1/010_column", "create-lock", "terminate"),
        point(FILL, "after-commit-running-7", "kill-backend"),
        point(INDEX, "drop-lock", "kill-server"),
    ]
    comes = point(INDEX, "create-lock", "kill-server")
    rows = explore(ground, [*never, comes])
    assert [(rows[one].fired, rows[one].verdict) for one in never] == [(False, "fail")] * 4
    assert all(rows[one].reason for one in never)
    assert (rows[comes].fired, rows[comes].verdict) == (True, "pass")


@pytest.mark.parametrize("table", ["public.things", "public.kinds"])
def test_a_writer_pins_the_table_it_writes_and_no_other(harness_empty_database, tmp_path, table):
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    pin = Pin((Hold(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE", BUILDING),))
    with closing(HeldPin(harness_empty_database, pin)) as held:
        held.install()
        with child("migrate", harness_empty_database, plan) as runner:
            if table == "public.things":
                pinned = held.reach(runner.process.is_alive)
                assert held.lives(pinned.pid)
                held.release()
            else:
                with pytest.raises(PinMissed, match="ended before"):
                    held.reach(runner.process.is_alive)
            runner.outcome()


def test_what_is_not_seen_is_not_believed(harness_empty_database, tmp_path):
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    stage = Hold("LOCK TABLE public.things IN ROW EXCLUSIVE MODE", BUILDING)
    valid = replace(BUILDING, flags=(True, True, True))
    with closing(
        HeldPin(harness_empty_database, Pin((stage,), index="public.things_upper"))
    ) as held:
        held.install()
        assert held.seen(BUILDING) is None
        with child("migrate", harness_empty_database, plan) as runner:
            held.reach(runner.process.is_alive)
            assert held.seen(valid) is None
            held.release()
            runner.outcome()


def test_nothing_of_a_pin_stays(harness_empty_database, tmp_path):
    prepared_to_fill(tmp_path, harness_empty_database)
    schema = "SELECT count(*) FROM pg_namespace WHERE nspname = 'migration_pin'"
    triggers = "SELECT count(*) FROM pg_trigger WHERE tgname = 'migration_pin'"
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        installing = Path(remove.__code__.co_filename).with_name("pin_install.sql")
        conn.execute(spelled(installing.read_text()))
    assert (ask(harness_empty_database, schema), ask(harness_empty_database, triggers)) == (1, 3)
    remove(harness_empty_database)
    assert (ask(harness_empty_database, schema), ask(harness_empty_database, triggers)) == (0, 0)


def believe_the_name() -> None:
    """The planted defect: an index of that name is taken for the finished one."""

    def create(work: Any, want: Any) -> None:
        if concurrent_step._look(work, want) is None:
            concurrent_step._send(work, want.statement)

    concurrent_step._create = create
    concurrent_step._tidy = lambda *_: None


def test_an_index_believed_by_its_name_is_caught(ground):
    pairs = zip(BUILD[1:], ("terminate", "cancel", "kill-backend"), strict=True)
    half_built = [point(INDEX, boundary, fault) for boundary, fault in pairs]
    none_yet = point(INDEX, "create-lock", "terminate")
    planted = replace(ground, prepare=f"{__name__}:believe_the_name")
    rows = explore(planted, [*half_built, none_yet])
    assert [(rows[one].fired, rows[one].verdict) for one in half_built] == [(True, "fail")] * 3
    assert rows[none_yet].verdict == "pass"


def take_a_dead_index_for_whole() -> None:
    """The planted defect: an index whose drop was begun is nobody's to drop again."""
    look = concurrent_step._look_alone
    dead = "SELECT NOT indislive FROM pg_index WHERE indexrelid = pg_catalog.to_regclass(%s)"

    def hopeful(work: StepWork, want: Wanted) -> Index | None:
        found = look(work, want)
        with work.session.work.waiting:
            row = work.session.work.conn.execute(dead.encode(), [want.index.sql]).fetchone()
        return replace(found, finished=True) if found and row == (True,) else found

    concurrent_step._look_alone = hopeful


def test_a_run_that_mends_a_half_built_index_is_struck_while_it_does(ground, found):
    """Would fail if no point struck the drop and the second build of such an index."""
    points = [one for one in found if one.boundary in REBUILD]
    assert len(points) == len(REBUILD) * len(WHILE_MENDING)
    rows = explore(ground, points)
    for row in rows.values():
        assert (row.fired, row.verdict, row.reason) == (True, "pass", ""), row
        assert row.evidence.startswith("an index was left half built; server process"), row
    lock, first, second, *builds = REBUILD
    wanted = dict.fromkeys((lock, first), "index not valid ready live")
    wanted |= {second: "index not valid not ready not live"}
    phases = ("before build", "before validation", "old snapshots")
    wanted |= dict(zip(builds, phases, strict=True))
    for one, row in rows.items():
        assert wanted[one.boundary] in row.evidence, row
    planted = replace(ground, prepare=f"{__name__}:take_a_dead_index_for_whole")
    again = explore(planted, [one for one in points if one.fault == "terminate"])
    failed = {one.boundary for one, row in again.items() if row.verdict != "pass"}
    assert failed == {AGAIN + DROP[-1]}
    ordinary = explore(
        planted, [point(INDEX, LEFT, "terminate"), point(INDEX, LEFT, "kill-server")]
    )
    assert {row.verdict for row in ordinary.values()} == {"pass"}


def revive(session: RunnerSession) -> None:
    """Another working connection, without a look into the ledger."""
    info = session.lock.info
    password = f" password={info.password}" if info.password else ""
    place = f"host={info.host} port={info.port} dbname={info.dbname} user={info.user}"
    session.work.conn = connect(place + password, "runner")
    configure(session.work.conn, session.settings)
    variables = {**session.plan.variables, "run_id": str(session.run.id)}
    set_variables(session.work.conn, variables)


def on_lost_commit(raised: type[psycopg.Error] | None) -> None:
    """Replace what becomes of a commit whose answer was lost: an error of ours, or nothing."""
    commit = RunnerSession.commit

    def guessing(self: RunnerSession, *rows: Any) -> None:
        try:
            commit(self, *rows)
        except psycopg.Error as error:
            if not self.lost(error):
                raise
            revive(self)
            if raised is not None:
                raise raised("taken for failed") from error

    RunnerSession.commit = guessing  # type: ignore[method-assign]


def take_unknown_for_failed() -> None:
    """The planted defect: after a commit whose answer was lost, the same is run again."""
    on_lost_commit(psycopg.errors.SerializationFailure)


def take_unknown_for_done() -> None:
    """The planted defect: a commit whose answer was lost is taken for made."""
    on_lost_commit(None)


@pytest.mark.parametrize(
    ("defect", "wrong", "right"),
    [(take_unknown_for_failed, "after", "before"), (take_unknown_for_done, "before", "after")],
)
def test_a_guessed_commit_outcome_is_caught_where_it_is_wrong(ground, defect, wrong, right):
    at = {side: point(FILL, f"{side}-commit-running-1", "reconnect") for side in (wrong, right)}
    rows = explore(replace(ground, prepare=f"{__name__}:{defect.__name__}"), at.values())
    assert (rows[at[wrong]].fired, rows[at[wrong]].verdict) == (True, "fail")
    assert "things" in rows[at[wrong]].reason
    assert (rows[at[right]].fired, rows[at[right]].verdict) == (True, "pass")


def checkpoint_apart() -> None:
    """The planted defect: the work commits, and the checkpoint after it in its own transaction."""
    commit = RunnerSession.commit

    def apart(self: RunnerSession, *rows: Any) -> None:
        self.work.execute(b"COMMIT")
        self.work.execute(b"BEGIN")
        commit(self, *rows)

    RunnerSession.commit = apart  # type: ignore[method-assign]


def test_a_checkpoint_outside_the_transaction_is_caught(ground):
    before = point(FILL, "before-commit-running-1", "kill-server")
    rows = explore(replace(ground, prepare=f"{__name__}:checkpoint_apart"), [before])
    assert (rows[before].fired, rows[before].verdict) == (True, "fail")
    assert explore(ground, [before])[before].verdict == "pass"


def test_the_reference_plan_has_these_moments():
    plan = load(Path(__file__).parents[4] / "sql" / "plan.toml")
    found: Counter[tuple[str, str]] = Counter()
    for direction in ("forward", "rollback"):
        for step in plan.steps:
            script = step.script(direction)
            found.update((direction, boundary) for boundary in boundaries(script, []))
    concurrent = sum(step.forward.kind == "concurrent" for step in plan.steps)
    assert [found["forward", boundary] for boundary in BUILD] == [concurrent] * 4
    assert [found["rollback", boundary] for boundary in DROP] == [concurrent] * 3
    assert rebuilt(plan) == "1.1/130_companies_search_index"
    assert found["forward", "validate-lock"] == 4
    assert found["rollback", "validate-lock"] == 1  # within a DO block
