"""A verdict gates for real: migrate refuses without one that is GO, of this plan and fresh."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from harness.check import drift, verdict_file
from harness.check.required_verdict import AtHand, differences, objections, refuse_unless_go
from harness.cli import cli
from harness.cli.verdict import refuse_without_verdict
from harness.core.errors import Refused, UsageError
from harness.database import admin, source
from harness.document.base import to_builtins, to_text
from harness.plan import Plan
from harness.plan.rules import RequireVerdict
from harness.report.verdict import Suite
from harness.runner import migrate
from harness.scenario.gate import provenance as scenario
from tests.harness.support.report import JUDGED, verdict

HASH = JUDGED["plan"]["hash"]
JUDGED_AT = datetime.fromisoformat(JUDGED["judged_at"])
SOON = JUDGED_AT + timedelta(hours=1)


def written(path: Path, **changed) -> Path:
    path.write_text(to_text(verdict(**changed).document(), indent=2))
    return path


def judged(**changed) -> dict:
    return {"judged": JUDGED | changed}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "verdict.json")


def test_a_go_of_this_plan_allows_it(file: Path):
    found = verdict_file.read(file)
    refuse_unless_go(found, HASH, now=SOON, max_age_hours=24)
    assert (found.word, found.plan, found.plan_hash) == ("GO", "crm 1", HASH)


def test_no_go_is_refused_and_says_why(file: Path):
    written(file, suites=[Suite("rollback", passed=8, failed=1)])
    with pytest.raises(Refused, match="the verdict is NO-GO because rollback: 1 of 9 failed"):
        refuse_unless_go(verdict_file.read(file), HASH, now=SOON)


def test_a_verdict_on_another_plan_is_refused_with_both_hashes(file: Path):
    with pytest.raises(Refused, match=r"carries hash aaaaaaaaaaaa, this plan has dddddddddddd"):
        refuse_unless_go(verdict_file.read(file), "d" * 64, now=SOON)


def test_a_verdict_older_than_allowed_is_refused_with_its_age(file: Path):
    late = JUDGED_AT + timedelta(hours=49)
    with pytest.raises(Refused, match=r"is 49\.0 h old, the plan allows 48 h"):
        refuse_unless_go(verdict_file.read(file), HASH, now=late, max_age_hours=48)
    refuse_unless_go(verdict_file.read(file), HASH, now=late)  # no limit, no objection


def test_a_verdict_from_the_future_is_refused(file: Path):
    with pytest.raises(Refused, match="dated in the future"):
        refuse_unless_go(verdict_file.read(file), HASH, now=JUDGED_AT - timedelta(hours=1))


def test_every_objection_is_named_at_once(file: Path):
    written(file, complete=False)
    found = objections(
        verdict_file.read(file), "d" * 64, now=JUDGED_AT + timedelta(days=9), max_age_hours=1
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
        ('"schema": 3', '"schema": 2', 2, "has schema 2, this harness reads 3"),
        ('"verdict": "GO"', '"verdict": "MAYBE"', 3, "$.verdict: invalid enum value 'MAYBE'"),
        ('"skipped": 0', '"skippt": 0', None, "$.suites[0]: the key 'skippt' is not one"),
        ('"reasons"', '"raisons"', 1, "$: the key 'raisons' is not one"),
        ("+00:00", "", None, "not a time with its zone"),
        ('"hash": "aaaa', '"hush": "aaaa', None, "$.plan: the key 'hush' is not one"),
        ('"objects"', '"subjects"', None, "$.source: the key 'subjects' is not one"),
        (
            '"rows": 1000,\n    "seed"',
            '"rows": "many",\n    "seed"',
            None,
            "$.seed.rows: expected int, got str",
        ),
    ],
    ids=["json", "schema", "word", "suite", "key", "zone", "hash", "source", "rows"],
)
def test_an_unreadable_verdict_is_a_usage_error_with_file_line_and_reason(
    file: Path, old: str, new: str, line: int | None, reason: str
):
    edited(file, old, new)
    with pytest.raises(UsageError) as caught:
        verdict_file.read(file)
    assert caught.value.exit_status == 2
    assert reason in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{file}:{line or ''}")


def test_a_go_that_the_file_itself_denies_is_not_believed(file: Path):
    written(file, suites=[Suite("rollback", passed=8, failed=1)])
    edited(file, '"verdict": "NO-GO"', '"verdict": "GO"')
    with pytest.raises(UsageError, match="contradicts itself"):
        verdict_file.read(file)


def test_a_missing_verdict_is_a_usage_error(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        verdict_file.read(tmp_path / "none.json")


def fresh(path: Path, plan: Plan, age: timedelta = timedelta(), **changed) -> Path:
    """A GO on the real plan, by this tool; of the database that `source` was taken of, if given."""
    moment = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    parts = {
        "judged_at": moment,
        "plan": JUDGED["plan"] | {"hash": plan.hash},
        "tool": scenario.tool(),
        "settings": scenario.settings(plan),
    }
    return written(path, **judged(**(parts | changed)))


@pytest.fixture
def dsn(harness_clone, harness_template) -> str:
    return harness_clone(harness_template(rows=200))


@pytest.fixture
def like(dsn: str) -> dict:
    """The source of a verdict that was given on a database like this one."""
    return {"source": source.take(dsn).document()}


def test_a_plan_that_asks_for_no_verdict_needs_none(harness_plan: Plan):
    assert not harness_plan.require_verdict, "or this would say nothing"
    refuse_without_verdict("no such database is asked", harness_plan, None)


def test_the_plan_itself_can_demand_a_verdict(
    harness_plan: Plan, dsn: str, like: dict, tmp_path: Path
):
    rule = RequireVerdict(tmp_path / "verdict.json", max_age_hours=24)
    strict = replace(harness_plan, require_verdict=rule)
    with pytest.raises(UsageError, match="cannot be read"):
        refuse_without_verdict(dsn, strict, None)
    refuse_without_verdict(dsn, strict, fresh(tmp_path / "verdict.json", harness_plan, **like))
    old = fresh(tmp_path / "old.json", harness_plan, age=timedelta(hours=30), **like)
    with pytest.raises(Refused, match=r"30\.0 h old, the plan allows 24 h"):
        refuse_without_verdict(dsn, strict, old)


def test_a_run_begun_with_a_good_verdict_may_go_on_when_it_is_old(
    harness_plan: Plan, dsn: str, tmp_path: Path
):
    strict = replace(
        harness_plan, require_verdict=RequireVerdict(tmp_path / "v.json", max_age_hours=24)
    )
    fresh(tmp_path / "v.json", harness_plan, age=timedelta(hours=30))
    migrate(dsn, harness_plan, until=harness_plan.steps[0].id)
    refuse_without_verdict(dsn, strict, None)
    other = written(tmp_path / "other.json")
    with pytest.raises(Refused, match="on another plan"):
        refuse_without_verdict(dsn, strict, other)


def test_what_is_refused_is_not_touched(harness_plan: Plan, dsn: str, file: Path):
    with pytest.raises(Refused):
        refuse_without_verdict(dsn, harness_plan, file)
    with psycopg.connect(dsn) as conn:
        assert conn.execute("select to_regnamespace('migration_control')").fetchone() == (None,)


DRIFT = {
    "create view public.names as select name from public.companies": [
        "view public.names was not there when it was judged"
    ],
    "drop view public.init_state": ["view public.init_state is missing"],
    "alter table public.contacts alter sales_id set not null": [
        'column public.contacts.sales_id: not_null was "false", is "true"'
    ],
    "create function public.f() returns trigger language plpgsql as 'begin return new; end';"
    "create trigger touch before update on public.deals for each row execute function public.f()": [
        "function public.f() was not there",
        "trigger touch on public.deals was not there",
    ],
    "grant select on public.tags to public": ["table public.tags: privileges was"],
    "alter table public.tags disable row level security": ["table public.tags: row_security was"],
}


def test_a_database_unlike_the_judged_one_is_refused_object_by_object(
    harness_plan: Plan, dsn: str, like: dict, tmp_path: Path
):
    file = fresh(tmp_path / "v.json", harness_plan, **like)
    refuse_without_verdict(dsn, harness_plan, file)
    with psycopg.connect(dsn) as conn:
        for change in DRIFT:
            conn.execute(change)
    with pytest.raises(Refused, match="not like the one that was judged") as caught:
        refuse_without_verdict(dsn, harness_plan, file)
    for said in DRIFT.values():
        assert all(text in caught.value.message for text in said), caught.value.message
    migrate(dsn, harness_plan, until=harness_plan.steps[0].id)
    refuse_without_verdict(dsn, harness_plan, file)  # begun with a good verdict: it may go on


def test_another_encoding_or_collation_is_refused(
    harness_plan: Plan, harness_server, like: dict, tmp_path: Path
):
    name = admin.unique_name("harness_ascii")
    with psycopg.connect(harness_server.dsn(), autocommit=True) as conn:
        conn.execute(
            f"create database {name} template template0 encoding 'SQL_ASCII' locale 'POSIX'"
        )
    there = source.take(admin.with_dbname(harness_server.dsn(), name))
    told = drift.differences(source.parse(like["source"]), there)
    admin.drop(harness_server.dsn(), name)
    assert 'database: encoding was "UTF8", is "SQL_ASCII"' in told
    assert any(line.startswith("database: ctype was") for line in told)


def test_who_owns_a_database_and_what_it_has_besides_is_no_drift(
    harness_plan: Plan, dsn: str, like: dict, role: str, tmp_path: Path
):
    with psycopg.connect(dsn) as conn:
        conn.execute(f"alter table public.tags owner to {role}")
        conn.execute("create schema migration_archive")
    refuse_without_verdict(dsn, harness_plan, fresh(tmp_path / "v.json", harness_plan, **like))
    assert list(drift.differences(source.parse(like["source"]), source.take(dsn))) == []
    with psycopg.connect(dsn) as conn:
        conn.execute("drop schema migration_archive")
        conn.execute(f"reassign owned by {role} to current_user")


def at_hand(document: dict, **changed) -> AtHand:
    here = {"tool": document["tool"], "settings": document["settings"], "crowded": {}}
    return AtHand(**(here | {"source": source.parse(document["source"])} | changed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tool": {"version": "0.2", "hash": "d" * 64}}, "by harness 0.1.0, hash cccc"),
        ({"tool": {"version": "0.1.0", "hash": "d" * 64}}, "this is 0.1.0, hash dddd"),
        ({"settings": {"runner": {"lock_timeout": 3600.0}, "switched_off": []}}, "is 3600.0, it"),
        ({"settings": {"runner": {}, "switched_off": ["verify.rows"]}}, "verify.rows is switched"),
        (
            {"crowded": {"public.deals": 100_001}},
            "on 1,000 rows, and here public.deals has 100,001",
        ),
        ({"postgres": 15}, "the server is Postgres 15, judged was Postgres 18"),
    ],
)
def test_what_is_another_than_it_was_judged_is_named(file: Path, changed: dict, said: str):
    found = verdict_file.read(file)
    same = at_hand(to_builtins(found.document))
    assert differences(found, same) == []
    parts = {name: value for name, value in changed.items() if hasattr(same, name)}
    there = {name: value for name, value in changed.items() if name not in parts}
    told = differences(found, replace(same, **parts, source=replace(same.source, **there)))
    assert len(told) == 1
    assert said in told[0]


def test_an_extension_more_is_no_drift_and_another_version_is(file: Path):
    document = json.loads(file.read_text())
    had, now = json.dumps({"version": "1"}), json.dumps({"version": "2"})
    document["source"]["objects"]["catalog"] = {"extension a": had}
    file.write_text(json.dumps(document, indent=2))
    found = verdict_file.read(file)
    here = {"catalog": {"extension a": now, "extension b": now}, "security": {}}
    same = at_hand(document)
    told = differences(found, replace(same, source=replace(same.source, objects=here)))
    assert [line.partition("judged: ")[2] for line in told] == [
        'extension a: version was "1", is "2"'
    ]


def run(plan: Plan, dsn: str, *arguments: str):
    command = ["migrate", "--dsn", dsn, "--plan", str(plan.path), "--until", plan.steps[0].id]
    return CliRunner().invoke(cli, [*command, *arguments])


def test_far_more_rows_than_were_judged_are_refused_or_accepted_with_a_reason(
    harness_plan: Plan, dsn: str, like: dict, tmp_path: Path
):
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "insert into public.tags (name, color)"
            " select 'tag ' || n, '#e88b7d' from generate_series(1, 150) n"
        )
    for seed, said in (
        ({"rows": 1}, "judged on 1 rows, and here public.tags has 101"),
        ({"rows": 3}, "judged on 3 rows, and here all tables together has 3"),
        ({"rows": 1000, "tables": {"public.tags": 1}}, "here public.tags has 101"),
    ):
        file = fresh(tmp_path / "v.json", harness_plan, seed=JUDGED["seed"] | seed, **like)
        verdict = ("--require-verdict", str(file))
        refused = run(harness_plan, dsn, *verdict)
        assert isinstance(refused.exception, Refused)
        assert said in refused.exception.message
    blank = run(harness_plan, dsn, *verdict, "--accept-rows", " ")
    assert isinstance(blank.exception, UsageError)
    assert run(harness_plan, dsn, *verdict, "--accept-rows", "rehearsed on a copy").exit_code == 0
    with psycopg.connect(dsn) as conn:
        reasons = conn.execute("select reason from migration_control.run").fetchall()
    assert reasons == [("rows accepted: rehearsed on a copy",)]
