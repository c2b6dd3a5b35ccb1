"""The WAL domain: every state a server crash can leave is recovered, and gone on from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.core.errors import InfrastructureError
from harness.crash.domain.wal.domain import explore
from harness.crash.domain.wal.golden import Golden, LogMark, named_points, require_bytes
from harness.crash.model import END, START, CoverageRow, Point, Task
from harness.crash.setup import Setup
from harness.crash.workers import find_tasks, run_tasks
from harness.fault import wal
from harness.fault.wal_records import Record, durable, parse, position, shown
from harness.runner import concurrent_step
from harness.server import choose, directories
from harness.server.local import LocalServer
from tests.harness.support.crash import ground_of
from tests.harness.support.runner import SmallPlan, ask, run_sql
from tests.harness.support.server import left_of

INDEX = "1.2/010_index"


def resume_by_name() -> None:
    """The planted defect: an index that bears the name counts as built, as with IF NOT EXISTS."""

    def create(work: Any, want: Any) -> None:
        if concurrent_step._look(work, want) is None:
            concurrent_step._send(work, want.statement)

    concurrent_step._create = create


@pytest.fixture(scope="module")
def ground(harness_server, tmp_path_factory) -> Setup:
    files = SmallPlan(tmp_path_factory.mktemp("plan"))
    files.replace("baseline/010_things.sql", "generate_series(1, 1000)", "generate_series(1, 250)")
    return ground_of(harness_server.dsn(), files.load())


@pytest.fixture(scope="module")
def found(ground) -> list[Task]:
    return find_tasks(ground, "wal")


@pytest.fixture(scope="module")
def rows(ground, found) -> list[CoverageRow]:
    """Every point, but only some of the many in the transaction that makes the ledger."""
    skipped = [f"{kind}-{n}" for kind in ("storage", "inplace") for n in range(3, 99)]

    def few(task: Task) -> Task:
        points = [p for p in task.points if p.step != START or p.boundary not in skipped]
        return replace(task, points=tuple(points))

    tasks = [few(task) for task in found]
    rows = list(run_tasks(ground, tasks))
    assert sorted(row.point for row in rows) == sorted(p for task in tasks for p in task.points)
    return rows


def test_every_durable_state_resumes_and_rolls_back(rows):
    assert [row for row in rows if not row.fired or row.verdict != "pass"] == []
    assert all(row.evidence.startswith("redo done at ") for row in rows)


def test_the_points_are_the_commits_and_what_counts_without_one(found):
    points = [point for task in found for point in task.points]
    kinds = {(point.direction, point.boundary.partition("-")[0]) for point in points}
    assert {("forward", kind) for kind in ("commit", "storage", "sequence")} <= kinds
    assert ("rollback", "commit") in kinds
    batches = [p for p in points if p.step == "1.1/020_fill" and p.direction == "forward"]
    assert len(batches) == 3, "batches of a hundred rows, the last of them short"
    assert {p.step for p in points} >= {START, END, "1.1/010_column", INDEX}


def test_two_golden_runs_have_the_same_points(ground, found):
    assert find_tasks(ground, "wal") == found


@pytest.mark.parametrize("direction", ["forward", "rollback"])
def test_states_inside_a_concurrent_statement_are_among_them(rows, direction):
    inside = [row for row in rows if "invalid index things_upper" in row.evidence]
    assert INDEX in {row.point.step for row in inside if row.point.direction == direction}


def test_equal_states_bear_the_same_name_and_lost_work_leaves_none(rows):
    begun = [row for row in rows if row.point.direction == "forward" and row.point.step == START]
    storage = {row.state for row in begun if row.point.boundary.startswith("storage")}
    assert len(storage) == 1, "files of a transaction that was lost are no state"
    commits = {row.state for row in rows if row.point.boundary.startswith("commit")}
    assert len(commits) > len(storage)


def test_a_runner_that_resumes_an_index_by_its_name_is_caught(ground, found):
    planted = replace(ground, prepare=f"{__name__}:resume_by_name")
    points = tuple(
        point
        for task in found
        for point in task.points
        if point.step == INDEX and point.direction == "forward"
    )
    caught = list(run_tasks(planted, [Task("wal", points)]))
    failed = {row.point for row in caught if row.verdict == "fail"}
    assert failed == {row.point for row in caught if "invalid index" in row.evidence}
    assert failed
    assert all("things_upper" in row.reason for row in caught if row.verdict == "fail")


def test_a_point_that_the_golden_run_does_not_have_fails(ground):
    point = Point("wal", "forward", INDEX, "commit-99", "recovered")
    (row,) = run_tasks(ground, [Task("wal", (point,))])
    assert (row.fired, row.verdict) == (False, "fail")
    assert "does not come past this point" in row.reason


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[LocalServer, wal.BaseCopy, list[Record]]]:
    """A server whose log holds two inserts, and a sequence moved by a transaction that was lost."""
    server = choose("embedded", profile="durable")
    try:
        server.start()
        kept = wal.keeping(server)
        run_sql(kept.dsn(), "create table t (n int); create sequence s")
        base = wal.take(kept, "base")
        run_sql(kept.dsn(), "insert into t values (1)")
        with psycopg.connect(kept.dsn()) as conn:
            conn.execute("select nextval('s')")
            conn.rollback()
        run_sql(kept.dsn(), "insert into t values (2)")
        end = wal.inserted(kept.dsn())
        yield kept, base, durable(kept.bin_dir, kept.data_dir / "pg_wal", base.at, end)
    finally:
        server.close()


def test_the_records_that_make_something_durable_are_found(kept):
    _, base, records = kept
    assert [record.kind for record in records] == ["commit", "sequence", "commit"]
    assert base.at <= records[0].lsn < records[0].end <= records[1].lsn


@pytest.fixture
def recovered(kept) -> Callable[[int], tuple[int, bool, int | None]]:
    """A function: rows in t, whether s was called, and the last record redone, at a position."""
    server, base, _ = kept

    def look(end: int) -> tuple[int, bool, int | None]:
        with wal.recovered(server, base, end) as recovery:
            dsn = recovery.server.dsn()
            count = ask(dsn, "select count(*) from t")
            called = ask(dsn, "select is_called from s")
        assert left_of(recovery.server.record()) == []
        return count, called, recovery.redone

    return look


def test_a_prefix_holds_what_was_committed_in_it_and_sequences_besides(kept, recovered):
    first, sequence, second = kept[2]
    assert recovered(first.end) == (1, False, first.lsn)
    assert recovered(sequence.end) == (1, True, sequence.lsn)
    assert recovered(second.end) == (2, True, second.lsn)


def test_a_record_cut_in_its_middle_never_was(kept, recovered):
    _, _, last = kept[2]
    count, called, redone = recovered(last.lsn + (last.end - last.lsn) // 2)
    assert (count, called) == (1, True)
    assert redone < last.lsn


def test_a_recovery_that_ends_elsewhere_has_not_fired(ground, kept):
    server, base, records = kept
    point = Point("wal", "forward", START, "commit-1", "recovered")
    wrong = replace(records[2], end=records[1].end)
    (row,) = explore(ground, Golden(server, base, {point: wrong}), [point])
    assert (row.fired, row.verdict) == (False, "fail")
    assert f"ended with {shown(records[1].lsn)}" in row.reason


def test_what_goes_wrong_at_a_point_is_unknown_and_the_next_goes_on(ground, kept):
    server, base, records = kept
    points = [Point("wal", "forward", START, f"commit-{n}", "recovered") for n in (1, 2)]
    states = {points[0]: records[0], points[1]: replace(records[2], end=records[1].end)}
    rows = explore(ground, Golden(server, base, states), points)
    assert [row.verdict for row in rows] == ["unknown", "fail"]
    assert '"subject" does not exist' in rows[0].reason


LINES = """\
rmgr: Heap        len (rec/tot):     59/    59, tx:   1, lsn: 0/01C3A000, prev 0/01C39FD0, desc: INSERT off: 2
pg_waldump: a line that is no record
rmgr: Transaction len (rec/tot):     34/    34, tx:   1, lsn: 0/01C3A040, prev 0/01C3A000, desc: COMMIT 2026-01-01
rmgr: Transaction len (rec/tot):     34/    34, tx:   2, lsn: 1/00000028, prev 0/01C3A040, desc: ABORT 2026-01-01
rmgr: Storage     len (rec/tot):     42/    42, tx:   3, lsn: 1/00000050, prev 1/00000028, desc: CREATE base/5/1
"""  # noqa: E501 - as pg_waldump writes them


def test_records_end_where_the_next_begin():
    end = position("1/80")
    found = list(parse(LINES.splitlines(), end))
    assert [record.kind for record in found] == [None, "commit", None, "storage"]
    assert found[1].end == found[2].lsn == position("1/28")
    assert found[3].end == end
    assert shown(found[0].lsn) == "0/1C3A000"


def test_points_are_numbered_within_their_step():
    marks = [
        LogMark(0, START),
        LogMark(20, "1.1/010_a"),
        LogMark(40, END),
        LogMark(50, "1.1/020_b"),
    ]
    records = [Record(lsn, lsn + 8, "Transaction", "COMMIT") for lsn in (10, 20, 28, 50)]
    points = named_points("forward", marks, records)
    assert [f"{point.step} {point.boundary}" for point in points] == [
        f"{START} commit-1",
        "1.1/010_a commit-1",
        "1.1/010_a commit-2",
        "1.1/020_b commit-1",
    ]


def test_a_server_whose_files_are_not_ours_is_refused(harness_server):
    theirs = choose("existing", dsn=harness_server.dsn())
    with pytest.raises(InfrastructureError, match="cannot be cut, its files are not ours"):
        wal.keeping(theirs)


def test_too_little_room_is_said_with_what_is_needed(tmp_path):
    require_bytes(tmp_path, 1)
    needed = directories.free(tmp_path) * 2
    with pytest.raises(InfrastructureError, match=f"need {needed / 1_000_000:,.0f} MB"):
        require_bytes(tmp_path, needed)


def test_a_postgres_without_its_programs_is_refused(tmp_path):
    with pytest.raises(InfrastructureError, match="no pg_waldump"):
        durable(tmp_path, tmp_path, 0, 1)


def test_a_log_that_is_no_log_is_refused(kept, tmp_path: Path):
    (tmp_path / f"{1:024X}").write_bytes(os.urandom(1 << 20))
    with pytest.raises(InfrastructureError, match="pg_waldump does not read the log"):
        durable(kept[0].bin_dir, tmp_path, 1 << 20, 2 << 20)
