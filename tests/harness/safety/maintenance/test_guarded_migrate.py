"""`harness migrate --maintenance`: the application is read-only while it runs, and writes after."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from harness.core.poll import wait_until
from harness.safety.maintenance import read_status
from tests.harness.safety.maintenance.test_barrier import WRITES
from tests.harness.support.backup import ENVIRONMENT
from tests.harness.support.maintenance import REFUSED, Shop, refusal
from tests.harness.support.runner import ask, plan_of

RULES = '[maintenance]\nlease = "2s"\nroles = ["{role}"]\n'
DRAIN = RULES.replace("2s", "15s") + '[drain]\nwait = "10s"\n'
SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname = 'migration_maintenance'"
SLOW = "SELECT pg_catalog.pg_sleep(600); ALTER TABLE public.pets ADD COLUMN age integer;"
QUICK = "ALTER TABLE public.pets ADD COLUMN age integer;"
WRONG = "ALTER TABLE public.pets ADD COLUMN name integer;"


def plan(shop: Shop, root: Path, forward: str, rules: str = RULES) -> Path:
    path = plan_of(root, (forward, "ALTER TABLE public.pets DROP COLUMN IF EXISTS age;")).path
    path.write_text(path.read_text() + rules.format(role=shop.role))
    return path


def started(shop: Shop, path: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", "migrate", "--maintenance", "--json"]
    return subprocess.Popen(
        [*command, *more, "--dsn", shop.dsn, "--plan", str(path)], cwd=path.parent, env=ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_sessions_are_drained_and_the_application_writes_after(shop: Shop, tmp_path: Path) -> None:
    with shop.client() as conn:
        process = started(shop, plan(shop, tmp_path, QUICK, DRAIN))
        out, err = process.communicate()
        assert process.returncode == 0, err
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")
    document = json.loads(out)
    assert document["state"] == "migrated"
    found = document["maintenance"]
    assert (found["roles"], found["tables"], found["findings"]) == ([shop.role], 4, [])
    assert found["drain"]["terminated"] == 1
    assert shop.refusal(WRITES["insert"]) is None
    assert ask(shop.dsn, SCHEMAS) == 0


def test_a_run_that_fails_lets_the_application_write(shop: Shop, tmp_path: Path) -> None:
    process = started(shop, plan(shop, tmp_path, WRONG))
    _, err = process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in err
    assert shop.refusal(WRITES["insert"]) is None
    assert ask(shop.dsn, SCHEMAS) == 0


@pytest.mark.parametrize(
    ("section", "more", "said"),
    [
        ('[preflight]\nforbids = ["public.pets"]\n', [], "these are there already: public.pets"),
        ("", ["--until", "9.9"], "9.9"),
    ],
)
def test_a_run_that_is_refused_never_closes_the_application(
    shop: Shop, tmp_path: Path, section: str, more: list[str], said: str
) -> None:
    process = started(shop, plan(shop, tmp_path, QUICK, f"{RULES}{section}"), *more)
    out, err = process.communicate()
    assert process.returncode in (1, 2)
    assert said in out + err
    assert "maintenance: on" not in err
    assert ask(shop.dsn, SCHEMAS) == 0


def test_a_run_that_is_killed_lets_the_application_write_again(shop: Shop, tmp_path: Path) -> None:
    process = started(shop, plan(shop, tmp_path, SLOW))
    try:
        request = shop.request()
        wait_until(lambda: read_status(shop.dsn, request).state == "on", 120, "maintenance")
        with shop.client() as conn:
            wait_until(lambda: refusal(conn, WRITES["update"]) == REFUSED, 60, "a renewed lease")
            process.send_signal(signal.SIGKILL)
            until = read_status(shop.dsn, request).until
            wait_until(lambda: refusal(conn, WRITES["insert"]) is None, 120, "the lease's end")
            assert ask(shop.dsn, f"SELECT clock_timestamp() >= '{until}'")
    finally:
        process.kill()
        process.communicate()
