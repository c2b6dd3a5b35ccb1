"""Verify sees what a migration could have got wrong, and says pass of nothing it has not proven."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from harness.check.verify import file as verify_file
from harness.check.verify.doubt import CLEANED
from harness.check.verify.run import Verification, load, verify
from harness.cli.verify import verify as command
from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.database import admin, fingerprint, template
from harness.plan import Plan
from harness.runner import migrate
from harness.server import Server

ROWS = 300
DEFECTS: list[dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("verify_defects.toml").read_text("utf-8")
)["defect"]
OPERATORS = """
create index deals_own on public.deals (amount);
alter table public.tags add constraint not_yet check (color <> 'never') not valid;
create function public.noted() returns trigger language plpgsql set search_path = '' as
  'begin return new; end';
create trigger noted before update on public.deals for each row execute function public.noted();
create policy "Deals of the night" on public.deals for select to service_role using (true);
create table public.own (id bigint primary key, note text);
alter table public.own enable row level security;
create policy own on public.own to authenticated using (true) with check (true);
insert into public.own values (1, 'x');
comment on column public.deals.name is 'as the customer says it';
"""
Clone = Callable[[str], str]
Templates = Callable[..., str]


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


@pytest.fixture(scope="module")
def sabotaged(
    harness_server: Server, harness_migrated_template: Templates, harness_plan: Plan, before: str
) -> Iterator[Any]:
    """A migrated database with every planted defect at once, judged once."""
    dsn = template.clone(harness_server.dsn(), harness_migrated_template(rows=ROWS))
    for defect in DEFECTS:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(defect["sql"])
    every = dataclasses.replace(
        harness_plan, verify=dataclasses.replace(harness_plan.verify, keys=1000)
    )
    yield verify(dsn, every, state="migrated", source=before)
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


def words(finding: Finding) -> str:
    return f"{finding.message}\n{finding.evidence}"


def test_a_migrated_database_passes_against_its_source(
    before: str, after: str, harness_plan: Plan
) -> None:
    found = verify(after, harness_plan, state="migrated", source=before)
    assert [words(finding) for finding in found.findings] == []
    assert found.verdict == "pass"
    assert len(found.samples) == harness_plan.verify.samples
    assert all(sample.right for sample in found.samples)
    assert found.source == "given"


def test_without_a_source_every_comparison_is_unknown_by_name(
    after: str, harness_plan: Plan
) -> None:
    found = verify(after, harness_plan, state="migrated")
    assert (found.verdict, found.source) == ("unknown", "kept")
    doubted = {one.check for one in found.unknowns}
    assert doubted == {file.id for file in load(harness_plan).rows} | {"verify.security.changes"}
    assert all("--source" in one.next for one in found.unknowns)
    assert {one.severity for one in found.findings} == {"warning"}


def test_names_in_capitals_are_no_pass_without_a_source(
    before: str, harness_migrated_template: Templates, harness_clone: Clone, harness_plan: Plan
) -> None:
    dsn = harness_clone(harness_migrated_template(rows=ROWS))
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("update public.contacts set first_name = upper(first_name)")
    assert verify(dsn, harness_plan, state="migrated").verdict == "unknown"
    against = verify(dsn, harness_plan, state="migrated", source=before)
    assert against.verdict == "fail"
    assert "verify.rows.contacts" in {one.id for one in against.findings}


def test_the_database_itself_is_no_source(after: str, harness_plan: Plan) -> None:
    found = verify(after, harness_plan, state="migrated", source=after)
    assert found.verdict == "unknown"
    assert "the source is the database itself" in found.unknowns[0].reason
    assert {file.id for file in load(harness_plan).rows} <= {one.check for one in found.unknowns}


@pytest.mark.parametrize("state", ["partial", CLEANED])
def test_a_source_that_was_migrated_proves_nothing(
    after: str,
    harness_migrated_template: Templates,
    harness_clone: Clone,
    harness_plan: Plan,
    state: str,
) -> None:
    other = harness_clone(harness_migrated_template(rows=ROWS))
    found = verify(after, harness_plan, state="migrated", source=other, source_state=state)
    assert found.verdict != "pass"
    assert f"the source is {state} itself" in found.unknowns[0].reason


def test_hostile_rows_and_what_operators_added_are_no_alarm(
    harness_template: Templates, harness_clone: Clone, harness_plan: Plan
) -> None:
    hostile = harness_template(rows=ROWS, profile="hostile")
    before, after = harness_clone(hostile), harness_clone(hostile)
    for dsn in (before, after):
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(OPERATORS)
    migrate(after, harness_plan)
    found = verify(after, harness_plan, state="migrated", source=before)
    assert found.verdict == "pass", [words(finding) for finding in found.findings]
    assert {finding.id for finding in found.findings} == {"verify.constraints_validated"}


def test_looking_changes_nothing(before: str, after: str, harness_plan: Plan) -> None:
    identities = [fingerprint.take(dsn) for dsn in (before, after)]
    verify(after, harness_plan, state="migrated", source=before)
    assert [fingerprint.take(dsn) for dsn in (before, after)] == identities


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d['id']}-{d['says']}"[:70])
def test_planted_defect_is_reported(sabotaged: Verification, defect: dict[str, str]) -> None:
    mine = [words(finding) for finding in sabotaged.findings if finding.id == defect["id"]]
    assert [text for text in mine if defect["says"] in text], mine
    assert sabotaged.verdict == "fail"


def test_every_check_every_file_of_rows_and_every_trial_has_a_planted_defect(
    harness_plan: Plan,
) -> None:
    files = load(harness_plan)
    known = {file.id for file in (*files.checks, *files.rows, *files.trials)}
    assert known == {defect["id"] for defect in DEFECTS}


@pytest.mark.parametrize("state", ["clean", "partial", "rolling-back", "rolled-back"])
def test_what_is_not_migrated_fails(state: str, before: str, harness_plan: Plan) -> None:
    found = verify(before, harness_plan, state=state)
    assert found.verdict == "fail"
    assert state in found.findings[0].message


def test_what_cannot_be_judged_is_unknown(before: str, harness_plan: Plan) -> None:
    found = verify(before, harness_plan, state="foreign")
    assert found.verdict == "unknown"
    assert found.unknowns[0].next


def test_a_database_that_only_claims_to_be_migrated_fails(before: str, harness_plan: Plan) -> None:
    assert verify(before, harness_plan, state="migrated", source=before).verdict == "fail"


def test_a_source_that_is_none_leaves_it_unknown(
    after: str, harness_empty_database: str, harness_plan: Plan
) -> None:
    found = verify(after, harness_plan, state="migrated", source=harness_empty_database)
    assert {one.check for one in found.unknowns} >= {file.id for file in load(harness_plan).rows}
    assert found.verdict != "pass"


def test_the_same_seed_draws_the_same_samples(after: str, harness_plan: Plan) -> None:
    drawn = [
        [
            (one.relation, one.key)
            for one in verify(after, harness_plan, state="migrated", seed=seed).samples
        ]
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_sample_shows_the_field_that_is_wrong(sabotaged: Verification) -> None:
    wrong = [
        (sample.relation, field.name)
        for sample in sabotaged.samples
        for field in sample.fields
        if not field.right
    ]
    assert ("public.opportunities", "stage") in wrong


def test_the_plan_has_the_last_word_on_severity(
    after: str, before: str, harness_plan: Plan
) -> None:
    rules = dataclasses.replace(harness_plan.verify, severity={"verify.comments": "critical"})
    strict = dataclasses.replace(harness_plan, verify=rules)
    with psycopg.connect(after, autocommit=True) as conn:
        said = conn.execute("select obj_description('public.deals'::regclass)").fetchone()
        conn.execute("comment on view public.deals is null")
        try:
            assert verify(after, harness_plan, state="migrated", source=before).verdict == "pass"
            assert verify(after, strict, state="migrated", source=before).verdict == "fail"
        finally:
            assert said is not None
            conn.execute(
                psycopg.sql.SQL("comment on view public.deals is {}").format(
                    psycopg.sql.Literal(said[0])
                )
            )


# -- the command


def test_the_command_prints_one_document_and_says_pass(before: str, after: str) -> None:
    asked = ["--dsn", after, "--source", before, "--samples", "7", "--json"]
    result = CliRunner().invoke(command, [*asked, "--contract", "fixtures/contract"])
    document = json.loads(result.stdout)
    assert (result.exit_code, document["verdict"], document["findings"]) == (0, "pass", [])
    assert len(document["samples"]) == 7
    assert {one["verdict"] for one in document["relations"]} == {"pass"}


def test_the_command_fails_on_a_database_that_is_not_migrated(before: str) -> None:
    result = CliRunner().invoke(command, ["--dsn", before])
    assert result.exit_code == 1
    assert "the database is clean; verify judges a migrated one" in result.stdout


def test_a_contract_wants_a_source(after: str) -> None:
    result = CliRunner().invoke(command, ["--dsn", after, "--contract", "fixtures"])
    assert isinstance(result.exception, UsageError)


# -- bad input

GOOD = "-- id: verify.x\n-- severity: critical\n-- message: x\n"
BAD_ROWS = [
    ("-- id: verify.x\nselect 1; select 1", ":1: has no header 'severity'"),
    (GOOD + "-- relation: public.x\nselect 1", ":5: holds 1 statements"),
    (GOOD + "-- relation: public.x\nselect 1;\ndelete from x", ":6: is not a query"),
    (GOOD + "-- relation: public.x\n-- keys: id\nselect 1; select 1", ":5: unknown header 'keys'"),
    (GOOD + "-- relation: public.x\nselect 1;\nselect from where", ":6: syntax error"),
    (
        GOOD.replace("critical", "bad") + "-- relation: x\nselect 1; select 2",
        ":1: unknown severity",
    ),
    (GOOD.replace("verify.x", "X") + "-- relation: x\nselect 1; select 2", ":1: id is words"),
]
BAD_TRIALS = [
    (GOOD + "-- refused: no\nselect 1", ":1: refused is an SQLSTATE"),
    (GOOD + "delete from x", ":4: is not a query"),
    (GOOD, ":1: holds no statement"),
]


@pytest.mark.parametrize(("text", "said"), BAD_ROWS, ids=lambda v: v[-40:])
def test_a_bad_file_of_rows_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.sql").write_text(text)
    with pytest.raises(UsageError) as caught:
        verify_file.rows(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'x.sql'}{said}")


@pytest.mark.parametrize(("text", "said"), BAD_TRIALS, ids=lambda v: v[-40:])
def test_a_bad_trial_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.sql").write_text(text)
    with pytest.raises(UsageError) as caught:
        verify_file.trials(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'x.sql'}{said}")
