"""What a plan asks of its judges: in range or refused by line, and part of what a verdict says."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.plan import RequireVerdict
from tests.harness.support.runner import SmallPlan


def with_table(root: Path, text: str) -> SmallPlan:
    small = SmallPlan(root)
    small.replace("plan.toml", "[variables]", f"{text}\n\n[variables]")
    return small


def test_a_plan_that_says_nothing_has_the_usual_rules(tmp_path: Path) -> None:
    plan = SmallPlan(tmp_path).load()
    assert (plan.validate.warning_percent, plan.validate.keys) == (1.0, 20)
    assert plan.verify.samples == 100
    assert plan.dry_run.estimate_percent == 50
    assert plan.require_verdict is None
    assert plan.preflight.postgres == (15, 18)


def test_a_plan_says_whether_the_checks_run_with_it(tmp_path: Path) -> None:
    plan = SmallPlan(tmp_path / "one").load()
    assert (plan.validate.before, plan.verify.after) == (False, False)
    plan = with_table(tmp_path / "two", "[validate]\nbefore = true\n[verify]\nafter = true").load()
    assert (plan.validate.before, plan.verify.after) == (True, True)


def test_a_plan_says_how_it_is_judged(tmp_path: Path) -> None:
    small = with_table(
        tmp_path,
        '[validate]\nwarning_percent = 0.5\ntimeout = "2min"\n'
        '[validate.severity]\n"things.name.odd" = "off"\n'
        '[verify]\nsamples = 7\n[dry_run]\nmax_lock = "500ms"\n'
        '[require_verdict]\nfile = "../build/verdict.json"\nmax_age_hours = 24',
    )
    small.replace("plan.toml", "[preflight]", "[preflight]\npostgres = [16, 17]")
    plan = small.load()
    assert (plan.validate.warning_percent, plan.validate.timeout) == (0.5, 120.0)
    assert plan.validate.severity == {"things.name.odd": "off"}
    assert (plan.verify.samples, plan.dry_run.max_lock) == (7, 0.5)
    assert plan.require_verdict == RequireVerdict(tmp_path / "../build/verdict.json", 24.0)
    assert plan.preflight.postgres == (16, 17)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[validate]\nwarning_percent = 0", "7: warning_percent is above 0 and at most 100, not 0"),
        ("[validate]\nwarning_percent = 101", "7: warning_percent is above 0 and at most 100"),
        ("[validate]\nwarning_percent = -1", "7: warning_percent is a number, not -1"),
        ('[validate]\nwarning_percent = "1"', "7: warning_percent is a number, not '1'"),
        ("[validate]\nwarning_percent = nan", "7: warning_percent is above 0 and at most 100"),
        ("[validate]\nkeys = 0", "7: keys is a whole number of at least 1, not 0"),
        ("[validate]\ntimeout = 0", "7: timeout is above 0 and at most a day, not 0"),
        ("[validate]\nwarnings = 1", "7: unknown key 'warnings' in [validate]"),
        ('[validate]\nseverity = "low"', "7: severity names checks"),
        ('[validate.severity]\n"a.b" = "low"', "7: the severity of 'a.b' is 'low'; known are"),
        ("[validate]\nbefore = 1", "7: before is true or false, not 1"),
        ('[verify]\nafter = "yes"', "7: after is true or false, not 'yes'"),
        ("[verify]\nsamples = 1.5", "7: samples is a whole number of at least 1, not 1.5"),
        ("[dry_run]\nestimate_percent = 2000", "7: estimate_percent is above 0 and at most 1000"),
        ("[dry_run]\nmax_lock = 5", '7: max_lock is a time such as "2s"'),
        ("[require_verdict]\nmax_age_hours = 1", "6: [require_verdict] needs a text 'file'"),
        ('[require_verdict]\nfile = "v"\nmax_age_hours = 0', "8: max_age_hours is above 0"),
    ],
)
def test_a_rule_out_of_range_is_refused_with_its_line(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(UsageError) as refused:
        with_table(tmp_path, text).load()
    assert str(refused.value).replace(f"{tmp_path}/plan.toml:", "").startswith(reason)


@pytest.mark.parametrize("value", ["[18, 15]", "[15]", '["15", "18"]', "15"])
def test_versions_that_make_no_range_are_refused(tmp_path: Path, value: str) -> None:
    small = SmallPlan(tmp_path)
    small.replace("plan.toml", "[preflight]", f"[preflight]\npostgres = {value}")
    with pytest.raises(UsageError, match="postgres is the oldest and the newest major version"):
        small.load()


@pytest.mark.parametrize("name", ["checks/validate/one.sql", "checks/verify/deep/two.toml"])
def test_the_hash_covers_the_checks_but_no_run_depends_on_them(tmp_path: Path, name: str) -> None:
    small = SmallPlan(tmp_path)
    before = small.load()
    small.write(name, "-- one")
    with_one = small.load()
    small.write(name, "-- two")
    assert len({before.hash, with_one.hash, small.load().hash}) == 3
    assert small.load().files == before.files


def test_the_hash_covers_thresholds_but_not_who_may_start(tmp_path: Path) -> None:
    before = SmallPlan(tmp_path).load()
    asked = with_table(tmp_path, '[require_verdict]\nfile = "verdict.json"').load()
    assert asked.hash == before.hash
    stricter = with_table(tmp_path, "[validate]\nwarning_percent = 0.1").load()
    assert stricter.hash != before.hash
    assert stricter.files == before.files == asked.files
