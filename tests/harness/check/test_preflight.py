"""Preflight tells databases, plans, rights and servers apart, each by its own finding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness import runner
from harness.check.preflight import server_facts
from harness.check.preflight.rules import of_disk, of_rights, of_server
from harness.check.preflight.run import DatabaseStanding, PreflightResult, preflight
from harness.check.preflight.server_facts import ServerFacts
from harness.core.finding import Finding
from harness.database import admin
from harness.plan import Plan
from harness.server import Server, choose
from tests.harness.support.runner import SmallPlan, ask, run_sql

ROOM = 10**15


@pytest.fixture
def small(tmp_path: Path, harness_empty_database: str) -> SmallPlan:
    plan = SmallPlan(tmp_path)
    runner.baseline(harness_empty_database, plan.load())
    return plan


def looked(dsn: str, plan: Plan) -> PreflightResult:
    status = runner.status(dsn, plan)
    standing = DatabaseStanding(status.state, status.reason, status.run, status.step)
    return preflight(dsn, plan, standing, free_bytes=ROOM)


def loud(found: PreflightResult) -> list[str]:
    return [finding.id for finding in found.findings if finding.severity != "info"]


def test_a_clean_database_gives_no_finding(small: SmallPlan, harness_empty_database: str) -> None:
    found = looked(harness_empty_database, small.load())
    assert loud(found) == []
    assert found.document()["ready"] is True


def test_clean_partial_migrated_rolled_back_and_foreign_are_told_apart(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = small.load()
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    assert loud(looked(harness_empty_database, plan)) == ["preflight.partial"]
    runner.migrate(harness_empty_database, plan)
    assert loud(looked(harness_empty_database, plan)) == ["preflight.migrated"]
    runner.rollback(harness_empty_database, plan)
    assert loud(looked(harness_empty_database, plan)) == []
    run_sql(harness_empty_database, "ALTER TABLE public.things RENAME TO others")
    run_sql(harness_empty_database, "DROP SCHEMA migration_control CASCADE")
    found = looked(harness_empty_database, plan)
    assert loud(found) == ["preflight.foreign"]
    assert "public.things" in found.findings[0].message
    assert found.document()["ready"] is False


@pytest.mark.parametrize(
    ("version", "finding"),
    [("0.9", "preflight.plan.older"), ("1.10", "preflight.plan.newer")],
)
def test_an_older_and_a_newer_plan_are_told_apart(
    small: SmallPlan, harness_empty_database: str, version: str, finding: str
) -> None:
    small.replace("plan.toml", 'version = "1"', 'version = "1.9"')
    runner.migrate(harness_empty_database, small.load())
    small.replace("plan.toml", 'version = "1.9"', f'version = "{version}"')
    assert loud(looked(harness_empty_database, small.load())) == ["preflight.migrated", finding]


def test_an_edited_plan_and_another_plan_are_told_apart(
    small: SmallPlan, harness_empty_database: str
) -> None:
    runner.migrate(harness_empty_database, small.load())
    path = "phases/1.1_fill/010_column.forward.sql"
    small.replace(path, "a column", "the column")
    found = looked(harness_empty_database, small.load())
    assert loud(found) == ["preflight.migrated", "preflight.plan.edited"]
    assert path in found.findings[1].evidence
    small.replace("plan.toml", 'name = "small"', 'name = "other"')
    assert "preflight.plan.other" in loud(looked(harness_empty_database, small.load()))


def test_thresholds_may_change_between_runs(small: SmallPlan, harness_empty_database: str) -> None:
    runner.migrate(harness_empty_database, small.load(), until="1.1/010_column")
    before = small.load()
    small.replace("plan.toml", "[runner]", "[validate]\nwarning_percent = 2\n\n[runner]")
    assert small.load().files == before.files
    assert small.load().hash != before.hash
    assert runner.migrate(harness_empty_database, small.load()).state == "migrated"


def test_an_invalid_index_and_an_unvalidated_constraint_are_found(
    small: SmallPlan, harness_empty_database: str
) -> None:
    run_sql(
        harness_empty_database,
        "UPDATE public.things SET name = 'same';"
        "ALTER TABLE public.things ADD CONSTRAINT short CHECK (length(name) < 9) NOT VALID",
    )
    with (
        psycopg.connect(harness_empty_database, autocommit=True) as conn,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        conn.execute("CREATE UNIQUE INDEX CONCURRENTLY twice ON public.things (name)")
    found = looked(harness_empty_database, small.load())
    assert loud(found) == ["preflight.invalid_indexes", "preflight.unvalidated_constraints"]
    assert [finding.evidence for finding in found.findings[:2]] == [
        "public.twice",
        "short on public.things",
    ]


@contextmanager
def open_transaction(dsn: str) -> Iterator[int]:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT pg_backend_pid() FROM public.things").fetchone()
        assert row is not None
        yield row[0]


def test_a_long_transaction_is_found_with_its_pid(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = small.load()
    patient = replace(plan, preflight=replace(plan.preflight, long_transaction=3600.0))
    hasty = replace(plan, preflight=replace(plan.preflight, long_transaction=0.0))
    with open_transaction(harness_empty_database) as pid:
        assert loud(looked(harness_empty_database, patient)) == []
        found = looked(harness_empty_database, hasty)
    assert loud(found) == ["preflight.long_transactions"]
    assert f"pid {pid} of " in found.findings[0].evidence


def test_a_missing_extension_is_found(small: SmallPlan, harness_empty_database: str) -> None:
    wanted = '[preflight]\nextensions = ["plpgsql", "unheard_of"]'
    small.replace("plan.toml", "[preflight]", wanted)
    found = looked(harness_empty_database, small.load())
    assert loud(found) == ["preflight.extensions"]
    assert found.findings[0].evidence == "unheard_of"


def test_a_version_outside_those_of_the_plan_is_found(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = small.load()
    here = int(ask(harness_empty_database, "SHOW server_version_num")) // 10_000
    newer = replace(plan, preflight=replace(plan.preflight, postgres=(here + 1, here + 2)))
    older = replace(plan, preflight=replace(plan.preflight, postgres=(here - 2, here - 1)))
    for asked, severity in ((newer, "critical"), (older, "warning")):
        found = looked(harness_empty_database, asked)
        assert [(f.id, f.severity) for f in found.findings if f.severity != "info"] == [
            ("preflight.postgres", severity)
        ]


@pytest.fixture
def weak_role(harness_empty_database: str) -> Iterator[str]:
    """A DSN of a role that may read everything and change nothing."""
    name = ask(harness_empty_database, "SELECT 'reader_' || current_database()")
    run_sql(
        harness_empty_database,
        f"CREATE ROLE {name} LOGIN PASSWORD 'weak'; GRANT pg_read_all_data TO {name}",
    )
    yield psycopg.conninfo.make_conninfo(harness_empty_database, user=name, password="weak")
    run_sql(harness_empty_database, f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_missing_rights_are_found(
    small: SmallPlan, harness_empty_database: str, weak_role: str
) -> None:
    found = looked(weak_role, small.load())
    assert loud(found) == ["preflight.create", "preflight.ownership"]
    assert found.findings[-1].id == "preflight.ownership"
    assert found.findings[-1].evidence == "public.things"
    assert "preflight.activity" in [finding.id for finding in found.findings]
    assert "weak" not in str(found.document())


def test_a_database_that_is_read_only_by_default_is_found(
    small: SmallPlan, harness_empty_database: str
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(harness_empty_database)["dbname"]
    run_sql(
        harness_empty_database, f"ALTER DATABASE {name} SET default_transaction_read_only TO on"
    )
    assert loud(looked(harness_empty_database, small.load())) == ["preflight.read_only"]


def test_the_roles_that_the_plan_grants_to_must_exist(
    small: SmallPlan, harness_empty_database: str
) -> None:
    path = "phases/1.1_fill/010_column.forward.sql"
    grant = "GRANT SELECT ON public.things TO nobody_at_all, public, current_user;"
    small.write(path, (small.root / path).read_text() + grant)
    found = looked(harness_empty_database, small.load())
    assert loud(found) == ["preflight.roles"]
    assert found.findings[0].evidence == "nobody_at_all"


def facts(**changes: Any) -> ServerFacts:
    quiet: dict[str, Any] = {
        "postgres": 17, "standby": False, "read_only": False, "no_triggers": False, "role": "owner",
        "may_create": True, "not_owned": None,
        "missing_extensions": None, "missing_roles": None, "slots": None, "prepared": None,
        "long_transactions": None, "invalid_indexes": None, "unvalidated": None,
        "data_directory": None, "started": 0,
        "sees_activity": True, "has_ledger": False,
    }  # fmt: skip
    return ServerFacts(**quiet | changes)


def ids(found: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.id, finding.severity) for finding in found]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, None),
        ({"standby": True}, ("preflight.standby", "critical")),
        ({"no_triggers": True}, ("preflight.no_triggers", "critical")),
        ({"prepared": ["'one' of owner"]}, ("preflight.prepared_transactions", "critical")),
        ({"slots": ["old, logical, inactive"]}, ("preflight.replication_slots", "warning")),
    ],
)
def test_what_a_server_holds_is_judged(
    small: SmallPlan, changes: dict[str, Any], finding: tuple[str, str] | None
) -> None:
    assert ids(of_server(facts(**changes), small.load())) == ([finding] if finding else [])
    assert ids(of_rights(facts())) == []


@pytest.mark.parametrize(
    ("free", "finding"),
    [
        (200, None),
        (10**15, None),
        (199, ("preflight.disk", "critical")),
        (None, ("preflight.disk", "info")),
    ],
)
def test_a_disk_is_too_small_or_large_enough_or_unseen(
    free: int | None, finding: tuple[str, str] | None
) -> None:
    assert ids(of_disk(200, free)) == ([finding] if finding else [])


def test_only_the_disk_of_this_very_server_is_looked_at(
    small: SmallPlan, harness_empty_database: str, harness_server: Server, tmp_path: Path
) -> None:
    with psycopg.connect(harness_empty_database) as conn:
        seen = server_facts.look(conn, small.load())
    if harness_server.provider in ("embedded", "system"):
        assert (seen.free_bytes() or 0) > 0
    (tmp_path / "postmaster.pid").write_text(f"1\n{tmp_path}\n{seen.started - 100}\n5432\n")
    assert replace(seen, data_directory=str(tmp_path)).free_bytes() is None
    (tmp_path / "postmaster.pid").write_text(f"1\n{tmp_path}\n{seen.started}\n5432\n")
    assert (replace(seen, data_directory=str(tmp_path)).free_bytes() or 0) > 0
    assert replace(seen, data_directory=None).free_bytes() is None


@pytest.fixture
def generous_server() -> Iterator[Server]:
    """A server of its own that takes slots and prepared transactions: a slot is the server's."""
    server = choose("auto", profile="durable")
    if server.provider == "existing":
        pytest.skip("slots are not made on a server that is not ours")
    server.start()
    try:
        server.wait_ready(60)
        run_sql(server.dsn(), "ALTER SYSTEM SET max_prepared_transactions = 3")
        server.stop()
        server.start()
        server.wait_ready(60)
        yield server
    finally:
        server.close()


def test_a_slot_and_a_prepared_transaction_are_seen(
    tmp_path: Path, generous_server: Server
) -> None:
    plan = SmallPlan(tmp_path).load()
    dsn = generous_server.dsn()
    runner.baseline(dsn, plan)
    ask(dsn, "SELECT pg_create_physical_replication_slot('forgotten')::text")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("BEGIN")
        conn.execute("LOCK TABLE public.things")
        conn.execute("PREPARE TRANSACTION 'held'")
    found = {finding.id: finding.evidence for finding in looked(dsn, plan).findings}
    assert "forgotten, physical, inactive" in found["preflight.replication_slots"]
    assert found["preflight.prepared_transactions"].startswith("'held' of ")
    assert "preflight.disk" in found  # the lock hides the size; nothing waits for it for ever


def test_a_signal_that_the_role_cannot_see_is_a_finding_with_its_cure(
    small: SmallPlan, harness_empty_database: str
) -> None:
    small.replace("plan.toml", "adaptive = false", "adaptive = false\nmax_active_sessions = 99")
    plan, name = small.load(), admin.unique_name("blind")
    run_sql(harness_empty_database, f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    dsn = make_conninfo(harness_empty_database, user=name, password="x")
    try:
        blind = next(one for one in looked(dsn, plan).findings if one.id.endswith("blind_signal"))
        assert (blind.severity, blind.hint) == ("critical", f"GRANT pg_read_all_stats TO {name}")
        assert "max_active_sessions" in blind.message
        run_sql(harness_empty_database, f"GRANT pg_read_all_stats TO {name}")
        seen = {one.id for one in looked(dsn, plan).findings}
        assert "preflight.ownership" in seen, "the others are told as ever"
        assert "preflight.blind_signal" not in seen
    finally:
        run_sql(harness_empty_database, f"DROP ROLE {name}")
