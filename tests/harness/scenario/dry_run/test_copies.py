"""A copy is the database it stands for: made, set and furnished like it, whoever makes the copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from psycopg.conninfo import make_conninfo

from harness import runner
from harness.core.errors import InfrastructureError, Refused
from harness.database import admin
from harness.database.creation import create, making
from harness.database.surroundings import surroundings
from harness.plan import load
from harness.safety.backup import backup, restore
from harness.scenario.dry_run import dry_run, estimate_error
from harness.scenario.dry_run.scratch import Wish, scratch
from harness.scenario.dry_run.words import lines
from harness.server import choose
from tests.harness.support.backup import SECRET
from tests.harness.support.cases import CASES, plan_of, psql, told
from tests.harness.support.runner import ask, open_transaction, run_sql
from tests.harness.support.server import require

if TYPE_CHECKING:
    from harness.server import Server

HOWS = ("template", "dump", "elsewhere")
PLAIN = "create table public.n (id int primary key);", "drop table public.n;"


@pytest.fixture(scope="module")
def debian() -> Iterator[Server]:
    """Debian's Postgres 15, which has ICU and libc's locales."""
    try:
        server = choose("system")
    except InfrastructureError as error:
        require("system", str(error))
    server.start()
    yield server
    server.close()


@pytest.fixture
def named(harness_server: Server) -> Iterator[Callable[[str], str]]:
    """Return a factory: named(name) -> DSN of a new database of that very name."""
    made: list[str] = []

    def make(name: str) -> str:
        admin.create(harness_server.dsn(), name)
        made.append(name)
        return admin.with_dbname(harness_server.dsn(), name)

    yield make
    for name in made:
        admin.drop(harness_server.dsn(), name)


@pytest.mark.parametrize("how", HOWS)
def test_what_the_database_sets_its_copy_has_too(
    harness_empty_database: str, tmp_path: Path, how: str
) -> None:
    case = CASES / "database-setting"
    psql(harness_empty_database, case / "setup.sql")
    plan = case / "plan/plan.toml"
    _, document = told("dry-run", "--dsn", harness_empty_database, "--plan", plan, "--clone", how)
    assert document["copy"]["how"] == how
    assert its_own(document) == []
    if how == "dump":
        assert backup(harness_empty_database, tmp_path / "b").verdict == "pass"


@pytest.mark.parametrize("how", HOWS)
def test_what_stands_around_the_database_stands_around_its_copy(
    harness_empty_database: str, harness_server: Server, role: str, how: str
) -> None:
    name = admin.dbname(harness_empty_database)
    run_sql(
        harness_empty_database,
        f'ALTER DATABASE {name} SET search_path = app, "$user", \'Odd, "Name"\';'
        f"ALTER DATABASE {name} SET \"DateStyle\" = 'German, DMY';"
        f"ALTER DATABASE {name} SET default_transaction_read_only = on;"
        f"ALTER ROLE {role} IN DATABASE {name} SET app.bound = '10; drop';"
        f"ALTER DATABASE {name} CONNECTION LIMIT 17;"
        f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC;"
        f"GRANT CREATE, CONNECT ON DATABASE {name} TO {role} WITH GRANT OPTION;"
        f"COMMENT ON DATABASE {name} IS 'it''s ours';"
        f"ALTER DATABASE {name} OWNER TO {role}",
    )
    with admin.connection(harness_empty_database) as conn:
        wanted = surroundings(conn, name)
    assert wanted.settings[0].value == 'app, "$user", "Odd, ""Name"""'
    try:
        with (
            scratch(harness_empty_database, Wish(how=how)) as copy,
            admin.connection(copy.dsn) as conn,
        ):  # type: ignore[arg-type]
            assert surroundings(conn, conn.info.dbname) == wanted
            assert copy.lacks == ()
    finally:
        admin.drop(harness_server.dsn(), name)


def its_own(document: Any) -> list[str]:
    """Findings above info but for those of a busy machine and of other tests on the server."""
    others = ("dry-run.server-changed", "dry-run.lock-held")
    found = [one for one in document["findings"] if one["severity"] != "info"]
    return [one["id"] for one in found if one["id"] not in others]


@pytest.mark.parametrize("how", HOWS)
def test_a_read_only_database_is_rehearsed(
    harness_empty_database: str, tmp_path: Path, how: str
) -> None:
    name = admin.dbname(harness_empty_database)
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int)")
    run_sql(harness_empty_database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    plan = plan_of(tmp_path / "plan", *PLAIN)
    _, document = told("dry-run", "--dsn", harness_empty_database, "--plan", plan, "--clone", how)
    assert document["copy"]["how"] == how
    assert its_own(document) == []


def test_a_plan_that_names_its_own_database_is_rehearsed_under_that_name(
    named: Callable[[str], str], tmp_path: Path
) -> None:
    for name in ("crm", 'Odd "Näme"'):
        dsn = named(name)
        run_sql(dsn, "CREATE TABLE public.t (id int)")
        quoted = '"' + name.replace('"', '""') + '"'
        plan = plan_of(
            tmp_path / str(len(name)),
            f"alter database {quoted} set statement_timeout = '7s';",
            f"alter database {quoted} reset statement_timeout;",
        )
        _, document = told("dry-run", "--dsn", dsn, "--plan", plan)
        assert document["copy"]["how"] == "elsewhere"
        assert its_own(document) == []
        with admin.connection(dsn) as conn:
            assert surroundings(conn, name).settings == ()


def test_elsewhere_the_plan_runs_as_the_role_that_was_named(
    harness_empty_database: str, role: str
) -> None:
    run_sql(
        harness_empty_database,
        f"GRANT ALL ON DATABASE {admin.dbname(harness_empty_database)} TO {role}",
    )
    theirs = make_conninfo(harness_empty_database, user=role, password=SECRET)
    with scratch(theirs, Wish(how="elsewhere")) as copy:
        assert ask(copy.dsn, "SELECT current_user::text") == role
        assert ask(copy.dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    run_sql(harness_empty_database, f"DROP OWNED BY {role}")


def test_a_database_without_schema_public_has_a_backup_and_comes_back(
    harness_empty_database: str, target: str, tmp_path: Path
) -> None:
    psql(harness_empty_database, CASES / "no-public-schema/setup.sql")
    run_sql(harness_empty_database, "DROP EXTENSION plpgsql")
    found = backup(harness_empty_database, tmp_path)
    assert (found.verdict, found.differences) == ("pass", ())
    assert restore(target, tmp_path).verdict == "pass"
    assert ask(target, "SELECT to_regnamespace('public') IS NULL")


def test_a_database_that_lacks_schema_public_gets_it_back_with_the_rows(
    things: str, target: str, tmp_path: Path
) -> None:
    assert backup(things, tmp_path).verdict == "pass"
    run_sql(target, "DROP SCHEMA public")
    assert restore(target, tmp_path).verdict == "pass"


def test_a_restore_that_fails_leaves_a_lacking_schema_lacking(
    things: str, target: str, role: str, tmp_path: Path
) -> None:
    assert backup(things, tmp_path).verdict == "pass"
    run_sql(target, "DROP SCHEMA public")
    run_sql(target, f"GRANT CREATE ON DATABASE {admin.dbname(target)} TO {role}")
    theirs = make_conninfo(target, user=role, password=SECRET)
    with pytest.raises(Refused):
        restore(theirs, tmp_path)  # it may give nothing to the owner
    run_sql(target, f"DROP OWNED BY {role}")
    assert ask(target, "SELECT to_regnamespace('public') IS NULL")


@pytest.mark.parametrize("how", HOWS)
def test_a_database_without_schema_public_is_rehearsed_without_it(
    harness_empty_database: str, how: str
) -> None:
    run_sql(
        harness_empty_database, "DROP SCHEMA public; CREATE SCHEMA app; CREATE TABLE app.t (id int)"
    )
    with scratch(harness_empty_database, Wish(how=how)) as copy:  # type: ignore[arg-type]
        assert ask(copy.dsn, "SELECT to_regnamespace('public') IS NULL")
        assert ask(copy.dsn, "SELECT to_regclass('app.t') IS NOT NULL")


def test_a_database_of_an_older_collation_library_is_copied_in_the_next_way(
    debian: Server, tmp_path: Path
) -> None:
    case = CASES / "collation-version-mismatch"
    psql(debian.dsn(), case / "databases.sql")
    dsn = debian.dsn("old")
    psql(dsn, case / "setup.sql")
    run_sql(debian.dsn(), "UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'old'")
    try:
        _, document = told("dry-run", "--dsn", dsn, "--plan", case / "plan/plan.toml")
        assert document["copy"]["how"] == "dump"
        assert its_own(document) == []
        assert "collation version mismatch" in document["copy"]["passed_over"][0]
    finally:
        admin.drop(debian.dsn(), "old")


def test_a_backup_is_not_restored_into_a_database_that_sorts_differently(
    debian: Server, tmp_path: Path
) -> None:
    case = CASES / "restore-other-collation"
    psql(debian.dsn(), case / "databases.sql")
    psql(debian.dsn("src"), case / "setup.sql")
    try:
        assert backup(debian.dsn("src"), tmp_path).verdict == "pass"
        with pytest.raises(Refused, match="locale provider 'libc', not 'icu'"):
            restore(debian.dsn("dst"), tmp_path)
        assert ask(debian.dsn("dst"), "SELECT to_regclass('public.t')") is None
        with admin.connection(debian.dsn()) as conn:
            create(conn, "same", making(conn, "src"))
        assert restore(debian.dsn("same"), tmp_path).verdict == "pass"
    finally:
        for name in ("src", "dst", "same"):
            admin.drop(debian.dsn(), name)


def test_a_copy_that_no_server_of_ours_can_hold_is_refused_with_the_extension(
    debian: Server, tmp_path: Path
) -> None:
    name = admin.unique_name("harness_extension")
    admin.create(debian.dsn(), name)
    run_sql(debian.dsn(name), "CREATE EXTENSION pgcrypto")
    with open_transaction(debian.dsn(name), "SELECT 1"):
        with scratch(debian.dsn(name), Wish(how="elsewhere")) as copy:
            assert copy.server in {
                "system 15",
                "container 15",
            }  # the image has Debian's extensions too
        with (
            pytest.raises(Refused, match="Postgres 15 is not there"),
            scratch(debian.dsn(name), Wish(how="elsewhere", server="embedded")),
        ):
            pass
    admin.drop(debian.dsn(), name)


def test_bytes_that_are_no_text_are_rehearsed_and_backed_up(
    harness_server: Server, tmp_path: Path
) -> None:
    name = admin.unique_name("harness_ascii")
    run_sql(
        harness_server.dsn(),
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    dsn = harness_server.dsn(name)
    try:
        psql(dsn, CASES / "sql-ascii-bytes/setup.sql", PGCLIENTENCODING="SQL_ASCII")
        plan = plan_of(tmp_path / "plan", *PLAIN)
        for how in HOWS:
            _, document = told("dry-run", "--dsn", dsn, "--plan", plan, "--clone", how)
            assert document["copy"]["how"] == how
            assert its_own(document) == []
        assert backup(dsn, tmp_path / "b").verdict == "pass"
    finally:
        admin.drop(harness_server.dsn(), name)


def test_a_copy_that_cannot_be_looked_at_from_inside_is_refused_in_one_sentence(
    harness_empty_database: str, tmp_path: Path
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int); DROP EXTENSION plpgsql")
    plan = load(plan_of(tmp_path / "plan", *PLAIN))
    with pytest.raises(Refused, match='from inside: language "plpgsql" does not exist'):
        dry_run(harness_empty_database, plan)


def test_an_estimate_from_a_server_of_our_own_is_never_a_promise(
    harness_empty_database: str, tmp_path: Path
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int)")
    plan = load(plan_of(tmp_path / "plan", *PLAIN))
    document = dry_run(harness_empty_database, plan, how="elsewhere").document()
    assert any("on a server of our own (" in line for line in lines(document))
    runner.migrate(harness_empty_database, plan)
    found = estimate_error(
        harness_empty_database, msgspec.structs.replace(document, estimate_seconds=1e6)
    )
    assert (found.verdict, "server of our own" in found.why) == ("unknown", True)
