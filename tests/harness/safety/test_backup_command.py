"""The commands keep the secret, answer with one document and clean up when stopped."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from harness.core.poll import wait_until
from harness.database import admin
from harness.safety import proof
from harness.safety.backup import backup
from tests.harness.support.backup import ENVIRONMENT, ROOT, SECRET, command, harness, scratches
from tests.harness.support.runner import ask, run_sql

if TYPE_CHECKING:
    from harness.server import Server


def test_the_command_line_answers_with_one_document_and_keeps_the_secret(
    things: str, target: str, role: str, tmp_path: Path
) -> None:
    run_sql(things, f"ALTER ROLE {role} SUPERUSER")
    answers = []
    for verb, option, dsn in (("backup", "--to", things), ("restore", "--from", target)):
        named = psycopg.conninfo.make_conninfo(dsn, user=role, password=SECRET)
        status, out, err = harness(verb, option, tmp_path, "--json", dsn=named)
        assert status == 0, err
        assert SECRET not in out + err
        answers.append(json.loads(out))
        assert out.count("\n") == 1
    assert [answer["verdict"] for answer in answers] == ["pass", "pass"]
    assert answers[0]["fingerprint"] == answers[1]["fingerprint"]
    assert answers[0]["files"] == answers[1]["files"]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept


@pytest.mark.parametrize(("verb", "option"), [("backup", "--to"), ("restore", "--from")])
def test_no_database_no_directory_and_no_server_have_their_exit_statuses(
    verb: str, option: str, tmp_path: Path
) -> None:
    nowhere = f"postgresql://user:{SECRET}@127.0.0.1:1/crm"
    status, _, err = harness(verb, dsn=nowhere)
    assert status == 2
    assert option in err
    status, out, err = harness(verb, option, tmp_path / "new", dsn=nowhere)
    assert status == (3 if verb == "backup" else 2)
    assert SECRET not in out + err
    assert not (tmp_path / "new").exists()


@contextmanager
def started(directory: Path, dsn: str) -> Iterator[subprocess.Popen[str]]:
    """A backup in a process of its own, which is gone when the block has ended."""
    process = subprocess.Popen(
        command("backup", "--to", directory, dsn=dsn), cwd=ROOT, env=ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


LOCK_BEFORE_PG_DUMP = """
DO $$ BEGIN
  LOOP  -- in the server: it has the lock asked for before pg_dump does
    PERFORM pg_stat_clear_snapshot();
    EXIT WHEN EXISTS (SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'pg_dump');
  END LOOP;
  LOCK TABLE public.things IN ACCESS EXCLUSIVE MODE;
END $$
"""


@contextmanager
def in_its_way(things: str) -> Iterator[Callable[[], None]]:
    """Somebody who asks for a lock as soon as pg_dump is there, which then waits behind him; gives
    what waits until it does."""
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'pg_dump' AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(things) as conn, ThreadPoolExecutor() as pool:
        asked = pool.submit(conn.execute, LOCK_BEFORE_PG_DUMP)

        def wait() -> None:
            wait_until(lambda: ask(things, waiting), 60, "pg_dump at its lock")
            assert not asked.done()

        def given_up() -> bool:
            conn.cancel()
            return asked.done()

        try:
            yield wait
        finally:
            wait_until(given_up, 60, "the end of the request")


def test_a_password_is_on_no_command_line_of_the_programs(
    things: str, role: str, tmp_path: Path
) -> None:
    run_sql(things, f"ALTER ROLE {role} SUPERUSER")
    secret = psycopg.conninfo.make_conninfo(things, user=role, password=SECRET)
    with ExitStack() as stack:
        with in_its_way(things) as wait:
            process = stack.enter_context(started(tmp_path, secret))
            wait()
            children = psutil.Process(process.pid).children(recursive=True)
            seen = [" ".join(child.cmdline()) for child in children]
        out, err = process.communicate(timeout=60)
    assert any("--format=directory" in line for line in seen)
    assert all(SECRET not in line for line in seen)
    assert process.returncode == 0, err
    assert SECRET not in out + err


def test_a_stopped_backup_leaves_no_directory(things: str, tmp_path: Path) -> None:
    with in_its_way(things) as wait, started(tmp_path / "new", things) as process:
        wait()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5
    (line,) = [line for line in err.splitlines() if line.startswith("error")]  # not of progress
    assert "stopped by a signal" in line
    assert not (tmp_path / "new").exists()


def at_its_proof(things: str, directory: Path, stack: ExitStack) -> subprocess.Popen[str]:
    """A backup that is at work in its scratch database, and will be for ten minutes."""
    here = admin.dbname(things)
    pause = f"CASE current_database() WHEN '{here}' THEN 0 ELSE 600 END"
    run_sql(things, f"CREATE MATERIALIZED VIEW public.slow AS SELECT pg_sleep({pause})::text AS a")
    sleeping = (
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND starts_with(datname, %s)"
    )
    process = stack.enter_context(started(directory, things))
    theirs = f"{proof.SCRATCH.prefix}_{process.pid}_"
    wait_until(lambda: ask(things, sleeping, theirs), 60, "the scratch database at work")
    return process


def test_a_backup_stopped_in_its_proof_drops_the_scratch_database(
    things: str, harness_server: Server, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        process = at_its_proof(things, tmp_path, stack)
        assert scratches(harness_server, process.pid) == 1
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert scratches(harness_server, process.pid) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_scratch_database_of_a_killed_backup_is_dropped_by_the_next(
    things: str, harness_server: Server, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        process = at_its_proof(things, tmp_path / "killed", stack)
    run_sql(things, "DROP MATERIALIZED VIEW public.slow")
    lives = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
    wait_until(lambda: not ask(things, lives, proof.SCRATCH.lock_class), 60, "the end of its lock")
    assert backup(things, tmp_path / "next").verdict == "pass"
    assert scratches(harness_server, process.pid) == 0
