"""Validation: NO-GO from the plan's threshold on, unknown where it cannot judge, reads only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from harness import runner
from harness.check.judge import CheckRunner, reading
from harness.check.preflight.run import DatabaseStanding
from harness.check.validate.run import Validation, checks_of, validate
from harness.cli.validate import validate as command
from harness.core.errors import UsageError
from harness.database import fingerprint
from tests.harness.support.runner import SmallPlan, run_sql

CLEAN = DatabaseStanding("clean")
NAMES = """-- id: things.name.odd
-- severity: warning
-- relation: public.things
-- message: a thing has an odd name
-- hint: it is kept
-- clean-up: update public.things
-- clean-up:     set name = 'thing' where name like '%odd%';

select t.id as key, t.name as detail from public.things t where t.name like '%odd%';
"""
BLANK = """-- id: things.name.blank
-- severity: warning
-- relation: public.things
-- message: a thing has a blank name
select t.id as key from public.things t where btrim(t.name) in ('', 'odd');
"""
CHECK = "checks/validate/name_odd.sql"


@pytest.fixture
def small(tmp_path: Path, harness_empty_database: str) -> SmallPlan:
    plan = SmallPlan(tmp_path / "sql")
    plan.write(CHECK, NAMES)
    runner.baseline(harness_empty_database, plan.load())
    return plan


def odd(dsn: str, count: int) -> None:
    run_sql(dsn, f"UPDATE public.things SET name = 'odd ' || id WHERE id <= {count}")


def judged(small: SmallPlan, dsn: str, **options: Any) -> Validation:
    return validate(dsn, small.load(), CLEAN, free_bytes=10**15, **options)


@pytest.mark.parametrize(("count", "verdict"), [(0, "pass"), (9, "pass"), (10, "fail")])
def test_warnings_on_one_percent_of_a_relation_are_no_go(
    small: SmallPlan, harness_empty_database: str, count: int, verdict: str
) -> None:
    odd(harness_empty_database, count)
    found = judged(small, harness_empty_database)
    assert (found.verdict, found.warning_percent) == (verdict, count / 10)


def test_the_threshold_stands_in_the_plan(small: SmallPlan, harness_empty_database: str) -> None:
    odd(harness_empty_database, 10)
    small.replace("plan.toml", "[runner]", "[validate]\nwarning_percent = 1.1\n\n[runner]")
    assert judged(small, harness_empty_database).verdict == "pass"


def test_a_row_with_two_warnings_counts_once(small: SmallPlan, harness_empty_database: str) -> None:
    run_sql(harness_empty_database, "UPDATE public.things SET name = 'odd' WHERE id <= 9")
    small.write("checks/validate/name_blank.sql", BLANK)
    found = judged(small, harness_empty_database)
    assert [finding.id for finding in found.findings] == ["things.name.blank", "things.name.odd"]
    assert (found.verdict, found.warning_percent) == ("pass", 0.9)
    run_sql(harness_empty_database, "UPDATE public.things SET name = '' WHERE id = 10")
    assert judged(small, harness_empty_database).verdict == "fail"


def test_one_critical_row_is_no_go(small: SmallPlan, harness_empty_database: str) -> None:
    odd(harness_empty_database, 1)
    small.replace(CHECK, "severity: warning", "severity: critical")
    assert judged(small, harness_empty_database).verdict == "fail"


def test_the_plan_may_weigh_a_check_otherwise_or_leave_it_out(
    small: SmallPlan, harness_empty_database: str
) -> None:
    odd(harness_empty_database, 500)
    severity = '[validate.severity]\n"things.name.odd" = "info"\n\n[runner]'
    small.replace("plan.toml", "[runner]", severity)
    found = judged(small, harness_empty_database)
    assert (found.verdict, [finding.severity for finding in found.findings]) == ("pass", ["info"])
    small.replace("plan.toml", '"info"', '"off"')
    found = judged(small, harness_empty_database)
    assert [finding.id for finding in found.findings] == ["validate.nothing"]


def test_a_plan_without_a_check_is_unknown_and_says_what_to_add(
    small: SmallPlan, harness_empty_database: str
) -> None:
    shutil.rmtree(small.root / "checks")
    found = judged(small, harness_empty_database)
    assert found.verdict == "unknown"
    (said,) = found.document().unknowns
    assert (said.check, said.reason) == ("validate.nothing", "no check: no row was looked at")
    assert "checks/validate" in said.next


def test_a_plan_that_says_it_has_no_check_passes_and_lists_it(
    small: SmallPlan, harness_empty_database: str
) -> None:
    shutil.rmtree(small.root / "checks")
    small.replace("plan.toml", "[runner]", '[validate.without]\nchecks = "no rows"\n\n[runner]')
    found = judged(small, harness_empty_database)
    assert found.verdict == "pass"
    (absent,) = found.document().not_applicable
    assert (absent.check, absent.reason) == ("validate.checks", "no rows")


def test_an_empty_directory_of_checks_is_unknown(
    small: SmallPlan, harness_empty_database: str, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    found = judged(small, harness_empty_database, more=[tmp_path / "mine"])
    assert (found.verdict, found.unlooked[0].where) == ("unknown", str(tmp_path / "mine"))


def test_empty_relations_are_unknown(small: SmallPlan, harness_empty_database: str) -> None:
    run_sql(harness_empty_database, "TRUNCATE public.things CASCADE")
    found = judged(small, harness_empty_database)
    assert found.verdict == "unknown"
    assert "no row was looked at" in found.unlooked[0].message


def test_a_tolerated_share_is_information_and_what_is_above_it_a_warning(
    small: SmallPlan, harness_empty_database: str
) -> None:
    small.replace(CHECK, "-- hint", "-- tolerate: 0.5%\n-- hint")
    odd(harness_empty_database, 5)
    found = judged(small, harness_empty_database)
    assert ([f.severity for f in found.findings], found.warning_percent) == (["info"], 0.0)
    odd(harness_empty_database, 6)
    assert [f.severity for f in judged(small, harness_empty_database).findings] == ["warning"]


def test_a_finding_tells_count_share_keys_and_the_clean_up(
    small: SmallPlan, harness_empty_database: str
) -> None:
    odd(harness_empty_database, 30)
    document = judged(small, harness_empty_database).document()
    (finding,) = document.findings
    assert (finding.count, finding.percent, len(finding.keys)) == (30, 3.0, 20)
    assert finding.keys[:2] == ("1", "2")
    assert finding.evidence.startswith("1 (odd 1), 2 (odd 2)")
    assert finding.evidence.endswith("and 10 more")
    run_sql(harness_empty_database, finding.cleanup)
    assert judged(small, harness_empty_database).findings == ()


def test_what_cannot_be_judged_is_unknown(small: SmallPlan, harness_empty_database: str) -> None:
    small.replace("plan.toml", "[runner]", '[validate]\ntimeout = "50ms"\n\n[runner]')
    small.replace(CHECK, "t where", "t cross join pg_sleep(10) where")
    found = judged(small, harness_empty_database)
    assert found.verdict == "unknown"
    assert "could not be checked, canceling statement due to statement timeout" in (
        found.findings[0].message
    )


def test_a_relation_that_is_not_there_is_unknown(
    small: SmallPlan, harness_empty_database: str
) -> None:
    small.replace(CHECK, "public.things t", "public.gone t")
    found = judged(small, harness_empty_database)
    assert found.verdict == "unknown"
    assert 'relation "public.gone" does not exist' in found.findings[0].message


def test_a_lock_makes_checks_unknown_and_only_the_first_waits_for_it(
    small: SmallPlan, harness_empty_database: str
) -> None:
    checks = checks_of(small.load())
    with (
        psycopg.connect(harness_empty_database) as holder,
        reading(harness_empty_database, timeout=60, name="test") as conn,
    ):
        holder.execute("LOCK TABLE public.things")
        (result,) = CheckRunner(conn, keys=5).judge(checks)
        assert result.unknown == "canceling statement due to lock timeout (SQLSTATE 55P03)"
        assert conn.execute("SHOW lock_timeout").fetchone() == ("50ms",)


def test_a_check_that_writes_writes_nothing(small: SmallPlan, harness_empty_database: str) -> None:
    run_sql(
        harness_empty_database,
        "CREATE FUNCTION public.sly() RETURNS bigint LANGUAGE sql"
        " AS 'DELETE FROM public.things RETURNING id'",
    )
    before = fingerprint.take(harness_empty_database)
    small.replace(CHECK, "from public.things t", "from public.things t, public.sly() s")
    found = judged(small, harness_empty_database)
    assert "read-only transaction" in found.findings[0].message
    assert fingerprint.take(harness_empty_database) == before


def test_validation_leaves_the_database_as_it_was(
    small: SmallPlan, harness_empty_database: str
) -> None:
    odd(harness_empty_database, 30)
    before = fingerprint.take(harness_empty_database)
    judged(small, harness_empty_database)
    assert fingerprint.take(harness_empty_database) == before


def test_rows_of_a_migrated_database_are_not_judged(
    small: SmallPlan, harness_empty_database: str
) -> None:
    odd(harness_empty_database, 500)
    found = validate(harness_empty_database, small.load(), DatabaseStanding("migrated", run=1))
    assert [finding.id for finding in found.findings if finding.severity == "critical"] == [
        "preflight.migrated"
    ]
    assert (found.verdict, found.relations) == ("fail", ())


def test_a_user_adds_checks_without_python(
    small: SmallPlan, tmp_path: Path, harness_empty_database: str
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "blank.sql").write_text(BLANK)
    run_sql(harness_empty_database, "UPDATE public.things SET name = '' WHERE id <= 10")
    assert judged(small, harness_empty_database, more=[mine]).verdict == "fail"
    (mine / "again.sql").write_text(BLANK)
    with pytest.raises(UsageError, match=r"blank\.sql:1: id 'things.name.blank' is taken"):
        judged(small, harness_empty_database, more=[mine])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("-- id: things.name.odd\n", "", "1: has no header 'id'"),
        ("things.name.odd", "Things", "1: id is words with dots"),
        ("severity: warning", "severity: bad", "2: unknown severity 'bad'; severities are"),
        ("severity:", "gravity:", "2: unknown header 'gravity'; known are"),
        ("-- hint: it is kept", "-- id: other.id", "5: header 'id' is given twice"),
        ("-- hint: it is kept", "-- hint: ", "5: header 'hint' says nothing"),
        ("-- hint: it is kept", "-- tolerate: 200%", "5: tolerate is a share"),
        ("public.things\n", "things\n", "3: relation is a schema and a name"),
        ("name like '%odd%';\n\n", "name lik;\n\n", "6: the clean-up is not SQL"),
        ("select t.id as key", "select t.id", "9: the query gives no column named key"),
        ("select t.id", "delete from public.things; select t.id", "9: holds 2 statements"),
        ("select t.id as key, t.name as detail", "select 1 as key into x", "9: is not a query"),
        ("select t.id as key", "selec t.id as key", "9: syntax error at or near"),
        (
            "t where",
            "t\nwhere upper(1, 2) and",
            "10: the query fails: function upper(",
        ),
    ],
)
def test_a_malformed_check_file_is_refused_with_its_line(
    small: SmallPlan, harness_empty_database: str, old: str, new: str, reason: str
) -> None:
    small.replace(CHECK, old, new)
    with pytest.raises(UsageError) as refused:
        judged(small, harness_empty_database)
    assert str(refused.value).replace(f"{small.root}/{CHECK}:", "").startswith(reason)


def test_a_strange_file_among_the_checks_is_refused(
    small: SmallPlan, harness_empty_database: str
) -> None:
    small.write("checks/validate/readme.txt", "")
    with pytest.raises(UsageError, match="is not a check file"):
        judged(small, harness_empty_database)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments))


def test_the_command_prints_one_document_and_fails_on_no_go(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = ("--plan", str(small.root / "plan.toml"), "--dsn", harness_empty_database)
    ended = run(*plan, "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["verdict"]) == (0, "pass")
    odd(harness_empty_database, 10)
    ended = run(*plan, "--json")
    document = json.loads(ended.stdout)
    assert ended.exit_code == 1
    assert (document["verdict"], document["warning_percent"]) == ("fail", 1.0)
    assert document["preflight"]["state"] == "clean"
    assert document["thresholds"] == {"warning_percent": 1.0}
    ended = run(*plan)
    assert (
        "warning: things.name.odd: public.things: a thing has an odd name: 10 of 1,000"
        in ended.stdout
    )
    assert "set name = 'thing'" in ended.stdout


def test_the_command_refuses_a_bad_size_and_a_bad_check_before_it_connects(
    small: SmallPlan,
) -> None:
    nowhere = ("--plan", str(small.root / "plan.toml"), "--dsn", "postgresql://nobody@[::1]:1/no")
    assert "takes a size" in str(run(*nowhere, "--free-disk", "much").exception)
    small.replace(CHECK, "severity: warning", "severity: bad")
    assert isinstance(run(*nowhere).exception, UsageError)


def test_a_foreign_database_fails_with_a_reason(
    small: SmallPlan, harness_empty_database: str
) -> None:
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute("ALTER TABLE public.things RENAME TO others")
    ended = run("--plan", str(small.root / "plan.toml"), "--dsn", harness_empty_database, "--json")
    document = json.loads(ended.stdout)
    assert (ended.exit_code, document["findings"][0]["id"]) == (1, "preflight.foreign")
    assert "public.things" in document["findings"][0]["message"]
