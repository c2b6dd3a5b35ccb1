"""The security matrix sees every way to lose access control: planted defects, and bad input."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from harness.check import security
from harness.check.security import policy as security_policy
from harness.check.security.policy import SecurityPolicy
from harness.check.security.run import Security
from harness.core.errors import Refused, UsageError
from harness.database import admin, template
from harness.plan import Plan
from harness.server import Server

ROWS = 300
Clone = Callable[[str], str]
Templates = Callable[..., str]

# SQL that loses it -> the finding's id, and what it must name
DEFECTS: list[tuple[str, str, str]] = [
    (
        """grant select on public.activities to anon;
        create policy oops on public.activities for select to anon using (true)""",
        "security.reach.more",
        "anon may select public.activities",
    ),
    (
        "grant select on public.activities to anon",
        "security.privilege.gained",
        "anon has gained SELECT on public.activities",
    ),
    (
        "grant select (subject) on public.activities to anon",
        "security.privilege.gained",
        "anon has gained SELECT on public.activities",
    ),
    (
        "grant usage on sequence public.activities_id_seq to anon",
        "security.privilege.gained",
        "anon has gained USAGE on public.activities_id_seq",
    ),
    (
        "grant usage on schema migration_control to authenticated",
        "security.privilege.gained",
        "authenticated has gained USAGE on migration_control",
    ),
    (
        "revoke truncate on public.opportunities from service_role",
        "security.privilege.lost",
        "service_role has lost TRUNCATE on public.opportunities",
    ),
    (
        """drop policy "Enable read access for authenticated users" on public.opportunities""",
        "security.reach.less",
        "authenticated is locked out: select on public.deals",
    ),
    (
        """drop policy "Enable read access for authenticated users" on public.opportunities""",
        "security.policy.lost",
        "is lost on public.opportunities",
    ),
    (
        """drop policy "Opportunity Notes Update Policy" on public."opportunityNotes" """,
        "security.lost",
        'authenticated update public."opportunityNotes": none, before all',
    ),
    (
        """alter policy "Enable insert for authenticated users only" on public.companies
        with check (name <> 'x')""",
        "security.policy.gained",
        "was not there before",
    ),
    (
        "create policy oops on public.contact_organizations for select to public using (true)",
        "security.policy.gained",
        "of the new table public.contact_organizations is for public",
    ),
    (
        """drop policy "Enable delete for authenticated users only" on
        public.contact_preferred_principals""",
        "security.reach.less",
        "delete on public.contact_preferred_principals",
    ),
    (
        "alter view public.contacts_summary reset (security_invoker)",
        "security.view.owner_rights",
        "public.contacts_summary runs with its owner's rights",
    ),
    (
        "alter view public.contacts_summary reset (security_invoker)",
        "security.reach.more",
        "anon may select public.contacts_summary",
    ),
    (
        "create view public.everything as select * from public.contacts",
        "security.reach.more",
        "anon may select public.everything",
    ),
    (
        "alter table public.activities disable row level security",
        "security.table.no_row_security",
        "public.activities has no row level security",
    ),
    (
        """create table public.forgotten (id bigint primary key);
        insert into public.forgotten values (1)""",
        "security.reach.more",
        "anon may delete public.forgotten",
    ),
    (
        "alter function public.opportunities_derive() reset search_path",
        "security.function.open_search_path",
        "public.opportunities_derive() runs with its owner's rights and has no search_path",
    ),
    (
        """grant create on schema public to authenticated;
        alter function public.check_participant_role() set search_path = public, pg_temp""",
        "security.function.open_search_path",
        "searches public, where a role may create objects",
    ),
    (
        "alter function public.stamp_soft_delete() reset search_path",
        "security.function.no_search_path",
        "public.stamp_soft_delete()",
    ),
    (
        "grant execute on function public.deals_write() to anon",
        "security.function.gained",
        "anon may execute the new function public.deals_write()",
    ),
    (
        "revoke all on function public.handle_new_user() from public, authenticated",
        "security.function.lost",
        "authenticated execute public.handle_new_user(): denied, before allowed",
    ),
    (
        "drop view public.opportunities_summary",
        "security.relation.missing",
        "lives on as public.opportunities_summary",
    ),
    (
        "alter table public.tags owner to service_role",
        "security.owner",
        "public.tags belongs to service_role",
    ),
    (
        "grant select on pg_catalog.pg_authid to public",
        "security.system.gained",
        "PUBLIC has SELECT on system table pg_catalog.pg_authid",
    ),
    (
        "grant select (rolpassword) on pg_catalog.pg_authid to anon",
        "security.system.gained",
        "anon has SELECT on system table column pg_catalog.pg_authid.rolpassword",
    ),
    (
        "grant execute on function pg_catalog.pg_read_file(text) to anon",
        "security.system.gained",
        "anon has EXECUTE on system function pg_catalog.pg_read_file",
    ),
    (
        "revoke select on pg_catalog.pg_stats from public",
        "security.system.lost",
        "PUBLIC has lost SELECT on system view pg_catalog.pg_stats",
    ),
]


@pytest.fixture(scope="module")
def policy(harness_plan: Plan) -> SecurityPolicy:
    return security.policy_of(harness_plan.root)


@pytest.fixture(scope="module")
def before(harness_server: Server, harness_template: Templates) -> Iterator[str]:
    dsn = template.clone(harness_server.dsn(), harness_template(rows=ROWS))
    yield dsn
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.fixture(scope="module")
def sabotaged(
    harness_server: Server,
    policy: SecurityPolicy,
    before: str,
    harness_migrated_template: Templates,
) -> Iterator[Security]:
    """A migrated database with every planted defect at once, judged once."""
    dsn = template.clone(harness_server.dsn(), harness_migrated_template(rows=ROWS))
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statements in dict.fromkeys(defect for defect, _, _ in DEFECTS):
            conn.execute(statements)
    yield security.judge(dsn, policy, before=before)
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.mark.parametrize(("defect", "finding", "said"), DEFECTS, ids=lambda v: v[:60])
def test_planted_defect_is_reported(
    sabotaged: Security, defect: str, finding: str, said: str
) -> None:
    messages = [one.message for one in sabotaged.findings if one.id == finding]
    assert [text for text in messages if said in text], messages
    assert sabotaged.verdict == "fail"


def test_without_a_source_a_lost_policy_is_still_seen(
    policy: SecurityPolicy, harness_migrated_template: Templates, harness_clone: Clone
) -> None:
    after = harness_clone(harness_migrated_template(rows=ROWS))
    with psycopg.connect(after, autocommit=True) as conn:
        conn.execute('drop policy "Task Update Policy" on public.tasks')
    found = security.judge(after, policy)
    assert [f.id for f in found.findings] == ["security.reach.less"]
    assert found.verdict == "fail"


def test_without_a_source_rights_on_system_objects_are_seen(
    policy: SecurityPolicy, harness_migrated_template: Templates, harness_clone: Clone
) -> None:
    after = harness_clone(harness_migrated_template(rows=ROWS))
    with psycopg.connect(after, autocommit=True) as conn:
        conn.execute("grant select on pg_catalog.pg_authid to public")
    found = security.judge(after, policy)
    assert [f.id for f in found.findings] == ["security.system.gained"]
    assert found.verdict == "fail"


def test_rights_on_system_objects_that_were_there_before_are_no_finding(
    policy: SecurityPolicy,
    harness_migrated_template: Templates,
    harness_template: Templates,
    harness_clone: Clone,
) -> None:
    both = (
        harness_clone(harness_template(rows=ROWS)),
        harness_clone(harness_migrated_template(rows=ROWS)),
    )
    for dsn in both:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("grant select on pg_catalog.pg_authid to public")
    found = security.judge(both[1], policy, before=both[0])
    assert {f.severity for f in found.findings if f.id.startswith("security.system")} == {"info"}


def test_what_cannot_be_tried_is_unknown_not_passed(
    policy: SecurityPolicy, harness_migrated_template: Templates, harness_clone: Clone
) -> None:
    after = harness_clone(harness_migrated_template(rows=ROWS))
    with psycopg.connect(after, autocommit=True) as conn:
        conn.execute(
            "create table public.bare (id bigint);"
            "alter table public.bare enable row level security;"
            "create policy p on public.bare to authenticated using (true);"
            "revoke all on public.bare from anon"
        )
    found = security.judge(after, policy)
    assert {f.id for f in found.findings} == {"security.unproven"}
    assert found.verdict == "unknown"


def test_what_cannot_be_read_is_unknown_too(
    policy: SecurityPolicy, harness_migrated_template: Templates, harness_clone: Clone
) -> None:
    after = harness_clone(harness_migrated_template(rows=ROWS))
    with psycopg.connect(after, autocommit=True) as conn:
        conn.execute(
            "create view public.broken with (security_invoker = on) as"
            " select 1 / (count(*) - count(*)) as id from public.tags"
        )
    found = security.judge(after, policy)
    assert found.verdict == "unknown"
    assert any("public.broken: division by zero" in f.message for f in found.findings)


def test_a_role_that_the_server_does_not_have_is_refused(
    policy: SecurityPolicy, before: str
) -> None:
    strange = dataclasses.replace(policy, roles=(*policy.roles, "nobody_here"))
    with pytest.raises(Refused, match="no role nobody_here"):
        security.judge(before, strange)


def test_an_explanation_of_nothing_is_reported(
    policy: SecurityPolicy, before: str, harness_plan: Plan
) -> None:
    found = security.judge(before, policy, before=before)
    assert "security.explanation.unused" in {f.id for f in found.findings}


BAD = [
    ("format = 2", ":1: format is 2"),
    ("format = 1\nroles = []", ":2: roles names no role"),
    ('format = 1\nroles = ["anon"]\nrules = 1', ":3: unknown key 'rules'"),
    ('format = 1\nroles = "anon"', ":2: roles is not a list"),
    ('format = 1\nroles = ["a"]\n[reach]\na = ["read"]', ":4: ['read'] is not a list of commands"),
    ('format = 1\nroles = ["a"]\n[reach]\nbob = []', ":4: role 'bob' is not among the roles"),
    ('format = 1\nroles = ["a"]\n[[explained]]\nrole = "a"', ":3: an entry of [[explained]]"),
    ("format = 1\nroles = [", ":2: is not valid TOML"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=lambda v: v[:40])
def test_a_bad_policy_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "security.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        security_policy.load(path)
    assert str(caught.value).startswith(f"{path}{said}")


def test_a_policy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        security.policy_of(tmp_path)
