"""A plan may say in which schemas its scripts look for names; none, if it says nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.core.errors import Refused, StepFailed, Stopped, UsageError
from harness.plan import load
from harness.scenario.dry_run import dry_run
from tests.harness.support.runner import TOML, SmallPlan

SCHEMAS = 'CREATE SCHEMA app; CREATE SCHEMA "Odd, ""One""";\n'
FILES = {
    "baseline/010_things.sql": (
        f"{SCHEMAS}CREATE TABLE app.things (id bigint PRIMARY KEY, name text NOT NULL);\n"
        "INSERT INTO app.things SELECT g, 'thing ' || g FROM generate_series(1, 1000) AS g;\n"
        'CREATE TABLE "Odd, ""One""".others (id int);\n'
    ),
    "phases/1.1_fill/010_column.forward.sql": (
        "CREATE TABLE kinds (id bigint PRIMARY KEY);\n"
        "ALTER TABLE things ADD COLUMN upper_name text;\n"
        "INSERT INTO others VALUES (1);\n"
    ),
    "phases/1.1_fill/010_column.rollback.sql": (
        "DELETE FROM others;\nALTER TABLE things DROP COLUMN upper_name;\nDROP TABLE kinds;\n"
    ),
    "phases/1.1_fill/020_fill.forward.sql": (
        "-- kind: batch\n-- table: app.things\n-- key: id\n\n"
        "UPDATE things SET upper_name = upper(name) WHERE id > %(after)s AND id <= %(upto)s;\n"
    ),
    "phases/1.2_index/010_index.forward.sql": (
        "-- kind: concurrent\nCREATE INDEX CONCURRENTLY things_upper ON app.things (upper_name);\n"
    ),
    "phases/1.2_index/010_index.rollback.sql": (
        "-- kind: concurrent\nDROP INDEX CONCURRENTLY app.things_upper;\n"
    ),
    "cleanup/010_kinds.sql": "DROP TABLE kinds;\n",
}
PATH = 'search_path = \'app, "Odd, ""One"""\''


def toml(line: str) -> str:
    """The small plan's toml with a line more in [runner]."""
    text = TOML.replace("[runner]\n", f"[runner]\n{line}\n")
    return text.replace("public.kinds", "app.kinds").replace("public.things", "app.things")


@pytest.fixture
def small(tmp_path: Path) -> SmallPlan:
    """A plan whose scripts name tables without their schemas."""
    made = SmallPlan(tmp_path)
    for name, text in FILES.items():
        made.write(name, text)
    made.write("plan.toml", toml(PATH))
    return made


def asked(dsn: str, query: str) -> list[tuple[object, ...]]:
    """The rows of a query."""
    with psycopg.connect(dsn) as conn:
        return conn.execute(query.encode()).fetchall()


def test_scripts_find_names_forward_back_and_in_the_clean_up(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan, dsn = small.load(), harness_empty_database
    runner.baseline(dsn, plan)
    assert dry_run(dsn, plan).verdict == "pass"
    runner.migrate(dsn, plan)
    assert asked(dsn, "SELECT count(upper_name) FROM app.things") == [(1000,)]
    assert asked(dsn, "SELECT to_regclass('app.kinds') IS NOT NULL") == [(True,)]
    assert len(asked(dsn, 'SELECT FROM "Odd, ""One""".others')) == 1
    runner.rollback(dsn, plan)
    assert asked(dsn, "SELECT to_regclass('app.kinds')") == [(None,)]
    runner.migrate(dsn, plan)
    runner.cleanup(dsn, plan, override_retention="the test cannot wait")
    assert asked(dsn, "SELECT to_regclass('app.kinds')") == [(None,)]


def test_a_resumed_run_looks_in_the_same_schemas(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan, dsn = small.load(), harness_empty_database
    runner.baseline(dsn, plan)
    batches = 0

    def after_a_batch() -> bool:
        nonlocal batches
        batches += 1
        return batches > 8

    with pytest.raises(Stopped):
        runner.migrate(dsn, plan, stop=after_a_batch)
    assert runner.migrate(dsn, plan).resumed
    assert asked(dsn, "SELECT count(upper_name) FROM app.things") == [(1000,)]


def test_without_it_names_have_no_schema(small: SmallPlan, harness_empty_database: str) -> None:
    small.write("plan.toml", toml(""))
    plan = small.load()
    runner.baseline(harness_empty_database, plan)
    with pytest.raises(StepFailed, match="no schema has been selected"):
        runner.migrate(harness_empty_database, plan)


def test_it_cannot_change_between_runs_as_the_rest_of_the_runner_may(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan, dsn = small.load(), harness_empty_database
    runner.baseline(dsn, plan)
    runner.migrate(dsn, plan, until="1.1")
    small.write("plan.toml", toml(PATH + "\nretries = 3"))
    assert small.load().hash == plan.hash
    small.write("plan.toml", toml("search_path = 'app, public'"))
    assert small.load().hash != plan.hash
    with pytest.raises(Refused, match=r"plan\.toml"):
        runner.migrate(dsn, small.load())


def test_an_empty_one_is_none_at_all(small: SmallPlan) -> None:
    small.write("plan.toml", toml(""))
    plan = small.load()
    small.write("plan.toml", toml("search_path = ''"))
    assert small.load() == plan


def test_a_header_of_a_script_comes_before_the_plan(
    small: SmallPlan, harness_empty_database: str
) -> None:
    name = "phases/1.1_fill/010_column.forward.sql"
    text = "-- set: search_path=public, app\n" + FILES[name].replace("INSERT INTO others", "--")
    small.write(name, text)
    plan = small.load()
    runner.baseline(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    assert asked(harness_empty_database, "SELECT to_regclass('public.kinds') IS NOT NULL") == [
        (True,)
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("3", "is a text that names schemas, not 3"),
        ("['app']", "is a text that names schemas"),
        ("'app,'", "names schemas with commas between them"),
        ("'app other'", "names schemas with commas between them"),
        ("'app, app'", "names a schema twice"),
        ("'\"$user\", app'", "cannot name $user"),
        ("'app, pg_catalog'", "need not name pg_catalog"),
        ("'PG_TEMP'", "need not name pg_temp"),
        (f"'{'a' * 64}'", "which is longer than 63 bytes"),
    ],
)
def test_what_names_no_schemas_is_refused_by_line(small: SmallPlan, value: str, said: str) -> None:
    path = small.write("plan.toml", toml(f"search_path = {value}"))
    line = path.read_text().split("\n").index(f"search_path = {value}") + 1
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}:{line}: search_path ")
    assert said in str(caught.value)
