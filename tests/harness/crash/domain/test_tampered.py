"""Somebody tampers with ledger, plan and database: it is refused by name, or was harmless."""

from __future__ import annotations

import functools
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.core.errors import HarnessError, StepFailed, Stopped
from harness.crash import runners
from harness.crash.domain.tampered import ledger as tampered_ledger
from harness.crash.model import CoverageRow, Point, Task
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup
from harness.crash.workers import find_tasks, pool, run_tasks
from harness.database import admin, fingerprint
from harness.fault import tamper
from tests.harness.support.crash import ground_of
from tests.harness.support.runner import SmallPlan, run_sql
from tests.harness.support.thorough import EXHAUSTIVE

HERE = __name__
STEP, FILL, INDEX = "1.1/010_column", "1.1/020_fill", "1.2/010_index"
SEALED = ["run_id", "step", "position", "kind", "state", "last_key", "rows", "batches", "seal"]
GENEROUS = "GRANT CREATE ON SCHEMA public TO PUBLIC;"
FORWARD_FILE = "phases/1.1_fill/010_column.forward.sql"


@pytest.fixture(scope="module")
def ground(harness_server, tmp_path_factory) -> Setup:
    return ground_of(harness_server.dsn(), SmallPlan(tmp_path_factory.mktemp("small")).load())


@pytest.fixture(scope="module")
def tasks(ground) -> list[Task]:
    return find_tasks(ground, "tampered")


@pytest.fixture(scope="module")
def chosen(tasks) -> list[Task]:
    """Every point, but some of the bits, and each column of a step at one step in turn."""
    if EXHAUSTIVE:
        return tasks

    def is_chosen(point: Point) -> bool:
        kind, _, number = point.fault.rpartition(".")
        if kind == "step":
            return point in at_a_step
        first = 0 if point.direction == "forward" else 2
        return not kind.startswith("bit.") or int(number) % 4 == first

    of: dict[tuple[str, str], list[Point]] = {}
    for point in points(tasks):
        if point.fault.startswith("step."):
            of.setdefault((point.direction, point.fault), []).append(point)
    at_a_step = {some[number % len(some)] for number, some in enumerate(of.values())}
    return [replace(task, points=tuple(filter(is_chosen, task.points))) for task in tasks]


@pytest.fixture(scope="module")
def rows(ground, chosen) -> list[CoverageRow]:
    return list(run_tasks(ground, [task for task in chosen if task.points]))


def points(tasks: list[Task]) -> list[Point]:
    return [point for task in tasks for point in task.points]


def forward(step: str, boundary: str, fault: str) -> Point:
    return Point("tampered", "forward", step, boundary, fault)


def with_defect(ground: Setup, defect: Callable[[], None], *chosen: Point) -> list[CoverageRow]:
    planted = replace(ground, prepare=f"{HERE}:{defect.__name__}")
    return list(run_tasks(planted, [Task("tampered", chosen)]))


def test_every_column_file_and_kind_of_object_is_tampered_with(tasks):
    found = points(tasks)
    faults = {point.fault for point in found}
    assert {f"step.{column}" for column in SEALED} <= faults
    assert {"step.deleted", "run.state", "plan_file.sha256", "ledger.version"} <= faults
    assert {"edited", "swapped", "removed", "followed", "foreign", "used"} <= faults
    assert {"revoked", "disowned"} <= faults
    assert {point.boundary.split("=")[0] for point in found if point.fault == "foreign"} == {
        "table",
        "column",
        "index",
    }
    assert len(found) == len(set(found))


def test_there_is_one_row_for_every_point_and_every_fault_fired(rows, chosen):
    assert sorted(row.point for row in rows) == sorted(points(chosen))
    assert len({row.point.fault for row in rows if row.point.fault.startswith("bit.")}) > 15
    assert [row.document() for row in rows if not row.fired] == []


def test_every_tampering_is_refused_by_name_or_ends_golden(rows):
    assert [row.document() for row in rows if row.verdict != "pass"] == []


@pytest.mark.parametrize("fault", ["edited", "swapped", "removed", "followed"])
def test_a_changed_plan_is_refused_by_the_name_of_the_file(rows, fault):
    refused = [row for row in rows if row.point.fault == fault]
    assert refused
    for row in refused:
        assert "the plan changed since run" in row.evidence, row


def test_a_flipped_bit_is_seen_by_the_checksum_or_by_the_seal(rows):
    said = {row.evidence for row in rows if row.point.fault.startswith("bit.")}
    assert any("XX001" in one for one in said)
    assert any("was changed" in one for one in said)


def test_a_lost_privilege_is_named(rows):
    said = {row.point.boundary: row.evidence for row in rows if row.point.fault == "revoked"}
    assert all(one.startswith("revoke ") for one in said.values())
    for boundary in ("create-table", "running", "create-index"):
        assert "permission denied for schema public (SQLSTATE 42501" in said[boundary]
    assert "permission denied for table things (SQLSTATE 42501" in said["update-public.things"]


def test_a_lost_table_is_named(rows):
    said = [row.evidence for row in rows if row.point.fault == "disowned"]
    assert any("does not own public.things" in one for one in said)


def test_a_flip_changes_one_bit_of_the_row_and_nothing_else(tmp_path):
    page = bytearray(tamper.BLOCK * 2)
    start, length = 8000, 96
    struct.pack_into("=I", page, tamper.BLOCK + 24 + 4, start | length << 17)  # its second line
    path = tmp_path / "heap"
    path.write_bytes(page)
    flip = tamper.flip_bit(tmp_path, tamper.Stored("heap", 1, 2), 1, 2)
    assert (flip.byte, flip.bit) == (length // 2, 0)
    changed = [n for n, (a, b) in enumerate(zip(page, path.read_bytes(), strict=True)) if a != b]
    assert changed == [flip.offset] == [tamper.BLOCK + start + length // 2]


def test_swapping_numbers_keeps_names_and_contents(tmp_path):
    one, other = tmp_path / "010_a.forward.sql", tmp_path / "020_b.forward.sql"
    one.write_text("a")
    other.write_text("b")
    tamper.swap_numbers(one, other)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "020_a.forward.sql": "a",
        "010_b.forward.sql": "b",
    }


def read_without_looking_at_seals() -> None:
    """Planted: a checkpoint is believed whatever its seal says."""
    from harness.runner import ledger

    ledger._SealedCheckpoint.seal = lambda self: self.kept_seal


def take_any_plan() -> None:
    """Planted: the plan's files are not compared with those of the run."""
    from harness.runner import edits

    edits.judged = lambda _: []


def take_an_index_for_ours_by_its_name() -> None:
    """Planted: what bears the name of the index is the index."""
    from harness.runner import concurrent_step

    concurrent_step._intend = lambda work, _: work.session.record("intent", work.id, "")
    concurrent_step._is_described = lambda *_: True


def be_refused() -> None:
    """Planted: it says that it lacks a privilege, whatever it has."""

    def refused(*_: object, **__: object) -> None:
        raise StepFailed("permission denied for schema public (SQLSTATE 42501)")

    runners.VERBS["forward"] = refused


def go_on_without() -> None:
    """Planted: what was refused is passed over."""
    run = runners.VERBS["forward"]

    def going_on(dsn, plan, **others):
        try:
            return run(dsn, plan, **others)
        except HarnessError:
            return None

    runners.VERBS["forward"] = going_on


def stop_at_once() -> None:
    """The server goes down before the run has done anything."""

    def stopped(*_: object, **__: object) -> None:
        raise Stopped("the server went down")

    runners.VERBS["forward"] = stopped


def write_and_stop() -> None:
    """Planted: the run has taken a row away when the server goes down."""

    def stopped(dsn: str, *_: object, **__: object) -> None:
        run_sql(dsn, "DELETE FROM public.things WHERE id = 1")
        raise Stopped("the server went down")

    runners.VERBS["forward"] = stopped


CAUGHT = [
    (read_without_looking_at_seals, forward(FILL, "running", "step.last_key")),
    (read_without_looking_at_seals, forward(FILL, "running", "step.rows")),
    (read_without_looking_at_seals, forward(FILL, "between", "step.seal")),
    (take_any_plan, forward(FILL, FORWARD_FILE, "edited")),
    (take_any_plan, forward(FILL, "plan.toml", "edited")),
    (take_any_plan, forward(FILL, FORWARD_FILE, "followed")),
    (take_an_index_for_ours_by_its_name, forward(INDEX, "index=public.things_upper", "foreign")),
    (go_on_without, forward(STEP, "create-table", "revoked")),
    (go_on_without, forward(FILL, "update-public.things", "revoked")),
    (go_on_without, forward(STEP, "own-public.things", "disowned")),
]


@pytest.fixture(scope="module")
def caught(ground) -> Callable[[Callable[[], None]], dict[Point, CoverageRow]]:
    """A function: the rows of a defect's points, all of them struck in one exploration."""

    @functools.cache
    def explored(defect: Callable[[], None]) -> dict[Point, CoverageRow]:
        chosen = [point for planted, point in CAUGHT if planted is defect]
        return {row.point: row for row in with_defect(ground, defect, *chosen)}

    return explored


@pytest.mark.parametrize(("defect", "point"), CAUGHT, ids=lambda value: getattr(value, "id", ""))
def test_a_planted_defect_is_caught(caught, defect, point):
    row = caught(defect)[point]
    assert (row.fired, row.verdict) == (True, "fail"), row
    assert row.reason


def test_a_privilege_is_lost_by_the_word_of_the_catalog_alone(harness_server, tmp_path):
    """Would fire if a runner that complains were enough: here everybody may create."""
    small = SmallPlan(tmp_path)
    small.replace("baseline/010_things.sql", "CREATE TABLE", f"{GENEROUS}\nCREATE TABLE")
    generous = ground_of(harness_server.dsn(), small.load())
    point = forward(STEP, "create-table", "revoked")
    (row,) = with_defect(generous, be_refused, point)
    assert (row.fired, row.verdict) == (False, "fail"), row
    assert "permission denied for schema public" in row.evidence


def went_down(ground: Setup) -> FaultOutcome:
    """What is said of a run whose server goes down, on a server of this process's own."""
    server = ground.server("fast")
    try:
        dsn = ground.furnish(server.dsn(), "harness_down")
        kept = fingerprint.take(dsn, workers=1)
        return tampered_ledger._down(ground, server, admin.dbname(dsn), "forward", kept)
    finally:
        server.close()


@pytest.mark.parametrize(("defect", "harmless"), [(stop_at_once, True), (write_and_stop, False)])
def test_what_a_run_did_to_a_server_that_breaks_is_looked_at(ground, defect, harmless):
    """Would pass if the exit status were all that is asked for."""
    planted = replace(ground, prepare=f"{HERE}:{defect.__name__}")
    with pool(1) as processes:
        outcome = processes.submit(went_down, planted).result()
    assert outcome.refused
    assert (outcome.reasons == ()) is harmless, outcome
    assert harmless or "public.things" in outcome.reasons[0]


def test_a_script_that_makes_two_of_a_kind_is_enumerated_once(harness_server, tmp_path):
    """Would fail if each statement were a point: both would have one name."""
    small = SmallPlan(tmp_path)
    small.replace(FORWARD_FILE, "INSERT INTO", "CREATE TABLE public.sorts (id int);\nINSERT INTO")
    back = FORWARD_FILE.replace("forward", "rollback")
    small.replace(back, "DROP TABLE", "DROP TABLE public.sorts;\nDROP TABLE")
    ground = ground_of(harness_server.dsn(), small.load())
    found = Counter(points(find_tasks(ground, "tampered")))
    assert forward(STEP, "create-table", "revoked") in found
    assert [point.id for point, times in found.items() if times > 1] == []


def test_a_plan_for_superusers_alone_leaves_privileges_unknown_not_unsaid(harness_server, tmp_path):
    small = SmallPlan(tmp_path)
    script = "phases/1.1_fill/010_column.forward.sql"
    small.replace(
        script, "INSERT INTO", "SELECT pg_catalog.pg_read_file('PG_VERSION');\nINSERT INTO"
    )
    ground = ground_of(harness_server.dsn(), small.load())
    tasks = [
        replace(task, points=tuple(p for p in task.points if p.fault == "revoked"))
        for task in find_tasks(ground, "tampered")
    ]
    rows = list(run_tasks(ground, [task for task in tasks if task.points]))
    assert {row.point.direction for row in rows} == {"forward", "rollback"}
    assert {(row.verdict, row.fired) for row in rows} == {("unknown", False)}
    assert all("no role but a superuser" in row.reason for row in rows)
