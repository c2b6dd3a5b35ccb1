"""The command line's contract: exit statuses, one sentence of error, one JSON document."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from harness.cli import cli
from harness.core.poll import wait_until
from harness.database import admin

ROOT = Path(__file__).parents[3]
WAITING = (  # in this database: other tests wait for locks of their own
    "select 1 from pg_locks as l join pg_database as d on d.oid = l.database"
    " where not l.granted and d.datname = current_database()"
)
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("HARNESS_")}


def start(*arguments: str, dsn: str | None = None, cwd: Path = ROOT) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", *arguments, *(["--dsn", dsn] if dsn else [])]
    return subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def harness(*arguments: str, dsn: str | None = None, cwd: Path = ROOT) -> tuple[int, str, str]:
    process = start(*arguments, dsn=dsn, cwd=cwd)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def document(*arguments: str, dsn: str, status: int = 0, cwd: Path = ROOT) -> dict:
    code, out, err = harness(*arguments, "--json", dsn=dsn, cwd=cwd)
    assert code == status, err
    assert out.count("\n") == 1
    return json.loads(out)


def schemas(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("select nspname from pg_namespace where nspname !~ '^pg_'").fetchall()
    return {name for (name,) in rows}


@pytest.fixture
def small(harness_clone, harness_template):
    """DSN of a seeded database of 300 rows."""
    return harness_clone(harness_template(rows=300))


@pytest.fixture
def project(tmp_path):
    """A copy of the plan to spoil."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    return tmp_path


# ---------------------------------------------------------------- arguments


def test_help_lists_every_command_and_the_exit_statuses():
    _, out, _ = harness("--help")
    assert set(cli.commands) <= set(out.split())
    assert "Exit status" in out


def test_every_command_on_a_database_takes_dsn_plan_and_json():
    for name, command in cli.commands.items():
        # of what lies in a directory, or a group of commands
        if name in ("init", "report", "check", "merge", "bench", "page", "webhooks", "notify"):
            continue
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--plan" in options, name
        # What watch and metrics show has a form of its own: a screen, Prometheus' text.
        assert ("--json" in options) == (name not in ("watch", "metrics")), name
        assert "--dsn" in options or name == "gate"


def test_no_database_is_assumed():
    code, _, err = harness("status")
    assert code == 2
    assert "--dsn" in err


@pytest.mark.parametrize("dsn", ["postgresql://u:s3cret@[", "host=x password=s3cret nonsense"])
def test_an_unreadable_dsn_is_a_usage_error_that_keeps_the_secret(dsn):
    code, out, err = harness("status", dsn=dsn)
    assert code == 2
    assert "s3cret" not in out + err


def test_a_dsn_without_a_database_is_a_usage_error():
    code, _, err = harness("migrate", dsn="postgresql://user@127.0.0.1:1/")
    assert code == 2
    assert "names no database" in err


@pytest.mark.parametrize(
    "command", ["status", "migrate", "rollback", "cleanup", "fingerprint", "seed"]
)
def test_no_server_is_an_infrastructure_error_that_keeps_the_secret(command):
    code, out, err = harness(command, dsn="postgresql://user:s3cret@127.0.0.1:1/crm")
    assert code == 3
    assert len(err.strip().splitlines()) == 1
    assert "s3cret" not in out + err


def test_a_database_that_does_not_exist_is_an_infrastructure_error(harness_server):
    code, _, err = harness("migrate", dsn=harness_server.dsn("harness_nowhere"))
    assert code == 3
    assert "harness_nowhere" in err


# ---------------------------------------------------------------- the way there and back


def test_a_database_made_by_hand_goes_there_and_back(harness_empty_database, tmp_path):
    saved = str(tmp_path / "before.json")
    assert document("status", dsn=harness_empty_database)["state"] == "foreign"
    assert "companies" in str(document("baseline", dsn=harness_empty_database)["relations"])
    assert document("seed", "--rows", "300", dsn=harness_empty_database)["rows"] == 300
    assert document("status", dsn=harness_empty_database)["state"] == "clean"
    document("fingerprint", "--save", saved, dsn=harness_empty_database)

    migrated = document("migrate", dsn=harness_empty_database)
    assert (migrated["state"], migrated["resumed"]) == ("migrated", False)
    assert migrated["steps_run"]
    assert document("status", dsn=harness_empty_database)["state"] == "migrated"

    again = document("migrate", dsn=harness_empty_database)
    assert (again["state"], again["steps_run"]) == ("migrated", [])
    compared = document("fingerprint", "--compare", saved, dsn=harness_empty_database, status=1)
    assert compared["equal"] is False
    assert compared["differences"]

    back = document("rollback", dsn=harness_empty_database)
    assert back["state"] == "rolled-back"
    assert back["archived"] == {}
    assert document("fingerprint", "--compare", saved, dsn=harness_empty_database)["equal"] is True
    assert document("status", dsn=harness_empty_database)["state"] == "rolled-back"


def test_until_stops_there_and_status_says_partial(small, harness_plan):
    step = harness_plan.phases[0].steps[2].id
    assert document("migrate", "--until", step, dsn=small)["state"] == "partial"
    status = document("status", dsn=small)
    assert (status["state"], status["direction"]) == ("partial", "forward")
    assert status["phases"]["1.1"]["done"] == 3


def test_until_a_step_that_is_not_there_is_a_usage_error(small):
    code, _, err = harness("migrate", "--until", "9.9/000_nothing", dsn=small)
    assert code == 2
    assert "9.9/000_nothing" in err
    assert "migration_control" not in schemas(small)


def test_sigterm_stops_midway_and_the_next_run_resumes(small, harness_plan):
    with psycopg.connect(small) as blocker:
        blocker.execute("lock table deals in access share mode")  # holds the renaming back
        process = start("migrate", "--json", dsn=small)

        def waits():
            with psycopg.connect(small, autocommit=True) as watcher:
                return watcher.execute(WAITING).fetchone()

        wait_until(waits, 60, "the runner to wait for the lock")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert json.loads(out)["exit_status"] == 5
    resumed = document("migrate", dsn=small)
    assert (resumed["state"], resumed["resumed"]) == ("migrated", True)
    assert resumed["steps_skipped"]


# ---------------------------------------------------------------- refusals


def test_an_empty_database_is_refused_with_what_to_do(harness_empty_database):
    code, _, err = harness("migrate", dsn=harness_empty_database)
    assert code == 1
    assert "harness baseline" in err
    assert schemas(harness_empty_database) == {"public", "information_schema"}


def test_a_foreign_database_is_refused_and_left_alone(harness_empty_database):
    with psycopg.connect(harness_empty_database) as conn:
        conn.execute("create table deals (id int, precious text)")
    for command in ("migrate", "baseline", "seed", "rollback", "cleanup"):
        code, _, err = harness(command, dsn=harness_empty_database)
        assert code == 1, (command, err)
    assert schemas(harness_empty_database) == {"public", "information_schema"}


def test_seeding_twice_is_refused(small):
    code, _, err = harness("seed", "--rows", "10", dsn=small)
    assert code == 1
    assert "rows" in err


def test_rollback_of_what_was_never_migrated_does_nothing_or_says_so(small):
    code, out, err = harness("rollback", dsn=small)
    assert code in (0, 1)
    assert "clean" in out + err or "nothing" in out + err


def test_a_role_without_rights_is_refused_and_nothing_is_half_changed(small, harness_server):
    with psycopg.connect(small, autocommit=True) as conn:
        conn.execute("drop role if exists harness_powerless")
        conn.execute("create role harness_powerless login password 's3cret'")
    fields = psycopg.conninfo.conninfo_to_dict(small) | {
        "user": "harness_powerless",
        "password": "s3cret",
    }
    dsn = psycopg.conninfo.make_conninfo(**fields)
    code, out, err = harness("migrate", dsn=dsn)
    assert code == 1
    assert "harness_powerless" in err
    assert "s3cret" not in out + err
    assert "migration_control" not in schemas(small)


def test_another_runner_at_work_exits_4(small, project):
    toml = project / "sql" / "plan.toml"
    toml.write_text(toml.read_text().replace("before = true", "before = false"))
    with psycopg.connect(small) as blocker:
        blocker.execute("lock table deals in access exclusive mode")
        first = start("migrate", dsn=small, cwd=project)

        def waits():
            with psycopg.connect(small, autocommit=True) as watcher:
                return watcher.execute(WAITING).fetchone()

        wait_until(waits, 60, "the first runner to be at work")
        code, _, err = harness("migrate", dsn=small, cwd=project)
        blocker.rollback()
        first.communicate(timeout=120)
    assert code == 4, err
    assert first.returncode == 0


def test_rollback_after_the_window_is_refused_unless_overridden(
    harness_clone, harness_migrated_template
):
    dsn = harness_clone(harness_migrated_template(rows=300))
    age_completion(dsn, "49 hours")
    code, _, err = harness("rollback", dsn=dsn)
    assert code == 1
    assert "48" in err
    assert document("status", dsn=dsn)["state"] == "migrated"
    assert document("rollback", "--override-window", "drill", dsn=dsn)["state"] == "rolled-back"


def test_cleanup_before_its_time_is_refused_unless_overridden(
    harness_clone, harness_migrated_template
):
    dsn = harness_clone(harness_migrated_template(rows=300))
    code, _, err = harness("cleanup", dsn=dsn)
    assert code == 1
    assert "90" in err
    dropped = document("cleanup", "--override-retention", "drill", dsn=dsn)["dropped"]
    assert any("stage_backup" in name for name in dropped)
    code, _, err = harness("rollback", "--override-window", "too late", dsn=dsn)
    assert code == 1
    assert "clean" in err


def age_completion(dsn: str, interval: str) -> None:
    """Move the recorded completion back: the database's clock then says that the window closed."""
    with psycopg.connect(dsn) as conn:
        columns = conn.execute(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'migration_control' and data_type like 'timestamp%'"
            " and table_name = 'run'"
        ).fetchall()
        for table, column in columns:
            conn.execute(
                psycopg.sql.SQL("update migration_control.{} set {c} = {c} - {}::interval").format(
                    psycopg.sql.Identifier(table),
                    interval,
                    c=psycopg.sql.Identifier(column),
                )
            )


# ---------------------------------------------------------------- spoiled plans


def steps_of(project: Path) -> list[Path]:
    return sorted((project / "sql" / "phases").glob("*/*.forward.sql"))


def check_plan_is_refused(project: Path, dsn: str, *named: str) -> None:
    code, _, err = harness("migrate", dsn=dsn, cwd=project)
    assert code == 2, err
    for name in named:
        assert name in err
    assert "migration_control" not in schemas(dsn)


def test_a_missing_rollback_is_named(project, small):
    gone = steps_of(project)[3].with_name(
        steps_of(project)[3].name.replace(".forward.", ".rollback.")
    )
    gone.unlink()
    check_plan_is_refused(project, small, gone.name)


def test_a_duplicate_number_is_named(project, small):
    step = steps_of(project)[1]
    number = step.name.split("_")[0]
    for direction in ("forward", "rollback"):
        shutil.copy(
            step.with_name(step.name.replace("forward", direction)),
            step.with_name(f"{number}_again.{direction}.sql"),
        )
    check_plan_is_refused(project, small, f"{number}_again", number)


def test_a_syntax_error_is_named_with_file_and_line_before_anything_runs(project, small):
    step = steps_of(project)[4]
    text = step.read_text() + "\nselect 1;\nselct 2;\n"
    step.write_text(text)
    line = text.splitlines().index("selct 2;") + 1
    check_plan_is_refused(project, small, f"{step.name}:{line}", "42601")


def test_a_missing_plan_is_named(tmp_path, small):
    code, _, err = harness("migrate", dsn=small, cwd=tmp_path)
    assert code == 2
    assert "plan.toml" in err


def test_a_failing_statement_is_named_its_step_undone_the_phases_before_it_kept(project, small):
    step = next(path for path in steps_of(project) if "/1.2" in str(path))
    text = step.read_text() + "\ncreate table public.half ();\nselect 1 / 0;\nselect 3;\n"
    step.write_text(text)
    line = text.splitlines().index("select 1 / 0;") + 1
    code, _, err = harness("migrate", dsn=small, cwd=project)
    assert code == 1
    assert f"{step.name}:{line}" in err
    assert "22012" in err
    status = document("status", dsn=small, cwd=project)
    assert status["state"] == "partial"
    assert status["phases"]["1.1"]["done"] == status["phases"]["1.1"]["total"]
    with psycopg.connect(small) as conn:
        assert conn.execute("select to_regclass('public.half')").fetchone() == (None,)


def test_an_edited_file_is_refused_by_name_when_a_run_is_resumed(project, small):
    harness("migrate", "--until", "1.1", dsn=small, cwd=project)
    edited = steps_of(project)[0]
    edited.write_text(edited.read_text() + "\n-- a late thought\n")
    code, _, err = harness("migrate", dsn=small, cwd=project)
    assert code == 1
    assert edited.name in err


def test_dbname_is_read_back_from_every_kind_of_dsn():
    assert admin.dbname("postgresql://u@h/crm") == "crm"
    assert admin.dbname("host=h dbname=crm") == "crm"
