"""What stands around a plan's tables is seen before the run: by what the plan writes and makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from harness import runner
from harness.check.judge import reading
from harness.check.preflight import plan_objects, surroundings
from harness.check.preflight.plan_objects import StatementWrite
from harness.check.preflight.run import DatabaseStanding, PreflightResult, preflight
from harness.core.errors import UsageError
from harness.database import admin
from tests.harness.support.runner import SmallPlan, run_sql

FORWARD = "phases/1.1_foundation/010_things.forward.sql"
STEPS = {
    "phases/1_one/010_all.forward.sql": """
        create table public.made (id int);
        create index made_idx on public.made (id);
        create table if not exists public.maybe (id int);
        create or replace view public.seen as select 1 as one;
        alter table public.things add column extra int, add column if not exists more int;
        alter table public.things add constraint things_extra check (extra > 0) not valid;
        create function public.f(a int, b text[], out c text) language sql as $$select 'x'$$;
        update public.things set name = 'x' where false;
        with gone as (delete from public.kinds where false returning id)
        insert into public.made select 1 from gone;
    """,
    "phases/1_one/010_all.rollback.sql": "select 1",
}
BASE = """
create table public.things (id int primary key, name text);
create table public.kinds (id int);
"""


@pytest.fixture
def small(tmp_path: Path, harness_empty_database: str) -> SmallPlan:
    plan = SmallPlan(tmp_path / "sql")
    for path in (plan.root / "phases").rglob("*.sql"):
        path.unlink()
    for directory in (plan.root / "phases").iterdir():
        directory.rmdir()
    plan.write(
        "plan.toml",
        'format = 1\nname = "small"\nversion = "1"\n[[phase]]\nid = "1"\nname = "one"\n',
    )
    for name, text in STEPS.items():
        plan.write(name, text)
    for path in (plan.root / "baseline").glob("*.sql"):
        path.unlink()
    plan.write("baseline/010_base.sql", BASE)
    for name in ("cleanup",):
        for path in (plan.root / name).glob("*.sql"):
            path.unlink()
    runner.baseline(harness_empty_database, plan.load())
    return plan


def looked(small: SmallPlan, dsn: str) -> PreflightResult:
    return preflight(dsn, small.load(), DatabaseStanding("clean"), free_bytes=10**15)


def critical(found: PreflightResult) -> dict[str, str]:
    return {one.id: one.evidence for one in found.findings if one.severity == "critical"}


def test_what_a_plan_writes_is_read_off_its_statements(small: SmallPlan) -> None:
    assert plan_objects.writes(small.load()) == {
        StatementWrite("public.things", "update", frozenset({"name"})),
        StatementWrite("public.kinds", "delete"),
        StatementWrite("public.made", "insert"),
    }


def test_what_may_be_there_already_needs_no_free_name(small: SmallPlan) -> None:
    assert plan_objects.made(small.load()) == {
        ("relation", "public", "made"),
        ("relation", "public", "made_idx"),
        ("column", "public.things", "extra"),
        ("constraint", "public.things", "things_extra"),
        ("function", "public", "f", "int4,_text"),
    }


def test_nothing_around_the_tables_is_no_finding(
    small: SmallPlan, harness_empty_database: str
) -> None:
    assert critical(looked(small, harness_empty_database)) == {}


NOTED = """
create function public.noted() returns trigger language plpgsql as 'begin return new; end';
create trigger noted after {} on public.{} for each row execute function public.noted();
"""


@pytest.mark.parametrize(
    ("sql", "finding", "named"),
    [
        (NOTED.format("update", "things"), "triggers", "trigger noted on public.things"),
        (NOTED.format("update of name", "things"), "triggers", "trigger noted on public.things"),
        (NOTED.format("delete", "kinds"), "triggers", "trigger noted on public.kinds"),
        ("create table public.x (id int, made int); create view public.made as select 1", "taken",
         "view public.made"),
        ("create type public.made as enum ('x')", "taken", "type public.made"),
        ("create sequence public.made_idx", "taken", "sequence public.made_idx"),
        ("alter table public.things add column extra text", "taken", "column public.things.extra"),
        (
            "create function public.f(int, text[]) returns int language sql as 'select 1'",
            "taken",
            "function public.f(integer,text[])",
        ),
    ],
    ids=lambda text: text.strip()[:70],
)  # fmt: skip
def test_what_is_around_them_is_named(
    small: SmallPlan, harness_empty_database: str, sql: str, finding: str, named: str
) -> None:
    run_sql(harness_empty_database, sql)
    found = critical(looked(small, harness_empty_database))
    assert named in found[f"preflight.{finding}"]


@pytest.mark.parametrize(
    "sql",
    [
        NOTED.format("update of id", "things"),
        NOTED.format("insert", "things"),
        NOTED.format("update", "kinds"),
        NOTED.format("update", "things") + "alter table public.things disable trigger noted",
        "create function public.f(int, text) returns int language sql as 'select 1'",
        "alter table public.things add column more int",
        "create table public.maybe (id int); create view public.seen as select 1 as one",
        "create schema other; create table other.made (id int)",
    ],
    ids=lambda text: text.strip()[-70:],
)
def test_what_does_not_touch_the_run_is_no_finding(
    small: SmallPlan, harness_empty_database: str, sql: str
) -> None:
    run_sql(harness_empty_database, sql)
    assert critical(looked(small, harness_empty_database)) == {}


def test_what_the_plan_tolerates_is_information_with_its_reason(
    small: SmallPlan, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, NOTED.format("update", "things"))
    text = (small.root / "plan.toml").read_text()
    small.write(
        "plan.toml",
        f'{text}\n[validate.tolerates]\n"trigger noted on public.things" = "it changes nothing"\n',
    )
    found = looked(small, harness_empty_database)
    assert critical(found) == {}
    (told,) = [one for one in found.findings if one.id == "preflight.triggers.tolerated"]
    assert (told.severity, "it changes nothing" in told.message) == ("info", True)


def test_what_is_tolerated_without_a_reason_is_refused(small: SmallPlan) -> None:
    text = (small.root / "plan.toml").read_text()
    small.write("plan.toml", f'{text}\n[validate.tolerates]\n"trigger x" = ""\n')
    with pytest.raises(UsageError, match="the reason for 'trigger x'"):
        small.load()


def test_collations_of_another_version_are_a_warning(
    small: SmallPlan, harness_empty_database: str
) -> None:
    found = list(surroundings.findings((), ("database crm",), {}))
    assert [(one.id, one.severity) for one in found] == [("preflight.collation", "warning")]
    run_sql(
        harness_empty_database,
        "update pg_collation set collversion = 'older' where collversion is not null;"
        "do $$ declare c record; begin"
        " select * into c from pg_collation where collversion = 'older' limit 1;"
        " if found then execute format('create table public.sorted (t text collate"
        " pg_catalog.%I)', c.collname); end if; end $$",
    )
    with reading(harness_empty_database, timeout=10, name="test") as conn:
        versioned: Any = conn.execute(
            "select count(*) from pg_collation where collversion = 'older'"
        ).fetchone()
        _, collations = surroundings.look(conn, small.load(), has_ledger=False)
    assert bool(collations) == bool(versioned[0])


def test_forced_row_level_security_stops_a_role_that_is_subject_to_it(
    small: SmallPlan, harness_empty_database: str
) -> None:
    role = admin.unique_name("subject")
    run_sql(
        harness_empty_database,
        f"create role {role} login password 'x'; alter table public.things owner to {role};"
        "alter table public.things enable row level security;"
        "alter table public.things force row level security",
    )
    try:
        found = critical(
            looked(small, make_conninfo(harness_empty_database, user=role, password="x"))
        )
        assert "table public.things" in found["preflight.row_security"]
        assert "preflight.row_security" not in critical(looked(small, harness_empty_database))
    finally:
        run_sql(
            harness_empty_database, f"reassign owned by {role} to current_user; drop role {role}"
        )
