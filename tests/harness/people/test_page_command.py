"""`harness page` from outside: a run from begin to 100%, and a page that outlives its database."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from click.testing import CliRunner

from harness import runner
from harness.cli.main import cli
from harness.core.errors import HarnessError
from harness.core.poll import wait_until
from harness.plan import load
from tests.harness.support.runner import SmallPlan, run_sql

WINDOW = """format = 1
id = "harvest"
title = "Accounts get a new home"
zone = "Europe/Zurich"
start = 2031-03-15T22:00:00
end = 2031-03-15T23:30:00
support = "support@example.com"

[[checklist]]
id = "desk"
text = "The front desk has been told"

[[checklist]]
id = "rows"
text = "Every row has been compared"
by = "verify"
"""
SECRET = "s3cret-Word"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    small = SmallPlan(tmp_path)
    small.write("window.toml", WINDOW)
    return tmp_path / "plan.toml"


def harness(plan: Path, *arguments: str, dsn: str = "") -> tuple[int, str, str]:
    """Run a command in this process: exit status, output, and the error's sentence."""
    database = ["--dsn", dsn] if dsn else []
    done = CliRunner().invoke(cli, [*arguments, "--plan", str(plan), *database])
    error = done.exception
    if isinstance(error, HarnessError):
        return error.exit_status, done.stdout, f"{done.stderr}error: {error}"
    assert error is None or isinstance(error, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def built(plan: Path, dsn: str) -> tuple[str, int | None]:
    site = str(plan.parent / "site")
    status, out, err = harness(plan, "page", "build", "--to", site, "--json", dsn=dsn)
    assert status == 0, err
    found = json.loads(out)
    feed = json.loads((plan.parent / "site/api/v2/summary.json").read_text())["migration"]
    assert (feed["state"], feed["percent"]) == (found["state"], found["percent"])
    return found["state"], found["percent"]


def test_a_run_is_at_100_once_verify_has_kept_its_verdict_and_no_sooner(
    plan: Path, harness_empty_database: str
) -> None:
    dsn = harness_empty_database
    loaded = load(plan)
    runner.baseline(dsn, loaded)
    assert built(plan, dsn) == ("scheduled", None)
    state = str(plan.parent / "page-state")
    status, _, err = harness(plan, "verify", "--page", state, dsn=dsn)
    assert status == 1
    assert "the page gets no verdict" in err
    runner.migrate(dsn, loaded, until="1.1/010_column")
    assert built(plan, dsn) == ("running", 33)
    runner.migrate(dsn, loaded)
    assert built(plan, dsn) == ("running", 99)
    _, out, _ = harness(plan, "verify", "--page", state, "--json", dsn=dsn)
    verdict = json.loads(out)["verdict"]
    assert built(plan, dsn) == (("done", 100) if verdict == "pass" else ("running", 99))
    kept = plan.parent / "page-state/verified.json"
    kept.write_text(kept.read_text().replace(f'"{verdict}"', '"pass"'))
    assert built(plan, dsn) == ("done", 100)
    runner.rollback(dsn, loaded)
    assert built(plan, dsn) == ("rolled_back", 100)


SECRETS = [f"Planted-{number:02}" for number in range(20)]
ROWS = "UPDATE public.things SET name = 'Planted-0' || id % 4"
LEDGER = """
INSERT INTO migration_control.event (run_id, kind, step, message)
  SELECT id, kind, 'Planted-' || n, 'DETAIL: Key (name)=(Planted-' || n + 3 || ')'
  FROM migration_control.run, generate_series(10, 11) AS n,
    unnest(ARRAY['step_failed', 'retry']) AS kind;
UPDATE migration_control.run SET reason = 'Planted-16', client = 'Planted-17';
COMMENT ON TABLE public.things IS 'Planted-18'
"""


def leaks(directory: Path) -> list[tuple[str, str]]:
    """Which secret stands in which file."""
    files = {path.name: path.read_text() for path in directory.rglob("*") if path.is_file()}
    return [(name, one) for name, text in files.items() for one in SECRETS if one in text]


def test_no_secret_of_the_database_is_in_any_file_of_the_page(
    plan: Path, harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, loaded = harness_empty_database, load(plan)
    runner.baseline(dsn, loaded)
    run_sql(dsn, ROWS)
    runner.migrate(dsn, loaded, until="1.1/020_fill")
    for statement in LEDGER.split(";"):
        run_sql(dsn, statement)
    people = plan.parent / "Planted-07.csv"
    people.write_text("address\nPlanted-08@example.com\nPlanted-09@example.com\n")
    named = WINDOW.replace("support =", f'audience = "{people.name}"\nsupport =', 1)
    (plan.parent / "window.toml").write_text(named)
    monkeypatch.setenv("HARNESS_PAGE_TOKENS", "Planted-19 Planted-19-and-longer")
    monkeypatch.setenv("PGAPPNAME", "Planted-06")
    shown = built(plan, psycopg.conninfo.make_conninfo(dsn, application_name="Planted-05"))
    assert shown == ("running", 66)
    wrong = psycopg.conninfo.make_conninfo(dsn, password="Planted-04", user="Planted-15")
    again = ("page", "build", "--to", str(plan.parent / "again"))
    assert harness(plan, *again, dsn=wrong)[0] == 3
    assert leaks(plan.parent / "site") == leaks(plan.parent / "again") == []
    (plan.parent / "window.toml").write_text(named.replace("Every row", "Planted-02"))
    built(plan, dsn)
    assert ("index.html", "Planted-02") in leaks(plan.parent / "site")  # the search finds one


@contextmanager
def page(plan: Path, dsn: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`harness page serve`, and its address."""
    child = subprocess.Popen(
        [sys.executable, "-m", "harness", "page", "serve", "--port", "0", "--plan", str(plan)],
        stderr=subprocess.PIPE, text=True, cwd=plan.parent, env=os.environ | {"HARNESS_DSN": dsn},
    )  # fmt: skip
    try:
        assert child.stderr is not None
        address = next(line.strip() for line in child.stderr if line.startswith("http://"))
        yield child, address
    finally:
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)


def migration(address: str) -> dict[str, Any]:
    found = httpx.get(f"{address}api/v2/summary.json").json()["migration"]
    assert isinstance(found, dict)
    return found


def test_a_page_outlives_its_database_and_ends_in_order(
    plan: Path, harness_empty_database: str
) -> None:
    dsn, loaded = harness_empty_database, load(plan)
    runner.baseline(dsn, loaded)
    runner.migrate(dsn, loaded, until="1.1/010_column")
    with page(plan, dsn) as (child, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        wait_until(lambda: migration(address)["percent"] == 33, 120, "a first look")
        name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
        away(dsn, str(name), allowed=False)
        try:
            wait_until(lambda: migration(address)["stale"], 120, "the reading to grow old")
            text = httpx.get(address).text
            assert "The work was last seen" in text
            assert "33%" in text
            assert str(name) not in text
        finally:
            away(dsn, str(name), allowed=True)
        wait_until(lambda: not migration(address)["stale"], 120, "the database to be seen again")
    assert child.returncode == 0


def away(dsn: str, name: str, *, allowed: bool) -> None:
    """Let nobody into a database, or let them in again."""
    admin = psycopg.conninfo.make_conninfo(dsn, dbname="postgres")
    run_sql(admin, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {str(allowed).lower()}')
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
    if not allowed:
        run_sql(admin, ended.format(name))


def test_a_page_is_built_while_no_server_answers_and_says_so_without_the_secret(plan: Path) -> None:
    dsn = f"postgresql://user:{SECRET}@127.0.0.1:1/shop"
    site = str(plan.parent / "site")
    status, out, err = harness(plan, "page", "build", "--to", site, "--json", dsn=dsn)
    assert (status, out) == (3, "")
    assert "the page was written" in err
    text = (plan.parent / "site/index.html").read_text()
    assert "could not be seen yet" in text
    assert SECRET not in out + err + text
    status, _, err = harness(plan, "page", "tick", "desk", "--by", "Ana", dsn=dsn)
    assert status == 3
    assert "no connection" in err
    assert not (plan.parent / "page-state/ticks.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["build", "--to", "{here}/plan.toml"], 2, "is a file"),
        (["build", "--to", "{here}/site", "--window", "{here}/nix.toml"], 2, "nix.toml"),
        (["tick", "rows", "--by", "Ana"], 1, "ticked by `harness verify` alone"),
        (["tick", "nix", "--by", "Ana"], 1, "no item 'nix'"),
        (["serve", "--tokens", "{here}/nix"], 2, "the tokens cannot be read"),
        (["serve", "--host", "192.0.2.1", "--port", "0"], 3, "cannot be listened to"),
    ],
)
def test_bad_input_is_one_sentence(
    plan: Path, arguments: list[str], status: int, said: str
) -> None:
    given = [one.format(here=plan.parent) for one in arguments]
    found, _, err = harness(plan, "page", *given)
    assert (found, said in err) == (status, True), err
