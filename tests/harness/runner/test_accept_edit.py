"""A step that committed nothing may be mended and run, with a reason that is kept; no other may."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import Refused, StepFailed, UsageError
from harness.runner.outcome import Event
from tests.harness.support.runner import SmallPlan, ask, child, contents, prepared, run_sql

COLUMN = "phases/1.1_fill/010_column.forward.sql"
COLUMN_BACK = "phases/1.1_fill/010_column.rollback.sql"
FILL = "phases/1.1_fill/020_fill.forward.sql"
INDEX = "phases/1.2_index/010_index.forward.sql"
INDEX_BACK = "phases/1.2_index/010_index.rollback.sql"
REASON = "the division was wrong"


@pytest.fixture
def ended(tmp_path: Path, harness_empty_database: str) -> tuple[object, ...]:
    """What the mended plan leaves when nothing disturbs it."""
    plan = prepared(tmp_path / "golden", harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    found = contents(harness_empty_database)
    run_sql(
        harness_empty_database,
        "DROP SCHEMA public, migration_control CASCADE; CREATE SCHEMA public",
    )
    return found


def broken(root: Path, dsn: str, name: str, old: str, new: str) -> SmallPlan:
    """A plan with a mistake in one file, run until it fails there."""
    small = SmallPlan(root)
    small.replace(name, old, new)
    runner.baseline(dsn, small.load())
    with pytest.raises(StepFailed):
        runner.migrate(dsn, small.load())
    return small


def mended(small: SmallPlan) -> SmallPlan:
    """The plan as it should have been."""
    return SmallPlan(small.root)


MISTAKES = {
    "the first step": (COLUMN, "'harness.sunset'", "'no.such'"),
    "a batch without a batch": (FILL, "upper(name)", "(1 / (id - 1))"),
    "an index without an index": (INDEX, "upper_name, id DESC", "left(upper_name, 3)"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mended_step_is_run_for_a_reason(
    mistake: str, tmp_path: Path, harness_empty_database: str, ended: tuple[object, ...]
) -> None:
    file, old, new = MISTAKES[mistake]
    small = mended(broken(tmp_path, harness_empty_database, file, old, new))
    with pytest.raises(Refused, match="migrate --accept-edit REASON") as refused:
        runner.migrate(harness_empty_database, small.load())
    assert f"edited {file}" in str(refused.value)
    outcome = runner.migrate(harness_empty_database, small.load(), accept_edit=REASON)
    assert (outcome.state, contents(harness_empty_database)) == ("migrated", ended)
    step = outcome.accepted[0]["step"]
    assert outcome.accepted == [{"what": "edited", "file": file, "step": step, "reason": REASON}]
    assert runner.status(harness_empty_database, small.load()).edits == outcome.accepted
    query = "SELECT plan_hash FROM migration_control.run"
    assert ask(harness_empty_database, query) == small.load().hash


def test_an_accepted_edit_holds_for_the_next_runner(
    tmp_path: Path, harness_empty_database: str, ended: tuple[object, ...]
) -> None:
    small = mended(
        broken(tmp_path, harness_empty_database, COLUMN, "'harness.sunset'", "'no.such'")
    )
    seen: list[str] = []
    with pytest.raises(Exception, match="stopped on request"):
        runner.migrate(
            harness_empty_database,
            small.load(),
            accept_edit=REASON,
            on_event=lambda event: seen.append(event.kind),
            stop=lambda: "step_done" in seen,
        )
    assert runner.migrate(harness_empty_database, small.load()).state == "migrated"
    assert contents(harness_empty_database) == ended
    assert runner.rollback(harness_empty_database, small.load()).state == "rolled-back"


def test_an_acceptance_is_written_with_the_claim_or_not_at_all(
    tmp_path: Path, harness_empty_database: str
) -> None:
    """Killed at each message, the ledger holds the old hash and no event, or the new and one."""
    small = broken(tmp_path, harness_empty_database, COLUMN, "'harness.sunset'", "'no.such'")
    old = small.load().files[COLUMN]
    new = mended(small).load()
    event = "SELECT count(*) FROM migration_control.event WHERE kind = 'edit_accepted'"
    file = f"SELECT sha256 FROM migration_control.plan_file WHERE path = '{COLUMN}'"
    seen = set()
    for message in range(16, 40):
        with child(
            "migrate", harness_empty_database, new, die_at=message, accept_edit=REASON
        ) as dying:
            status = dying.ended()
        seen.add((ask(harness_empty_database, file), ask(harness_empty_database, event)))
        if status != -signal.SIGKILL or len(seen) > 1:
            break
    assert seen == {(old, 0), (new.files[COLUMN], 1)}


def added(small: SmallPlan, name: str) -> object:
    small.write(f"phases/{name}.forward.sql", "SELECT 1;")
    return small.write(f"phases/{name}.rollback.sql", "-- nothing: none")


def removed(small: SmallPlan, *names: str) -> None:
    for name in names:
        (small.root / name).unlink()


def commented(name: str) -> Callable[[SmallPlan], object]:
    return lambda small: small.write(
        name, (small.root / name).read_text("utf-8") + "\n-- one more comment\n"
    )


KEPT: dict[str, tuple[str, Callable[[SmallPlan], object], str]] = {
    "a committed step": ("1.1", commented(COLUMN), "step 1.1/010_column is committed"),
    "its way back": (
        "1.1",
        commented(COLUMN_BACK),
        "step 1.1/010_column is committed; `harness rollback --accept-edit REASON` accepts",
    ),
    "the manifest": (
        "1.1",
        lambda small: small.replace("plan.toml", "2030", "2031"),
        "every step depends on it, and 1.1/010_column was begun",
    ),
    "a step in between": (
        "1.1",
        lambda small: added(small, "1.1_fill/015_new"),
        "step 1.1/015_new would come before 1.1/020_fill, which was begun",
    ),
    "a committed step that is gone": (
        "1.1",
        lambda small: removed(small, COLUMN, COLUMN_BACK),
        "step 1.1/010_column is committed",
    ),
    "one of two": (
        "1.1",
        lambda small: (commented(INDEX)(small), commented(FILL)(small)),
        "step 1.1/020_fill is committed",
    ),
    "a finished run": (
        "1.2",
        lambda small: added(small, "1.1_fill/005_new"),
        "005_new.forward.sql must be taken away again: run 1 is completed",
    ),
}


@pytest.mark.parametrize("change", KEPT)
def test_what_was_committed_may_not_change(
    change: str, tmp_path: Path, harness_empty_database: str
) -> None:
    until, make, said = KEPT[change]
    runner.migrate(harness_empty_database, prepared(tmp_path, harness_empty_database), until=until)
    before = contents(harness_empty_database)
    small = SmallPlan(tmp_path)
    make(small)
    for reason in (None, REASON):
        with pytest.raises(Refused, match="the plan changed since run 1") as refused:
            runner.migrate(harness_empty_database, small.load(), accept_edit=reason)
        assert said in str(refused.value)
    assert contents(harness_empty_database) == before
    noted = "SELECT count(*) FROM migration_control.event WHERE kind = 'edit_accepted'"
    assert ask(harness_empty_database, noted) == 0


def test_a_finished_run_takes_no_more_steps(tmp_path: Path, harness_empty_database: str) -> None:
    runner.migrate(harness_empty_database, prepared(tmp_path, harness_empty_database))
    small = SmallPlan(tmp_path)
    added(small, "1.2_index/020_new")
    with pytest.raises(Refused, match="run 1 is completed"):
        runner.migrate(harness_empty_database, small.load(), accept_edit=REASON)


def test_a_batch_step_with_batches_may_not_change(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = broken(tmp_path, harness_empty_database, FILL, "upper(name)", "(1 / (id - 950))")
    with pytest.raises(Refused, match=r"step 1\.1/020_fill has committed 2 batches"):
        runner.migrate(harness_empty_database, mended(small).load(), accept_edit=REASON)


def test_steps_that_were_not_begun_may_come_go_and_move(
    tmp_path: Path, harness_empty_database: str
) -> None:
    runner.migrate(harness_empty_database, prepared(tmp_path, harness_empty_database), until="1.1")
    small = SmallPlan(tmp_path)
    for way in ("forward", "rollback"):
        old = small.root / f"phases/1.2_index/010_index.{way}.sql"
        old.rename(small.root / f"phases/1.2_index/030_index.{way}.sql")
    added(small, "1.2_index/020_new")
    outcome = runner.migrate(harness_empty_database, small.load(), accept_edit=REASON)
    assert outcome.steps_run == ["1.2/020_new", "1.2/030_index"]
    assert {one["what"] for one in outcome.accepted} == {"added", "removed"}
    assert runner.rollback(harness_empty_database, small.load()).state == "rolled-back"


def test_a_manifest_may_change_while_nothing_was_begun(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = mended(
        broken(tmp_path, harness_empty_database, COLUMN, "'harness.sunset'", "'no.such'")
    )
    small.replace("plan.toml", "2030", "2031")
    runner.migrate(harness_empty_database, small.load(), accept_edit=REASON)
    assert ask(harness_empty_database, "SELECT name FROM public.kinds") == "2031-01-01"


def intent(dsn: str, root: Path) -> SmallPlan:
    """A run that was killed when its index was there, before the checkpoint said so."""
    plan = prepared(root, dsn)
    runner.migrate(dsn, plan, until="1.1")
    for message in range(20, 60):
        with child("migrate", dsn, plan, die_at=message) as dying:
            dying.ended()
        query = "SELECT to_regclass('public.things_upper') IS NOT NULL"
        if ask(dsn, query):
            break
    query = "SELECT state FROM migration_control.step WHERE step = '1.2/010_index'"
    assert ask(dsn, query) == "intent"
    return SmallPlan(root)


def test_an_index_of_the_old_form_is_named_not_left_behind(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = intent(harness_empty_database, tmp_path)
    small.replace(INDEX, "things_upper", "things_other")
    small.replace(INDEX_BACK, "things_upper", "things_other")
    with pytest.raises(Refused, match=r'DROP INDEX CONCURRENTLY "public"\."things_upper"'):
        runner.migrate(harness_empty_database, small.load(), accept_edit=REASON)
    run_sql(harness_empty_database, 'DROP INDEX CONCURRENTLY "public"."things_upper"')
    runner.migrate(harness_empty_database, small.load(), accept_edit=REASON)
    assert ask(harness_empty_database, "SELECT to_regclass('public.things_other')::text")


def test_a_mended_way_back_is_taken_for_a_reason(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(COLUMN_BACK, "DROP TABLE", "SELECT 1 / 0; DROP TABLE")
    runner.baseline(harness_empty_database, small.load())
    before = contents(harness_empty_database)
    runner.migrate(harness_empty_database, small.load())
    with pytest.raises(StepFailed, match="22012"):
        runner.rollback(harness_empty_database, small.load())
    good = mended(small)
    with pytest.raises(Refused, match="rollback --accept-edit REASON"):
        runner.rollback(harness_empty_database, good.load())
    outcome = runner.rollback(harness_empty_database, good.load(), accept_edit=REASON)
    assert (outcome.state, contents(harness_empty_database)) == ("rolled-back", before)
    assert [one["file"] for one in outcome.accepted] == [COLUMN_BACK]


def test_a_way_back_that_is_mended_before_it_began(
    tmp_path: Path, harness_empty_database: str
) -> None:
    runner.migrate(harness_empty_database, prepared(tmp_path, harness_empty_database), until="1.1")
    small = SmallPlan(tmp_path)
    commented(COLUMN_BACK)(small)
    assert runner.rollback(harness_empty_database, small.load(), accept_edit=REASON).accepted
    assert runner.migrate(harness_empty_database, small.load()).state == "migrated"


def test_a_way_back_that_is_done_may_not_change(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(COLUMN_BACK, "DROP TABLE", "SELECT 1 / 0; DROP TABLE")
    runner.baseline(harness_empty_database, small.load())
    runner.migrate(harness_empty_database, small.load())
    with pytest.raises(StepFailed):
        runner.rollback(harness_empty_database, small.load())
    commented(INDEX_BACK)(small)
    with pytest.raises(Refused, match=r"the way back of 1\.2/010_index is committed"):
        runner.rollback(harness_empty_database, small.load(), accept_edit=REASON)


def test_a_reason_without_an_edit_is_said_and_changes_nothing(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    for until in ("1.1", "1.2", "1.2"):  # a new run, a resumed one, a finished one
        told: list[Event] = []
        outcome = runner.migrate(
            harness_empty_database, plan, until=until, accept_edit=REASON, on_event=told.append
        )
        assert outcome.accepted == []
        assert [event.message for event in told if event.kind == "edits_none"] == [
            "--accept-edit: no file changed since the run began"
        ]
    with pytest.raises(UsageError, match="--accept-edit needs a reason"):
        runner.migrate(harness_empty_database, plan, accept_edit=" ")


def harness(root: Path, dsn: str, *arguments: str) -> tuple[int, dict[str, object], str]:
    """Exit status, document and messages of a command on the plan below `root`."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments, "--dsn", dsn, "--json"],
        env=os.environ | {"HARNESS_PLAN": str(root / "plan.toml")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_a_person_is_told_how_far_it_came_and_how_to_go_on(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(INDEX, "id > 5", "name::bigint > 5")
    runner.baseline(harness_empty_database, small.load())
    status, told, messages = harness(tmp_path, harness_empty_database, "migrate")
    assert (status, told["steps_done"], told["steps_total"]) == (1, 2, 3)
    assert (told["step"], told["next"]) == ("1.2/010_index", "harness migrate")
    assert "2 of 3 steps are done, halted in 1.2/010_index" in messages
    status, told, _ = harness(tmp_path, harness_empty_database, "status")
    assert (status, told["state"], told["step"]) == (0, "partial", "1.2/010_index")
    assert "22P02" in str(told["error"])
    assert told["next"] == "harness migrate"
    mended(small)
    status, told, _ = harness(tmp_path, harness_empty_database, "status")
    assert told["next"] == "harness migrate --accept-edit REASON"
    assert f"edited {INDEX}" in str(told["reason"])
    status, told, _ = harness(tmp_path, harness_empty_database, "migrate", "--accept-edit", REASON)
    assert (status, told["state"]) == (0, "migrated")
    status, told, _ = harness(tmp_path, harness_empty_database, "status")
    assert (told["error"], told["next"]) == (None, "harness verify")


def test_a_step_that_meets_what_is_not_the_plans_is_told_likewise(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    run_sql(harness_empty_database, "CREATE INDEX things_upper ON public.things (name)")
    with pytest.raises(Refused, match=r"2 of 3 steps are done, halted in 1\.2/010_index"):
        runner.migrate(harness_empty_database, plan)
    found = runner.status(harness_empty_database, plan)
    assert found.step == "1.2/010_index"
    assert "is there already" in str(found.error)
    run_sql(harness_empty_database, "DROP INDEX public.things_upper")
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert runner.status(harness_empty_database, plan).error is None
