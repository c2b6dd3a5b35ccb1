"""What undisturbed runs come to is known first: it is what everything struck is held against."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import Refused
from harness.crash import state
from harness.crash.golden_note import Note
from harness.crash.setup import Setup
from harness.crash.state import Oracle, end_of
from harness.crash.undisturbed.study import studied
from harness.database import admin
from harness.plan import Plan
from harness.server import Server
from harness.subject.plan import PlanSubject
from tests.harness.support.runner import SmallPlan, run_sql

TOML = """
format = 1
name = "odd"
version = "1"
[[phase]]
id = "1"
name = "p"
"""
TABLE = "create table public.t (id int primary key, a int, s timestamptz);\n"
ROWS = "insert into public.t select g, g, '2020-01-01' from generate_series(1, 9) g;\n"
STEP = ("alter table public.t add b int;\n", "alter table public.t drop b;\n")
Step = tuple[str, str]


def plan_of(root: Path, baseline: str, *steps: Step, cleanup: str = "") -> Plan:
    made = SmallPlan.__new__(SmallPlan)
    made.root = root
    made.write("plan.toml", TOML)
    made.write("baseline/010_t.sql", baseline)
    for number, (forward, back) in enumerate(steps, 1):
        made.write(f"phases/1_p/{number:02d}0_s.forward.sql", forward)
        made.write(f"phases/1_p/{number:02d}0_s.rollback.sql", back)
    if cleanup:
        made.write("cleanup/010_c.sql", cleanup)
    return made.load()


@contextmanager
def studying(
    server: Server, plan: Plan, *, twice: bool = False
) -> Iterator[tuple[Setup, Callable[[], str], tuple[Note, ...]]]:
    """The ground of a plan, a maker of copies of its baseline, and the notes."""
    ways = ("forward", "rollback", "cleanup")
    ground = Setup(
        subject=PlanSubject(plan), rows=0, seed=1, owner_pid=os.getpid(), directions=ways
    )
    ground, place, notes = studied(ground, server.dsn(), twice=twice)
    copies: list[str] = []

    def copy() -> str:
        copies.append(place.start("forward"))
        return copies[-1]

    try:
        yield ground, copy, notes
    finally:
        for dsn in copies:
            admin.drop(server.dsn(), admin.dbname(dsn))
        place.close()


def told(notes: tuple[Note, ...]) -> list[tuple[str, str, str]]:
    return [(note.outcome, note.direction, note.step) for note in notes]


def test_of_an_exact_plan_there_is_nothing_to_say(harness_server: Server, tmp_path: Path) -> None:
    with studying(harness_server, plan_of(tmp_path, TABLE + ROWS, STEP)) as (ground, _, notes):
        assert notes == ()
        assert (ground.omit, ground.drawn, ground.backs, ground.inexact) == ({}, set(), (), set())
        assert ground.returns
        assert ground.before != ground.after


LOSSY: dict[str, tuple[Step, str]] = {
    "a part": (("create index i on public.t (a);\n", "select 1;\n"), 'presence was "absent"'),
    "rows": (("insert into public.t values (99);\n", "select 1;\n"), 'rows was "9", is "10"'),
}


@pytest.mark.parametrize(("lossy", "seen"), LOSSY.values(), ids=LOSSY)
def test_a_step_that_is_not_undone_is_a_failure_of_its_own_by_step(
    harness_server: Server, tmp_path: Path, lossy: Step, seen: str
) -> None:
    """30 of 30 points failed for it, and none said that it was the plan's rollback."""
    other = ("create table public.k (a int);\n", "drop table public.k;\n")
    plan = plan_of(tmp_path, TABLE + ROWS, other, lossy, STEP)
    with studying(harness_server, plan) as (ground, _, (note,)):
        assert told((note,)) == [("failed", "rollback", "1/020_s")]
        assert note.file == "phases/1_p/020_s.rollback.sql"
        assert "does not undo this step: " in note.reason
        assert seen in note.reason
        assert ground.inexact == {"1/020_s"}
        one, two, three, four = ground.backs
        assert one == two == ground.before != three == four


def test_a_declared_irreversible_step_is_told_and_fails_nothing(
    harness_server: Server, tmp_path: Path
) -> None:
    label = (
        "alter type public.e add value 'b';\n",
        "-- irreversible: a label cannot be taken out\n-- stays: label b\n\nselect 1;\n",
    )
    plan = plan_of(tmp_path, "create type public.e as enum ('a');\n" + TABLE, label, STEP)
    with studying(harness_server, plan) as (_, _, (note,)):
        assert told((note,)) == [("info", "rollback", "1/010_s")]
        assert "a label cannot be taken out" in note.reason
        assert "label b" in note.reason


def test_a_rollback_that_fails_undisturbed_is_said_and_forward_is_explored(
    harness_server: Server, tmp_path: Path
) -> None:
    bad = ("create table public.k (a int);\n", "drop table public.nowhere;\n")
    with studying(harness_server, plan_of(tmp_path, TABLE, bad, STEP)) as (ground, copy, (note,)):
        assert told((note,)) == [("failed", "rollback", "1/010_s")]
        assert "the undisturbed rollback fails" in note.reason
        assert "nowhere" in note.reason
        assert ground.goes("forward")
        assert not ground.goes("rollback")
        dsn = copy()
        runner.migrate(dsn, ground.sweeping(), until="1/010_s")
        assert Oracle(ground, harness_server.dsn()).judge("forward", dsn).verdict == "pass"


def test_a_struck_rollback_is_held_against_where_the_undisturbed_one_leads(
    harness_server: Server, tmp_path: Path
) -> None:
    lossy = ("update public.t set a = a + 1;\n", "-- nothing: no way back\n")
    other = ("create table public.k (a int);\n", "drop table public.k;\n")
    plan = plan_of(tmp_path, TABLE + ROWS, other, lossy, STEP)
    with studying(harness_server, plan) as (ground, copy, (note,)):
        assert "does not undo this step: data: table public.t: other values in a" in note.reason
        oracle = Oracle(ground, harness_server.dsn())
        for steps in (1, 2, 3):
            dsn = copy()
            runner.migrate(dsn, ground.sweeping(), until=f"1/0{steps}0_s")
            assert oracle.goes_back(dsn) == []
            run_sql(dsn, "update public.t set a = 77 where id = 3")
            assert oracle.goes_back(dsn)[0].startswith("after rollback data: table public.t: ")


def test_a_batch_left_halfway_that_cannot_be_undone_is_asked_only_for_an_end(
    harness_server: Server, tmp_path: Path
) -> None:
    batch = (
        (
            "-- kind: batch\n-- table: public.t\n-- key: id\n\nupdate public.t set a = -a"
            " where id > %(after)s and id <= %(upto)s;\n"
        ),
        "-- irreversible: the sign is gone\n\nselect 1;\n",
    )
    rows = ROWS.replace("(1, 9)", "(1, 250)")
    with studying(harness_server, plan_of(tmp_path, TABLE + rows, batch)) as (ground, copy, _):
        dsn, seen = copy(), list[str]()
        with pytest.raises(Exception, match="stop"):
            runner.migrate(
                dsn,
                ground.sweeping(),
                on_event=lambda event: seen.append(event.kind),
                stop=lambda: "batch" in seen,
            )
        assert end_of(ground, "rollback", dsn) is None
        assert Oracle(ground, harness_server.dsn()).judge("forward", dsn).verdict == "pass"


ODD = (
    "create table public.o (id int primary key, token uuid default gen_random_uuid(),"
    " made timestamptz default clock_timestamp(), a int);\n"
    "insert into public.o (id, a) select g, g from generate_series(1, 9) g;\n"
)
STAMP = (
    "alter table public.o add stamp timestamptz;\nupdate public.o set stamp = clock_timestamp();\n",
    "alter table public.o drop stamp;\n",
)


def test_values_that_no_two_runs_share_are_named_and_left_out(
    harness_server: Server, tmp_path: Path
) -> None:
    """30 of 40 points "failed" for them. Baselines that domains make differ as well."""
    with studying(harness_server, plan_of(tmp_path, ODD, STAMP, STEP_O), twice=True) as found:
        ground, copy, (note,) = found
        assert told((note,)) == [("info", "forward", "(start)")]
        assert ground.omit == {"public.o": dict.fromkeys(("token", "made", "stamp"), "value")}
        assert "public.o.stamp" in note.reason
        assert ground.hidden == set()
        oracle, dsn = Oracle(ground, harness_server.dsn()), copy()
        runner.migrate(dsn, ground.sweeping(), until="1/010_s")
        assert oracle.judge("forward", dsn).verdict == "pass"


STEP_O = ("alter table public.o add b int;\n", "alter table public.o drop b;\n")


LOST = (
    "update public.o set stamp = null where id = 3",
    "update public.o set a = 0 where id = 3",
    "delete from public.o where id = 3",
)


def test_what_else_is_lost_beside_such_values_is_seen(
    harness_server: Server, tmp_path: Path
) -> None:
    with studying(harness_server, plan_of(tmp_path, ODD, STAMP, STEP_O)) as (ground, copy, _):
        for lost in LOST:
            dsn = copy()
            runner.migrate(dsn, ground.sweeping())
            assert state.compared(ground, ground.after, dsn, "there") == []
            run_sql(dsn, lost)
            assert state.compared(ground, ground.after, dsn, "there") != [], lost


def test_a_step_that_changes_only_such_values_is_known(
    harness_server: Server, tmp_path: Path
) -> None:
    only = ("update public.t set s = clock_timestamp();\n", "-- irreversible: gone\n\nselect 1;\n")
    with studying(harness_server, plan_of(tmp_path, TABLE + ROWS, only, STEP)) as (ground, _, _):
        assert ground.hidden == {("forward", "1/010_s")}


def test_rows_that_no_two_runs_share_are_refused_by_name(
    harness_server: Server, tmp_path: Path
) -> None:
    some = "insert into public.t select 100 + g from generate_series(1, {}) g;\n"
    number = "(select (extract(microseconds from clock_timestamp()) * 7)::int % 1000)"
    step = (some.format(number), "delete from public.t where id > 100;\n")
    with (
        pytest.raises(Refused, match=r"two undisturbed runs end differently .*public\.t"),
        studying(harness_server, plan_of(tmp_path, TABLE, step)),
    ):
        pass


def test_the_same_values_in_other_rows_are_left_out_too(
    harness_server: Server, tmp_path: Path
) -> None:
    shuffled = (
        (
            "update public.t set a = n from (select id i, row_number() over (order by random()) n"
            " from public.t) q where i = id;\n"
        ),
        "update public.t set a = id;\n",
    )
    with studying(harness_server, plan_of(tmp_path, TABLE + ROWS, shuffled)) as (ground, _, _):
        assert ground.omit == {"public.t": {"a": "whole"}}


SERIAL = (
    "create table public.n (id serial primary key, a int);\ninsert into public.n (a) select 1;\n"
)
INSERT = (
    "insert into public.n (a) values (7), (8), (9);\n",
    "delete from public.n where a > 1;\n",
)


def test_numbers_that_a_struck_run_lost_are_no_loss(harness_server: Server, tmp_path: Path) -> None:
    """4 points failed and 31 were unknown of 60, for a serial key and three rows."""
    with studying(harness_server, plan_of(tmp_path, SERIAL, INSERT)) as (ground, copy, (note,)):
        assert ground.drawn == {"public.n_id_seq"}
        assert ground.omit == {"public.n": {"id": "value"}}
        assert "numbers drawn from public.n_id_seq stand in public.n.id" in note.reason
        assert ground.backs == ()
        dsn = copy()
        run_sql(dsn, "select nextval('public.n_id_seq')")
        assert Oracle(ground, harness_server.dsn()).judge("forward", dsn).verdict == "pass"


def test_a_sequence_that_is_behind_is_a_loss(harness_server: Server, tmp_path: Path) -> None:
    with studying(harness_server, plan_of(tmp_path, SERIAL, INSERT)) as (ground, copy, _):
        dsn = copy()
        runner.migrate(dsn, ground.sweeping())
        run_sql(dsn, "select setval('public.n_id_seq', 2)")
        (reason,) = state.compared(ground, ground.after, dsn, "there")
        assert "behind" in reason


def test_a_sequence_that_is_set_and_not_drawn_from_must_stand_where_it_was(
    harness_server: Server, tmp_path: Path
) -> None:
    """A rollback that forgets a sequence leaves it ahead: no gap excuses that."""
    step = (
        "alter sequence public.n_id_seq restart with 1000;\n",
        "alter sequence public.n_id_seq restart with 2;\n",
    )
    with studying(harness_server, plan_of(tmp_path, SERIAL, step)) as (ground, copy, notes):
        assert (ground.drawn, notes) == (set(), ())
        dsn = copy()
        runner.migrate(dsn, ground.sweeping())
        (reason, *_) = [
            text for text in state.compared(ground, ground.before, dsn, "there") if "value" in text
        ]
        assert "ahead" in reason


def test_a_clean_up_has_an_end_of_its_own_and_no_way_back(
    harness_server: Server, tmp_path: Path
) -> None:
    cleanup = "alter table public.t drop s;\n"
    with studying(harness_server, plan_of(tmp_path, TABLE + ROWS, STEP, cleanup=cleanup)) as found:
        ground, copy, notes = found
        assert notes == ()
        assert ground.cleaned is not None
        assert ground.cleaned != ground.after
        dsn = copy()
        runner.migrate(dsn, ground.sweeping())
        oracle = Oracle(ground, harness_server.dsn())
        assert oracle.stays(dsn) == []  # it has not begun
        with pytest.raises(Exception, match="stop"):
            runner.cleanup(dsn, ground.sweeping(), override_retention="a test", stop=lambda: True)
        assert oracle.judge("cleanup", dsn).verdict == "pass"


def test_a_clean_up_that_fails_undisturbed_is_said(harness_server: Server, tmp_path: Path) -> None:
    cleanup = "drop table public.nowhere;\n"
    with studying(harness_server, plan_of(tmp_path, TABLE, STEP, cleanup=cleanup)) as (
        ground,
        _,
        notes,
    ):
        assert told(notes) == [("failed", "cleanup", "cleanup/010_c")]
        assert not ground.goes("cleanup")
        assert ground.goes("rollback")
