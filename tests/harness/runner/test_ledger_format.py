"""A ledger of an older version goes on; a newer, damaged or foreign one is refused by everybody."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from harness import runner
from harness.core.errors import Refused
from harness.database import admin, ledger_names
from harness.plan import Plan, load
from harness.runner import ledger_format
from tests.harness.support.runner import ask, child, contents, run_sql

if TYPE_CHECKING:
    from harness.server import Server

STORED = Path(__file__).with_name("ledgers")
STATES = {
    "forward_after_a_step": "partial",
    "forward_in_a_batch": "partial",
    "forward_intent": "partial",
    "forward_intent_index_built": "partial",
    "migrated": "migrated",
    "migrated_again": "migrated",
    "rollback_after_a_step": "rolling-back",
    "rollback_intent_index_dropped": "rolling-back",
    "rolled_back": "rolled-back",
    "cleaned_up": "migrated",
}
FORWARD = [name for name, state in STATES.items() if state != "rolling-back"]
BACK = [name for name, state in STATES.items() if name != "cleaned_up" and state != "rolled-back"]
Ends = dict[str, tuple[object, ...]]


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The plan of the stored runs."""
    return load(STORED / "plan")


def stored(dsn: str, position: str) -> None:
    """Put a stored database into an empty one."""
    for name in ("format_1", position):
        run_sql(dsn, (STORED / f"{name}.sql").read_text("utf-8"))


def test_the_names_of_the_ledger_are_those_of_its_tables(harness_empty_database: str) -> None:
    """Whoever looks for tampering looks at these."""
    with admin.connection(harness_empty_database) as conn:
        ledger_format.prepare(conn)
        rows = conn.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'migration_control'::regnamespace"
        ).fetchall()
    assert {name for (name,) in rows} == set(ledger_names.TABLES)


def version(dsn: str) -> int:
    return int(ask(dsn, "SELECT version FROM migration_control.ledger"))


@pytest.fixture(scope="module")
def ends(harness_server: Server, plan: Plan) -> Ends:
    """What an undisturbed run of today leaves in a database, forward and back."""
    name = admin.unique_name("harness_ends")
    admin.create(harness_server.dsn(), name)
    dsn = admin.with_dbname(harness_server.dsn(), name)
    runner.baseline(dsn, plan)
    runner.migrate(dsn, plan)
    forward = contents(dsn)
    runner.rollback(dsn, plan)
    found = {"forward": forward, "back": contents(dsn)}
    admin.drop(harness_server.dsn(), name)
    return found


def test_every_stored_position_is_tried() -> None:
    assert {path.stem for path in STORED.glob("*.sql")} - {"format_1"} == set(STATES)


@pytest.mark.parametrize("position", STATES)
def test_a_stored_ledger_says_where_it_stands(
    position: str, harness_empty_database: str, plan: Plan
) -> None:
    stored(harness_empty_database, position)
    assert runner.status(harness_empty_database, plan).state == STATES[position]
    assert version(harness_empty_database) == 1  # to look is not to change


@pytest.mark.parametrize("position", FORWARD)
def test_a_stored_run_is_resumed(
    position: str, harness_empty_database: str, plan: Plan, ends: Ends
) -> None:
    stored(harness_empty_database, position)
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert position == "cleaned_up" or contents(harness_empty_database) == ends["forward"]


@pytest.mark.parametrize("position", BACK)
def test_a_stored_run_is_rolled_back(
    position: str, harness_empty_database: str, plan: Plan, ends: Ends
) -> None:
    stored(harness_empty_database, position)
    done = runner.rollback(harness_empty_database, plan, override_window="it is old")
    assert (done.state, contents(harness_empty_database)) == ("rolled-back", ends["back"])
    assert version(harness_empty_database) == ledger_format.VERSION


def test_a_stored_run_is_cleaned_up(harness_empty_database: str, plan: Plan) -> None:
    stored(harness_empty_database, "migrated")
    dropped = runner.cleanup(harness_empty_database, plan, override_retention="it is old")
    assert dropped == ["table public.kinds"]
    assert runner.cleanup(harness_empty_database, plan) == []


def test_an_upgraded_ledger_is_a_new_one(harness_empty_database: str, plan: Plan) -> None:
    """No column, default or constraint tells an upgraded ledger from one made today."""
    shape = (
        "SELECT array_agg(t ORDER BY t) FROM (SELECT a.attrelid::regclass || '.' || a.attname ||"
        " format_type(a.atttypid, a.atttypmod) || a.attnotnull || coalesce(pg_get_expr(d.adbin,"
        " d.adrelid), '') FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid"
        " AND d.adnum = a.attnum WHERE a.attrelid::regclass::text LIKE 'migration_control.%'"
        " AND a.attnum > 0) AS s(t)"
    )
    runner.baseline(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan)
    made = ask(harness_empty_database, shape)
    run_sql(
        harness_empty_database,
        "DROP SCHEMA public, migration_control CASCADE; CREATE SCHEMA public",
    )
    stored(harness_empty_database, "forward_in_a_batch")
    assert ask(harness_empty_database, shape) != made
    runner.migrate(harness_empty_database, plan)
    assert ask(harness_empty_database, shape) == made


def test_an_upgrade_that_is_killed_leaves_the_old_ledger_whole(
    harness_empty_database: str, plan: Plan, ends: Ends
) -> None:
    stored(harness_empty_database, "forward_in_a_batch")
    seen = set()
    for message in range(12, 32):
        with child("migrate", harness_empty_database, plan, die_at=message) as dying:
            ended = dying.ended()
        seen.add(version(harness_empty_database))
        assert runner.status(harness_empty_database, plan).state in ("partial", "migrated")
        if ended != -signal.SIGKILL:
            break
    assert seen == {1, ledger_format.VERSION}
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert contents(harness_empty_database) == ends["forward"]


def test_an_older_harness_reads_as_far_as_the_version(
    harness_empty_database: str, plan: Plan
) -> None:
    """It looks at the seals first: with ours it would call a newer ledger a damaged one."""
    runner.baseline(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan)
    with psycopg.connect(harness_empty_database) as conn:
        rows = conn.execute(
            "SELECT run_id, step, position, kind, state, last_key, rows, batches, attempts, seal,"
            " object FROM migration_control.step"
        ).fetchall()
    assert [row[-1] for row in rows if row[-1]] == ['create "public"."things_upper"']
    for *values, seal, _ in rows:  # as version 1 made them
        assert hashlib.sha256("|".join(map(str, values)).encode()).hexdigest()[:16] == seal


@pytest.mark.parametrize(
    "damage", ["object = 'create x'", "object = NULL", "object_seal = NULL", "object_seal = 'x'"]
)
def test_what_a_concurrent_step_is_about_is_sealed(
    damage: str, harness_empty_database: str, plan: Plan
) -> None:
    runner.baseline(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan)
    table = sql.Identifier("migration_control", "step")
    change = sql.SQL("UPDATE {} SET {} WHERE position = 3").format(table, sql.SQL(damage))
    with psycopg.connect(harness_empty_database) as conn:
        conn.execute(change)
    found = runner.status(harness_empty_database, plan)
    assert (found.state, "step 1.2/010_index" in str(found.reason)) == ("foreign", True)


REFUSED = {
    "newer": (
        "UPDATE migration_control.ledger SET version = 5",
        "the ledger is of version 5; this harness knows versions 1 to 4",
    ),
    "newer, with other tables": (
        "UPDATE migration_control.ledger SET version = 12; DROP TABLE migration_control.plan_file",
        "the ledger is of version 12",
    ),
    "zero": ("UPDATE migration_control.ledger SET version = 0", "the ledger is of version 0"),
    "no version": ("DELETE FROM migration_control.ledger", "table ledger has 0 rows"),
    "two versions": (
        "INSERT INTO migration_control.ledger (version) VALUES (1)",
        "table ledger has 2 rows",
    ),
    "older than it looks": (
        "UPDATE migration_control.ledger SET version = 1",
        "it is of version 1, but has step.object of version 2",
    ),
    "no version column": (
        "ALTER TABLE migration_control.ledger DROP COLUMN version",
        "column version of table ledger is missing",
    ),
    "no steps": ("DROP TABLE migration_control.step", "table step is missing"),
    "no events": ("DROP TABLE migration_control.event", "table event is missing"),
    "no hash": (
        "ALTER TABLE migration_control.run DROP COLUMN plan_hash",
        "column plan_hash of table run is missing",
    ),
    "a column of another type": (
        "ALTER TABLE migration_control.run ALTER completed_at TYPE text",
        "it cannot be read: operator does not exist",
    ),
    "no ledger": ("DROP TABLE migration_control.ledger", "holds no ledger"),
}


def damaged(dsn: str, plan: Plan, damage: str) -> str:
    """Damage a half-done run's ledger; what every refusal must say."""
    runner.baseline(dsn, plan)
    runner.migrate(dsn, plan, until="1.1")
    statement, said = REFUSED[damage]
    run_sql(dsn, statement)
    return said


@pytest.mark.parametrize("damage", REFUSED)
def test_a_ledger_that_cannot_be_built_on_is_refused(
    damage: str, harness_empty_database: str, plan: Plan
) -> None:
    said = damaged(harness_empty_database, plan, damage)
    before = contents(harness_empty_database)
    found = runner.status(harness_empty_database, plan)
    assert (found.state, said in (found.reason or "")) == ("foreign", True)
    for call in (runner.migrate, runner.rollback, runner.cleanup):
        with pytest.raises(Refused) as refusal:
            call(harness_empty_database, plan)
        assert said in str(refusal.value)
    assert contents(harness_empty_database) == before


@pytest.mark.parametrize(
    "command", ["status", "migrate", "rollback", "cleanup", "verify", "dry-run", "validate"]
)
def test_every_command_refuses_it_in_one_sentence(
    command: str, harness_empty_database: str, plan: Plan
) -> None:
    said = damaged(harness_empty_database, plan, "newer, with other tables")
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", command, "--dsn", harness_empty_database, "--json"],
        env=os.environ | {"HARNESS_PLAN": str(plan.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (0 if command == "status" else 1), done.stderr
    assert "Traceback" not in done.stderr
    assert said in json.dumps(json.loads(done.stdout))


def test_a_role_that_may_read_half_of_it_is_told_so(
    harness_empty_database: str, plan: Plan, role: str
) -> None:
    runner.baseline(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan)
    run_sql(
        harness_empty_database,
        f"GRANT USAGE ON SCHEMA migration_control TO {role};"
        f" GRANT SELECT ON migration_control.ledger TO {role}",
    )
    run_sql(harness_empty_database, f"ALTER ROLE {role} PASSWORD 'x'")
    dsn = psycopg.conninfo.make_conninfo(harness_empty_database, user=role, password="x")
    reason = runner.status(dsn, plan).reason
    assert reason is not None
    assert "may not read the ledger: permission denied for table" in reason
    run_sql(harness_empty_database, f"DROP OWNED BY {role}")
