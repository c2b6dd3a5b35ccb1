"""What the runner needs of its role, and what it gives to others: nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.core.errors import Refused
from tests.harness.support.runner import ask, prepared, run_sql


@pytest.fixture
def weak_role(harness_empty_database: str) -> str:
    """A DSN of a role without rights on the database's objects."""
    name = ask(harness_empty_database, "SELECT 'weak_' || current_database()")
    run_sql(harness_empty_database, f"CREATE ROLE {name} LOGIN PASSWORD 'weak'")
    dsn = psycopg.conninfo.make_conninfo(harness_empty_database, user=name, password="weak")
    yield dsn
    run_sql(harness_empty_database, f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_role_without_rights_is_refused_before_anything_is_changed(
    tmp_path: Path, harness_empty_database: str, weak_role: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    with pytest.raises(Refused, match="may not create schemas"):
        runner.migrate(weak_role, plan)
    name = psycopg.conninfo.conninfo_to_dict(weak_role)["user"]
    run_sql(
        harness_empty_database,
        f"DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {name}',"
        " current_database()); END $$",
    )
    with pytest.raises(Refused, match=r"does not own public\.things"):
        runner.migrate(weak_role, plan)
    assert runner.status(harness_empty_database, plan).state == "clean"


def test_status_needs_few_rights(
    tmp_path: Path, harness_empty_database: str, weak_role: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    assert runner.status(weak_role, plan).state == "clean"
    runner.migrate(harness_empty_database, plan)
    hidden = runner.status(weak_role, plan)
    assert hidden.state == "foreign"
    assert "may not read the ledger" in (hidden.reason or "")


def test_the_ledger_gives_the_application_nothing(
    tmp_path: Path, harness_empty_database: str, weak_role: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    name = psycopg.conninfo.conninfo_to_dict(weak_role)["user"]
    run_sql(harness_empty_database, f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {name}")
    run_sql(harness_empty_database, f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {name}")
    run_sql(harness_empty_database, f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO {name}")
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    granted = (
        "SELECT string_agg(c.relname, ' ') FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE c.relnamespace = 'migration_control'::regnamespace AND a.grantee <> c.relowner"
    )
    assert ask(harness_empty_database, granted) is None
    planted = "SELECT has_table_privilege(%s, 'public.kinds', 'SELECT')"
    assert ask(harness_empty_database, planted, name) is True
    assert not ask(
        harness_empty_database,
        "SELECT has_schema_privilege(%s, 'migration_control', 'USAGE')",
        name,
    )
