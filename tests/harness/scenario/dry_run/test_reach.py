"""What is not proven to stay in its database is found wherever it stands; what does stay is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.database import admin
from harness.plan import Plan, load, script
from harness.scenario.dry_run import commons, shared
from harness.scenario.dry_run.dynamic import NAME, TEXT, template
from harness.scenario.dry_run.facts import CatalogFacts, facts
from harness.scenario.dry_run.reach import Reach, reaches
from tests.harness.support.cases import CASES, plan_of, psql, told
from tests.harness.support.runner import ask, open_transaction, run_sql

if TYPE_CHECKING:
    from harness.server import Server

WORLD = r"""
CREATE TABLE public.t (id int PRIMARY KEY, v text);
CREATE TABLE public.child (id int REFERENCES public.t ON DELETE CASCADE);
CREATE TABLE public.apart (id int);
CREATE VIEW public.seen AS SELECT * FROM public.apart;
CREATE FUNCTION public.sets() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END $$;
CREATE FUNCTION public.through() RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT public.sets(); END;
CREATE FUNCTION public.fine(n int) RETURNS int LANGUAGE sql AS 'SELECT n + 1';
CREATE FUNCTION public.told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_notify('t', new.id::text); RETURN new; END $$;
CREATE FUNCTION public.kills() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_terminate_backend(1); RETURN new; END $$;
CREATE TRIGGER told AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.told();
CREATE TRIGGER kills AFTER INSERT ON public.apart FOR EACH ROW EXECUTE FUNCTION public.kills();
CREATE AGGREGATE public.odd (int) (sfunc = public.add_odd, stype = int);
CREATE EXTENSION dblink; CREATE EXTENSION file_fdw; CREATE EXTENSION citext;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE public.passwords (line text) SERVER files OPTIONS (filename '/etc/passwd');
""".replace(
    "CREATE AGGREGATE", "CREATE FUNCTION public.add_odd(int, int) RETURNS int LANGUAGE plpgsql AS"
    " $$ BEGIN EXECUTE 'CREATE ROLE odd'; RETURN $1; END $$;\nCREATE AGGREGATE"
)  # fmt: skip

BEYOND = [
    "GRANT CONNECT ON DATABASE crm TO PUBLIC",
    "REVOKE ALL ON TABLESPACE pg_default FROM PUBLIC",
    "GRANT SET ON PARAMETER work_mem TO PUBLIC",
    "GRANT pg_monitor TO somebody",
    "CREATE ROLE r",
    "CREATE USER u",
    "ALTER ROLE r RENAME TO s",
    "ALTER ROLE r SET work_mem = '1MB'",
    "ALTER ROLE r IN DATABASE crm SET work_mem = '1MB'",
    "ALTER GROUP g ADD USER u",
    "DROP ROLE r",
    "ALTER DATABASE crm RENAME TO erp",
    "ALTER DATABASE crm OWNER TO r",
    "ALTER DATABASE crm SET work_mem = '1MB'",
    "ALTER DATABASE crm CONNECTION LIMIT 3",
    "ALTER DATABASE crm REFRESH COLLATION VERSION",
    "ALTER TABLESPACE s OWNER TO r",
    "ALTER TABLESPACE s SET (random_page_cost = 1)",
    "COMMENT ON DATABASE crm IS 'x'",
    "COMMENT ON ROLE r IS 'x'",
    "COMMENT ON TABLESPACE s IS 'x'",
    "SECURITY LABEL ON DATABASE crm IS 'x'",
    "SECURITY LABEL ON ROLE r IS 'x'",
    "REASSIGN OWNED BY r TO s",
    "DROP OWNED BY r",
    "UPDATE pg_catalog.pg_database SET datallowconn = false",
    "DELETE FROM pg_db_role_setting",
    "LOCK TABLE pg_authid",
    "SELECT * FROM pg_authid FOR UPDATE",
    "WITH x AS (DELETE FROM pg_shdescription RETURNING 1) SELECT * FROM x",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_create_physical_replication_slot('x')",
    "SELECT pg_replication_origin_create('x')",
    "SELECT query_to_xml('select public.sets()', true, true, '')",
    "UPDATE public.t SET v = (SELECT pg_switch_wal()::text)",
    "SELECT public.sets()",
    "SELECT public.through()",
    "SELECT public.odd(id) FROM public.t",
    "SELECT nowhere.known()",
    "CREATE VIEW public.w AS SELECT public.sets()",
    "ALTER TABLE public.t ADD COLUMN x int DEFAULT pg_cancel_backend(1)::int",
    "CREATE TRIGGER x AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.kills()",
    "CREATE EXTENSION timescaledb",
    "CREATE FUNCTION public.c() RETURNS int LANGUAGE c AS 'x'",
    "INSERT INTO public.apart VALUES (1)",
    "INSERT INTO public.seen VALUES (1)",
    "CHECKPOINT",
    "LOAD 'x'",
    "DO $$ BEGIN CREATE ROLE x; END $$",
    "DO $$ BEGIN EXECUTE 'create role ' || quote_ident('x'); END $$",
    "DO $$ BEGIN EXECUTE format('comment on database %I is %L', 'a', 'b'); END $$",
    "DO $$ DECLARE c text; BEGIN c := 'x'; EXECUTE c; END $$",
    "DO $$ BEGIN EXECUTE format('%s', 'create role x'); END $$",
    "DO $$ BEGIN EXECUTE format('grant %s on %s to r', 'connect', 'database crm'); END $$",
    "DO $$ BEGIN EXECUTE 'select ' || 'x' || current_database(); END $$",
    "DO $$ DECLARE r text; BEGIN FOR r IN EXECUTE 'select pg_switch_wal()' LOOP END LOOP; END $$",
    "DO $$ BEGIN IF pg_reload_conf() THEN NULL; END IF; END $$",
    "DO LANGUAGE plperlu 'x'",
    "CREATE TYPE public.r AS RANGE (subtype = int, subtype_diff = public.sets)",
    "CREATE OPERATOR CLASS public.o FOR TYPE int USING btree AS FUNCTION 1 public.sets(int, int)",
]
OUTWARD = [
    "SELECT dblink_exec('dbname=crm', 'alter database crm set work_mem = 1')",
    "SELECT public.dblink('dbname=crm', 'select 1')",
    "SELECT lo_export(1, '/tmp/x')",
    "INSERT INTO public.passwords VALUES ('x')",
    "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
    "DROP SUBSCRIPTION s",
    "DO $$ BEGIN COPY public.t TO PROGRAM 'curl x'; END $$",
    "DO $$ BEGIN EXECUTE 'copy public.t to ''/tmp/x'''; END $$",
]
FOREIGN = "CREATE FOREIGN TABLE public.far (a int) SERVER files"
MADE_FOREIGN = {
    "a new one": (FOREIGN, "INSERT INTO public.far VALUES (1)"),
    "made later": ("DELETE FROM public.far", FOREIGN),
    "a new name": (
        "ALTER FOREIGN TABLE public.passwords RENAME TO secrets",
        "UPDATE public.secrets SET line = ''",
    ),
    "a view": (
        FOREIGN,
        "CREATE VIEW public.near AS SELECT * FROM public.far",
        "TRUNCATE public.far",
        "INSERT INTO public.near VALUES (1)",
    ),
    "a rule": (
        FOREIGN,
        "CREATE RULE r AS ON INSERT TO public.t DO ALSO INSERT INTO public.far VALUES (1)",
        "INSERT INTO public.t VALUES (1)",
    ),
    "a part": (
        "CREATE TABLE public.all (a int) PARTITION BY LIST (a)",
        "CREATE FOREIGN TABLE public.one PARTITION OF public.all DEFAULT SERVER files",
        "INSERT INTO public.all VALUES (1)",
    ),
    "a part that is attached": (
        FOREIGN,
        "ALTER TABLE public.t ATTACH PARTITION public.far DEFAULT",
        "INSERT INTO public.t VALUES (1)",
    ),
    "a child": (
        FOREIGN,
        "ALTER FOREIGN TABLE public.far INHERIT public.t",
        "DELETE FROM public.t",
    ),
    "within a block": (
        f"DO $$ BEGIN {FOREIGN}; EXECUTE 'insert into public.far values (1)'; END $$",
    ),
    "imported": (
        "IMPORT FOREIGN SCHEMA x LIMIT TO (far) FROM SERVER files INTO public",
        "DELETE FROM public.far",
    ),
    "imported without names": ("IMPORT FOREIGN SCHEMA x FROM SERVER files INTO public",),
}
"""What a plan makes a foreign table of, and writes to it."""
LOCAL = [
    f"{FOREIGN}; ALTER TABLE public.far ADD b int; CREATE TABLE public.c AS TABLE public.far",
    "CREATE TABLE public.n (id int DEFAULT public.fine(1), at timestamptz DEFAULT now())",
    "ALTER TABLE public.t ADD COLUMN n int GENERATED ALWAYS AS (id + 1) STORED",
    "INSERT INTO public.t SELECT g, g::text FROM generate_series(1, 3) AS g",
    "UPDATE public.t SET v = gen_random_uuid()::text WHERE id = nextval('s')",
    "GRANT SELECT ON public.t TO PUBLIC",
    "COMMENT ON TABLE public.t IS 'x'",
    "ALTER TABLE public.t OWNER TO r",
    "CREATE EXTENSION citext",
    "NOTIFY t, 'x'",
    "SELECT pg_advisory_xact_lock(1), set_config('a.b', '1', true), count(*) FROM public.t",
    "SELECT * FROM pg_roles",
    "CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE ROLE x; END'",
    "CREATE INDEX ON public.t (lower(v))",
    "DO $$ BEGIN PERFORM public.fine(1); UPDATE public.t SET v = ''; END $$",
    "DO $$ BEGIN EXECUTE format('alter table %I.%I add x int', 'public', 't'); END $$",
    "DO $$ BEGIN EXECUTE format('grant %s on table %s to r', 'select', 't'::regclass); END $$",
    "DO $$ BEGIN EXECUTE 'drop view ' || 'public.w'::regclass; END $$",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(harness_server: Server) -> Iterator[CatalogFacts]:
    """What the catalogs say of a database with functions and triggers of every kind."""
    name = admin.unique_name("harness_reach")
    admin.create(harness_server.dsn(), name)
    run_sql(harness_server.dsn(name), WORLD)
    with admin.connection(harness_server.dsn(name)) as conn:
        yield facts(conn)
    admin.drop(harness_server.dsn(), name)


def reach_of(world: CatalogFacts, directory: Path, text: str) -> Reach | None:
    return reaches(loaded(directory, text), world)


def loaded(directory: Path, text: str) -> Plan:
    """A plan of one statement; that a plan may not hold some of them is another rule."""
    read = load(plan_of(directory, "SELECT 1;"))
    (step,) = read.steps
    statements = script.statements(step.forward.path, text, "transaction")
    forward = replace(step.forward, statements=statements)
    phase = replace(read.phases[0], steps=(replace(step, forward=forward),))
    return replace(read, phases=(phase,))


@pytest.mark.parametrize("text", BEYOND)
def test_what_reaches_beyond_the_database_is_found(
    world: CatalogFacts, tmp_path: Path, text: str
) -> None:
    found = reach_of(world, tmp_path, text)
    assert found is not None
    assert not found.outward
    assert found.why


@pytest.mark.parametrize("text", OUTWARD)
def test_what_reaches_other_servers_or_files_is_told_apart(
    world: CatalogFacts, tmp_path: Path, text: str
) -> None:
    found = reach_of(world, tmp_path, text)
    assert found is not None
    assert found.outward


def test_a_foreign_table_of_the_plan_is_written_to_under_whatever_name(
    world: CatalogFacts, tmp_path: Path
) -> None:
    unseen = [
        what
        for number, (what, statements) in enumerate(MADE_FOREIGN.items())
        if not (found := reach_of(world, tmp_path / str(number), ";\n".join(statements)))
        or not found.outward
    ]
    assert unseen == []


@pytest.mark.parametrize("text", LOCAL)
def test_what_stays_in_the_database_is_not_held_back(
    world: CatalogFacts, tmp_path: Path, text: str
) -> None:
    assert reach_of(world, tmp_path, text) is None


def test_every_shared_catalog_has_a_statement_that_writes_it(world: CatalogFacts) -> None:
    assert world.shared == shared.CATALOGS


def test_a_delete_that_cascades_to_a_trigger_reaches_what_the_trigger_does(
    world: CatalogFacts, tmp_path: Path
) -> None:
    assert {"t", "child"} <= world.reached_by("child")
    assert {"apart", "seen"} <= world.reached_by("apart")


def test_the_reference_plan_stays_in_its_database(
    harness_plan: Plan, harness_baseline: str
) -> None:
    with admin.connection(harness_baseline) as conn:
        found = facts(conn)
    assert reaches(harness_plan, found) is None
    undeclared = replace(harness_plan, dry_run=replace(harness_plan.dry_run, local=()))
    reach = reaches(undeclared, found)
    assert reach is not None
    assert "put together at run time" in reach.why


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'a' || 'b'", "ab"),
        ("format('alter table %I add %I %s', a, b, c)", f"alter table {NAME} add {NAME} {TEXT}"),
        ("format('x %1$L 100%%', a)", "x 'harness literal' 100%"),
        ("'drop table ' || quote_ident(x)", f"drop table {NAME}"),
        ("'drop table ' || x::regclass::text", f"drop table {NAME}"),
        ("'x ' || y", f"x {TEXT}"),
        ("format(x, 'y')", TEXT),
        ("z", TEXT),
    ],
)
def test_a_text_that_is_put_together_is_known_as_far_as_it_is(expression: str, text: str) -> None:
    assert template(expression) == text


def test_privileges_on_the_named_database_are_rehearsed_elsewhere(
    harness_server: Server, tmp_path: Path
) -> None:
    case = CASES / "dry-run-grants-on-database"
    name = "crm"
    admin.create(harness_server.dsn(), name)
    try:
        dsn = harness_server.dsn(name)
        psql(dsn, case / "setup.sql")
        before = commons.commons(dsn)
        _, document = told("dry-run", "--dsn", dsn, "--plan", case / "plan/plan.toml")
        assert document["copy"]["how"] == "elsewhere"
        assert document["verdict"] != "fail", document["findings"]
        assert ask(dsn, "SELECT datacl FROM pg_database WHERE datname = %s", name) is None
        assert not [one for one in commons.changed(before, commons.commons(dsn)) if name in one]
    finally:
        admin.drop(harness_server.dsn(), name)
        run_sql(harness_server.dsn(), "DROP ROLE IF EXISTS app_r")


def test_what_would_reach_another_server_is_not_rehearsed_at_all(
    harness_empty_database: str, tmp_path: Path
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int); CREATE EXTENSION dblink")
    target = tmp_path / "written"
    plan = plan_of(
        tmp_path / "plan", f"DO $$ BEGIN COPY public.t TO PROGRAM 'touch {target}'; END $$;"
    )
    status, document = told("dry-run", "--dsn", harness_empty_database, "--plan", plan)
    assert (status, document["verdict"], document["copy"]) == (1, "unknown", None)
    assert "runs a program of the server" in document["findings"][0]["message"]
    assert not target.exists()


def test_the_second_witness_sees_what_the_first_did_not_and_says_who_was_there(
    harness_empty_database: str,
) -> None:
    name = admin.dbname(harness_empty_database)
    before = commons.commons(harness_empty_database)
    assert commons.finding(name, before, before) is None
    run_sql(harness_empty_database, f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    with open_transaction(harness_empty_database, "SET application_name = 'billing'"):
        after = commons.commons(harness_empty_database)
    found = commons.finding(name, before, after)
    assert found is not None
    assert f"database {name}" in found.evidence or f"datname={name}" in found.evidence
    assert found.severity in ("critical", "warning")
    assert "(billing)" in found.message
