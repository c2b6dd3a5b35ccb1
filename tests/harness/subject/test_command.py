"""A command as a subject: its probe, its position, its baseline, what it is made of."""

from __future__ import annotations

import pickle
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from harness.core.errors import Refused, UsageError
from harness.subject import tools
from harness.subject.command import CommandSubject
from harness.subject.protocol import Position


@pytest.mark.parametrize(
    ("up", "probe"),
    [
        ("alembic upgrade head", "alembic current"),
        ("alembic -c db/alembic.ini upgrade +1 --sql", "alembic -c db/alembic.ini current"),
        ("python -m alembic upgrade head", "python -m alembic current"),
        ("uv run alembic upgrade head", "uv run alembic current"),
        ("/srv/venv/bin/alembic upgrade head", "/srv/venv/bin/alembic current"),
        ("python manage.py migrate shop 0003 --noinput", "python manage.py showmigrations"),
        (
            "manage.py migrate --settings=a.b --database other --fake",
            "manage.py showmigrations --settings=a.b --database other",
        ),
        ("flyway -url=x migrate", "flyway -url=x info"),
    ],
)
def test_probe_of_a_known_tool_is_derived(up: str, probe: str) -> None:
    found = tools.probing(up.split())
    assert found is not None
    assert " ".join(found) == probe


@pytest.mark.parametrize(
    "up", ["psql -f up.sql", "alembic downgrade base", "upgrade alembic", "sh -c 'alembic upgrade'"]
)
def test_probe_of_another_command_is_not_guessed(up: str) -> None:
    assert tools.probing(up.split()) is None


def position(dsn: str, *own_tables: str) -> Position:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return CommandSubject("x", own_tables=own_tables).position(conn)


@pytest.mark.parametrize(
    ("table", "before", "after"),
    [
        ("alembic_version (version_num text)", "('a')", "('b')"),
        ("other.alembic_version (version_num text)", "('a')", "('b')"),
        ("schema_migrations (version bigint, dirty bool)", "(1, false)", "(1, true)"),
        (
            "django_migrations (id serial, app text, name text, applied timestamptz)",
            "(1, 'shop', '1', now())",
            "(1, 'shop', '2', now())",
        ),
    ],
)
def test_position_is_the_content_of_a_version_table(
    table: str, before: str, after: str, harness_empty_database: str
) -> None:
    name = table.partition(" ")[0]
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute("create schema other")
        nowhere = position(harness_empty_database)
        conn.execute(f"create table {table}")
        assert position(harness_empty_database) == nowhere  # an empty one is as good as none
        conn.execute(f"insert into {name} values {before}")
        first = position(harness_empty_database)
        conn.execute(f"truncate {name}")
        conn.execute(f"insert into {name} values {after}")
    assert nowhere != first != position(harness_empty_database)


def test_position_knows_neither_times_nor_numbers_of_attempts(harness_empty_database: str) -> None:
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute("create table django_migrations (id serial, app text, name text, at date)")
        conn.execute("insert into django_migrations values (1, 'shop', '1', '2001-01-01')")
        first = position(harness_empty_database)
        conn.execute("update django_migrations set id = 7, at = '2002-02-02'")
    assert first == position(harness_empty_database)
    assert first.words == "public.django_migrations has shop 1"


def test_position_reads_a_table_that_is_named(harness_empty_database: str) -> None:
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute('create table "Done" (id serial, what text, at timestamptz default now())')
        conn.execute("""insert into "Done" (what) values ('one'), (null)""")
    assert position(harness_empty_database).value == ()
    found = position(harness_empty_database, "public.Done")
    assert found.value == (("public.Done", (("one",), (None,))),)


def test_baseline_runs_what_only_psql_understands(
    tmp_path: Path, harness_empty_database: str
) -> None:
    file = tmp_path / "dump.sql"
    file.write_text("\\set n 1\ncreate table t (a int, b text);\nCOPY t FROM stdin;\n1\tx\n\\.\n")
    assert CommandSubject("x", baseline=(file,)).prepare(harness_empty_database) == ["public.t"]
    assert CommandSubject("x").prepare(harness_empty_database) == []


def test_baseline_that_fails_names_file_and_line_and_leaves_nothing(
    tmp_path: Path, harness_empty_database: str
) -> None:
    file = tmp_path / "schema.sql"
    file.write_text("create table t (a int);\ncreate table u (a nosuch);\n")
    with pytest.raises(Refused, match=r"schema\.sql:2: ERROR: +type \"nosuch\" does not exist"):
        CommandSubject("x", baseline=(file,)).prepare(harness_empty_database)
    file.write_text("create table t (a int);")
    assert CommandSubject("x", baseline=(file,)).prepare(harness_empty_database) == ["public.t"]


def test_hash_changes_with_what_a_run_could_do(tmp_path: Path) -> None:
    (tmp_path / "one.sql").write_text("select 1")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/other.py").write_text("")
    first = CommandSubject("tool up", root=tmp_path)
    assert list(first.files) == ["one.sql"]
    assert CommandSubject("tool up", root=tmp_path).hash == first.hash
    assert CommandSubject("tool up --all", root=tmp_path).hash != first.hash
    (tmp_path / "one.sql").write_text("select 2")
    assert CommandSubject("tool up", root=tmp_path).hash != first.hash


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on this machine")
def test_files_that_git_ignores_are_not_its_own(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("*.log\n")
    for name in ("one.sql", "run.log"):
        (tmp_path / name).write_text("")
    assert sorted(CommandSubject("tool", root=tmp_path).files) == [".gitignore", "one.sql"]


def test_direction_without_a_command_is_usage(harness_empty_database: str) -> None:
    subject = CommandSubject("true")
    assert subject.has == frozenset()
    assert subject.unlocking(harness_empty_database) is None
    with pytest.raises(UsageError, match="'true' has no rollback"):
        subject.invocation("rollback", harness_empty_database)


def test_subject_goes_to_a_worker() -> None:
    subject = CommandSubject("true", "false", baseline=(Path("x"),))
    assert pickle.loads(pickle.dumps(subject)) == subject  # noqa: S301 - our own bytes
