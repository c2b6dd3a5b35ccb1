"""A verdict gates for real: migrate refuses without one that is GO, of this plan and fresh."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from report_support import JUDGED, verdict

from harness.check import judgement
from harness.check.require import objections, refuse_unless_go
from harness.commands.verdict import refuse_without_verdict
from harness.errors import Refused, UsageError
from harness.plan import Plan
from harness.plan.rules import RequireVerdict
from harness.report.verdict import Suite
from harness.runner import migrate

HASH = JUDGED["plan"]["hash"]
JUDGED_AT = datetime.fromisoformat(JUDGED["judged_at"])
SOON = JUDGED_AT + timedelta(hours=1)


def written(path: Path, **changed) -> Path:
    path.write_text(json.dumps(verdict(**changed).document(), indent=2))
    return path


def judged(**changed) -> dict:
    return {"judged": JUDGED | changed}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "verdict.json")


def test_a_go_of_this_plan_allows_it(file: Path):
    found = judgement.read(file)
    refuse_unless_go(found, HASH, now=SOON, max_age_hours=24)
    assert (found.word, found.plan, found.plan_hash) == ("GO", "crm 1", HASH)


def test_no_go_is_refused_and_says_why(file: Path):
    written(file, suites=[Suite("rollback", passed=8, failed=1)])
    with pytest.raises(Refused, match="the verdict is NO-GO because rollback: 1 of 9 failed"):
        refuse_unless_go(judgement.read(file), HASH, now=SOON)


def test_a_verdict_on_another_plan_is_refused_with_both_hashes(file: Path):
    with pytest.raises(Refused, match=r"carries hash aaaaaaaaaaaa, this plan has dddddddddddd"):
        refuse_unless_go(judgement.read(file), "d" * 64, now=SOON)


def test_a_verdict_older_than_allowed_is_refused_with_its_age(file: Path):
    late = JUDGED_AT + timedelta(hours=49)
    with pytest.raises(Refused, match=r"is 49\.0 h old, the plan allows 48 h"):
        refuse_unless_go(judgement.read(file), HASH, now=late, max_age_hours=48)
    refuse_unless_go(judgement.read(file), HASH, now=late)  # no limit, no objection


def test_a_verdict_from_the_future_is_refused(file: Path):
    with pytest.raises(Refused, match="dated in the future"):
        refuse_unless_go(judgement.read(file), HASH, now=JUDGED_AT - timedelta(hours=1))


def test_every_objection_is_named_at_once(file: Path):
    written(file, complete=False)
    found = objections(
        judgement.read(file), "d" * 64, now=JUDGED_AT + timedelta(days=9), max_age_hours=1
    )
    assert len(found) == 3


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('"verdict": "GO",', '"verdict": "GO"', 4, "is not JSON"),
        ('"schema": 2', '"schema": 1', 2, "has schema 1, this harness reads 2"),
        ('"verdict": "GO"', '"verdict": "MAYBE"', 3, "is 'MAYBE', not GO or NO-GO"),
        ('"skipped": 0', '"skippt": 0', None, "suites[0] is not whole"),
        ('"reasons"', '"raisons"', 1, "'reasons' is not a list"),
        ("+00:00", "", None, "not a time with its zone"),
        ('"hash": "aaaa', '"hush": "aaaa', None, "'plan' carries no hash"),
    ],
    ids=["json", "schema", "word", "suite", "key", "zone", "hash"],
)
def test_an_unreadable_verdict_is_a_usage_error_with_file_line_and_reason(
    file: Path, old: str, new: str, line: int | None, reason: str
):
    edited(file, old, new)
    with pytest.raises(UsageError) as caught:
        judgement.read(file)
    assert caught.value.exit_status == 2
    assert reason in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{file}:{line or ''}")


def test_a_go_that_the_file_itself_denies_is_not_believed(file: Path):
    written(file, suites=[Suite("rollback", passed=8, failed=1)])
    edited(file, '"verdict": "NO-GO"', '"verdict": "GO"')
    with pytest.raises(UsageError, match="contradicts itself"):
        judgement.read(file)


def test_a_missing_verdict_is_a_usage_error(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        judgement.read(tmp_path / "none.json")


def fresh(path: Path, plan: Plan, age: timedelta = timedelta()) -> Path:
    """A GO on the real plan."""
    moment = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    return written(path, **judged(judged_at=moment, plan=JUDGED["plan"] | {"hash": plan.hash}))


@pytest.fixture
def dsn(clone, seeded) -> str:
    return clone(seeded(rows=200))


def test_a_plan_that_asks_for_no_verdict_needs_none(plan: Plan):
    refuse_without_verdict("no such database is asked", plan, None)


def test_the_plan_itself_can_demand_a_verdict(plan: Plan, dsn: str, tmp_path: Path):
    rule = RequireVerdict(tmp_path / "verdict.json", max_age_hours=24)
    strict = replace(plan, require_verdict=rule)
    with pytest.raises(UsageError, match="cannot be read"):
        refuse_without_verdict(dsn, strict, None)
    refuse_without_verdict(dsn, strict, fresh(tmp_path / "verdict.json", plan))
    old = fresh(tmp_path / "old.json", plan, age=timedelta(hours=30))
    with pytest.raises(Refused, match=r"30\.0 h old, the plan allows 24 h"):
        refuse_without_verdict(dsn, strict, old)


def test_a_run_begun_with_a_good_verdict_may_go_on_when_it_is_old(
    plan: Plan, dsn: str, tmp_path: Path
):
    strict = replace(plan, require_verdict=RequireVerdict(tmp_path / "v.json", max_age_hours=24))
    fresh(tmp_path / "v.json", plan, age=timedelta(hours=30))
    migrate(dsn, plan, until=plan.steps[0].id)
    refuse_without_verdict(dsn, strict, None)
    other = written(tmp_path / "other.json")
    with pytest.raises(Refused, match="on another plan"):
        refuse_without_verdict(dsn, strict, other)


def test_what_is_refused_is_not_touched(plan: Plan, dsn: str, file: Path):
    with pytest.raises(Refused):
        refuse_without_verdict(dsn, plan, file)
    with psycopg.connect(dsn) as conn:
        assert conn.execute("select to_regnamespace('migration_control')").fetchone() == (None,)
