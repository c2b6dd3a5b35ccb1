"""Verify says unknown, with the reason and the next step, wherever nothing was looked at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from harness import plan as plans
from harness.check import security
from harness.check.verify import trial as verify_trial
from harness.check.verify.doubt import Unknown
from harness.check.verify.file import trials
from harness.check.verify.run import load, verify
from harness.cli.verify import verify as command
from harness.core.errors import Refused, UsageError
from harness.core.finding import Finding
from harness.database import admin, template
from harness.plan import Plan
from harness.server import Server
from tests.harness.support.backup import scratches, taken

ROWS = 120
OWN = """
create table public.own (id bigint primary key, note text);
alter table public.own enable row level security;
insert into public.own values (1, 'x');
create function public.own_count() returns bigint language sql security definer
  as 'select count(*) from public.own';
create view public.own_view as select id from public.own;
create table public.open (id bigint primary key);
insert into public.open values (1);
"""
REMARKS = {
    "security.reach.less",
    "security.function.open_search_path",
    "security.view.owner_rights",
    "security.table.no_row_security",
    "security.reach.more",
}
AGAIN = "insert into public.tags (id, name, color) select id, name, color from public.tags"
HEAD = "-- id: verify.trial.x\n-- severity: critical\n-- message: x\n"
Clone = Callable[[str], str]
Templates = Callable[..., str]
Edit = Callable[..., Plan]


@pytest.fixture(scope="module")
def before(harness_server: Server, harness_template: Templates) -> Iterator[str]:
    dsn = template.clone(harness_server.dsn(), harness_template(rows=ROWS))
    yield dsn
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.fixture(scope="module")
def after(harness_server: Server, harness_migrated_template: Templates) -> Iterator[str]:
    dsn = template.clone(harness_server.dsn(), harness_migrated_template(rows=ROWS))
    yield dsn
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.fixture
def edited(harness_plan: Plan, tmp_path: Path) -> Edit:
    """Return a factory: edited("checks/verify/rows", toml="…") -> the plan without these files."""

    def make(*gone: str, toml: str = "") -> Plan:
        root = tmp_path / "sql"
        shutil.copytree(harness_plan.root, root)
        for name in gone:
            place = root / name
            shutil.rmtree(place) if place.is_dir() else place.unlink()
        text = (root / "plan.toml").read_text("utf-8")
        (root / "plan.toml").write_text(text + toml)
        return plans.load(root / "plan.toml")

    return make


@pytest.mark.parametrize(
    ("gone", "part"),
    [("verify/rows", "rows"), ("security.toml", "security"), ("verify", "rules")],
)
def test_a_part_that_is_missing_is_unknown_and_says_what_to_add(
    before: str, after: str, edited: Edit, gone: str, part: str
) -> None:
    found = verify(after, edited(f"checks/{gone}"), state="migrated", source=before)
    assert found.verdict == "unknown"
    said = {one.check: one for one in found.unknowns}[f"verify.{part}"]
    assert said.reason
    assert "checks/" in said.next


@pytest.mark.parametrize(("gone", "part"), [("verify/rows", "rows"), ("security.toml", "security")])
def test_a_part_that_the_plan_says_it_has_not_is_not_applicable(
    before: str, after: str, edited: Edit, gone: str, part: str
) -> None:
    toml = f'\n[verify.without]\n{part} = "one role, one table"\n'
    found = verify(after, edited(f"checks/{gone}", toml=toml), state="migrated", source=before)
    assert (found.verdict, found.unknowns) == ("pass", ())
    assert [(one.check, one.reason) for one in found.not_applicable] == [
        (f"verify.{part}", "one role, one table")
    ]


def test_a_part_that_is_there_is_not_declared_away(edited: Edit) -> None:
    with pytest.raises(UsageError, match=r"the plan has a part 'security'"):
        edited(toml='\n[verify.without]\nsecurity = "none"\n')


@pytest.mark.parametrize("text", ['security = ""', "rights = 'none'", "security = 1"])
def test_a_declaration_without_a_reason_is_refused(edited: Edit, text: str) -> None:
    with pytest.raises(UsageError):
        edited("checks/security.toml", toml=f"\n[verify.without]\n{text}\n")


def test_an_empty_database_proves_nothing(
    harness_baseline: str, harness_clone: Clone, harness_server: Server, harness_plan: Plan
) -> None:
    from harness.runner import migrate

    name = admin.unique_name("harness_empty_copy")
    admin.create(harness_server.dsn(), name, admin.dbname(harness_baseline))
    copy = admin.with_dbname(harness_server.dsn(), name)
    try:
        migrate(copy, harness_plan)
        found = verify(copy, harness_plan, state="migrated", source=harness_baseline)
    finally:
        admin.drop(harness_server.dsn(), name)
    assert found.verdict == "unknown"
    assert [one.check for one in found.unknowns if "no row was looked at" in one.reason]


def test_a_contract_without_a_read_is_unknown(
    before: str, after: str, harness_plan: Plan, tmp_path: Path
) -> None:
    found = verify(after, harness_plan, state="migrated", source=before, contract=tmp_path, count=0)
    assert found.verdict == "unknown"
    assert [one.check for one in found.unknowns] == ["verify.contract"]
    assert [one.check for one in found.not_applicable] == ["verify.samples"]


def test_a_check_that_is_switched_off_is_listed(before: str, after: str, edited: Edit) -> None:
    off = edited(toml='\n[verify.severity]\n"verify.rows.tags" = "off"\n')
    found = verify(after, off, state="migrated", source=before)
    assert found.verdict == "pass"
    assert [one.check for one in found.not_applicable] == ["verify.rows.tags"]


# -- security


def test_what_broke_a_rule_before_is_information(
    harness_template: Templates, harness_clone: Clone, harness_plan: Plan
) -> None:
    from harness.runner import migrate

    before, after = (
        harness_clone(harness_template(rows=ROWS)),
        harness_clone(harness_template(rows=ROWS)),
    )
    for dsn in (before, after):
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(OWN)
    migrate(after, harness_plan)
    found = verify(after, harness_plan, state="migrated", source=before)
    told = [one for one in found.findings if one.id in REMARKS]
    assert {one.id for one in told} == REMARKS
    assert {one.severity for one in told} == {"info"}
    assert all(one.message.endswith("as before") for one in told)
    assert found.verdict == "pass", found.findings


def test_what_the_migration_must_mend_is_not_excused_by_before(
    before: str, harness_migrated_template: Templates, harness_clone: Clone, harness_plan: Plan
) -> None:
    after = harness_clone(harness_migrated_template(rows=ROWS))
    with psycopg.connect(after, autocommit=True) as conn:
        conn.execute("alter view public.contacts_summary reset (security_invoker)")
    found = verify(after, harness_plan, state="migrated", source=before)
    assert found.verdict == "fail"
    assert "security.view.owner_rights" in {
        one.id for one in found.findings if one.severity == "critical"
    }


@pytest.mark.parametrize("word", ["fail", "unknown"])
def test_a_verdict_of_security_is_one_of_verify(
    before: str,
    harness_migrated_template: Templates,
    harness_clone: Clone,
    harness_plan: Plan,
    word: str,
) -> None:
    after = harness_clone(harness_migrated_template(rows=ROWS))
    with psycopg.connect(after, autocommit=True) as conn:
        conn.execute(
            "grant select on public.tags to anon; create policy o on public.tags using (true)"
            if word == "fail"
            else "create view public.broken with (security_invoker = on) as"
            " select 1 / (count(*) - count(*)) as id from public.tags;"
            "revoke all on public.broken from anon"
        )
    found = verify(after, harness_plan, state="migrated", source=before)
    assert found.security is not None
    assert (found.security.verdict, found.verdict) == (word, word)


def test_an_attempt_that_ends_otherwise_is_unknown_not_denied(
    harness_migrated_template: Templates, harness_clone: Clone, harness_plan: Plan
) -> None:
    """A view that raises for one role only: nobody knows what the role would reach."""
    after = harness_clone(harness_migrated_template(rows=ROWS))
    with psycopg.connect(after, autocommit=True) as conn:
        conn.execute(
            "create view public.moody as select id from public.tags"
            " where 1 / (case when current_user = 'anon' then 0 else 1 end) = 1"
        )
    found = security.judge(after, security.policy_of(harness_plan.root))
    cells = {row["name"]: row["after"] for row in found.matrix["relations"]}
    assert cells["public.moody"]["anon"]["select"] == "unknown"
    assert "anon select public.moody: unknown" in "".join(one.message for one in found.findings)


# -- trials


@pytest.fixture
def tried(after: str, tmp_path: Path) -> Callable[[str], Finding | Unknown | None]:
    """Return a function that makes one trial, given as text, on the migrated database."""

    def attempt(text: str) -> Finding | Unknown | None:
        (tmp_path / "x.sql").write_text(HEAD + text)
        with admin.connection(after) as conn:
            conn.execute("set lock_timeout = '200ms'")
            return verify_trial.attempt(conn, trials(tmp_path)[0])

    return attempt


Tried = Callable[[str], Finding | Unknown | None]


@pytest.mark.parametrize(
    "text",
    [
        f"-- refused: 23514\n{AGAIN}",
        "-- refused: 23514\ninsert into public.no_such_table values (1)",
        "-- refused: 23514\nupdate public.tags set name = name where id < 0",
        "-- refused: 42P01\nselect 1 from public.no_such_table; select 1 as key",
        "select 'x' as key",
    ],
    ids=["another refusal", "missing", "accepted", "too early", "a row"],
)
def test_only_the_refusal_that_is_meant_will_do(tried: Tried, text: str) -> None:
    assert isinstance(tried(text), Finding)


def test_a_trial_that_ends_as_it_must_says_nothing(tried: Tried) -> None:
    assert tried(f"-- refused: 23505\n{AGAIN}") is None


def test_a_trial_that_cannot_be_made_is_unknown(tried: Tried, after: str) -> None:
    with psycopg.connect(after) as conn:
        conn.execute("lock table public.tags in access exclusive mode")
        ended = tried("insert into public.tags (id, name, color) values (-7, 'x', 'y'); select 1")
    assert isinstance(ended, Unknown)
    assert "SQLSTATE 55P03" in ended.reason


# -- the command


def answered(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(command, [*arguments, "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def test_the_command_says_unknown_and_what_next(after: str) -> None:
    result = CliRunner().invoke(command, ["--dsn", after])
    assert result.exit_code == 1
    assert "verify: unknown" in result.stdout
    assert "compared with itself (" in result.stdout
    assert "next: harness verify --source" in result.stdout
    status, document = answered("--dsn", after)
    assert (status, document["verdict"]) == (1, "unknown")
    assert {"check", "where", "reason", "next", "message"} <= set(document["unknowns"][0])


def test_a_backup_is_a_source(
    harness_server: Server, before: str, after: str, tmp_path: Path
) -> None:
    import os

    directory = taken(before, tmp_path / "backup")
    status, document = answered("--dsn", after, "--source", str(directory))
    assert (status, document["verdict"], document["source"]) == (0, "pass", "given")
    assert scratches(harness_server, os.getpid()) == 0


def test_a_source_that_is_migrated_is_told_by_its_ledger(
    after: str, harness_migrated_template: Templates, harness_clone: Clone
) -> None:
    status, document = answered(
        "--dsn", after, "--source", harness_clone(harness_migrated_template(rows=ROWS))
    )
    assert (status, document["verdict"]) == (1, "unknown")
    assert document["unknowns"][0]["check"] == "verify.source"


@pytest.mark.parametrize("source", ["no-such-directory", "."])
def test_a_source_that_is_neither_is_refused(after: str, source: str) -> None:
    result = CliRunner().invoke(command, ["--dsn", after, "--source", source])
    assert isinstance(result.exception, UsageError)


def test_a_backup_that_was_touched_is_refused(before: str, after: str, tmp_path: Path) -> None:
    directory = taken(before, tmp_path / "backup")
    victim = next((directory / "dump").glob("*.dat*"))
    victim.write_bytes(victim.read_bytes()[:-1])
    result = CliRunner().invoke(command, ["--dsn", after, "--source", str(directory)])
    assert isinstance(result.exception, UsageError | Refused)


def test_files_are_read_before_any_database(edited: Edit, tmp_path: Path) -> None:
    broken = edited()
    (broken.root / "checks" / "verify" / "x.sql").write_text("-- id: verify.x\nselect 1")
    result = CliRunner().invoke(
        command, ["--dsn", "postgresql://nobody@127.0.0.1:1/x", "--plan", str(broken.path)]
    )
    assert isinstance(result.exception, UsageError)
    assert load(plans.load(Path("sql/plan.toml"))).rows
