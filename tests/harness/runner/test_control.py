"""The operator's hand: a run at work is paused, goes on, is stopped and retuned; others may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from harness import runner
from harness.cli.main import cli
from harness.core.errors import Refused, Stopped, UsageError
from harness.database import admin
from harness.plan import RunnerSettings
from harness.runner.batch_step import Sizer
from harness.runner.control import Action, control
from harness.runner.control_row import Control
from harness.runner.outcome import Event
from tests.harness.support.runner import SmallPlan, ask, child, prepared, prepared_to_fill, run_sql

BATCHES = "SELECT batches FROM migration_control.step WHERE step = '1.1/020_fill'"


class Hand:
    """Asks something of a run once, when it hears an event of a kind; keeps all it heard."""

    def __init__(self, dsn: str, at: str, action: Action, lasting: float = 60.0) -> None:
        self._ask = [(at, action, lasting)]
        self._dsn = dsn
        self.heard = list[Event]()

    def then(self, at: str, action: Action) -> Hand:
        self._ask.append((at, action, 60.0))
        return self

    def __call__(self, event: Event) -> None:
        self.heard.append(event)
        if self._ask and event.kind == self._ask[0][0]:
            _, action, lasting = self._ask.pop(0)
            control(self._dsn, action, {}, lasting)


def kinds(hand: Hand) -> list[str]:
    return [event.kind for event in hand.heard]


@pytest.mark.parametrize("at", ["batch", "step_started"])
def test_a_paused_run_waits_and_goes_on(
    at: str, tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    hand = Hand(harness_empty_database, at, "pause").then("paused", "resume")
    assert runner.migrate(harness_empty_database, plan, on_event=hand).state == "migrated"
    found = kinds(hand)
    assert found.index("paused") == found.index(at) + 1
    assert found.index("pause_ended") == found.index("paused") + 1
    assert hand.heard[found.index("paused")].message.startswith("paused by postgres (")


def test_a_pause_ends_by_itself(tmp_path: Path, harness_empty_database: str) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    hand = Hand(harness_empty_database, "batch", "pause", 0.2)
    assert runner.migrate(harness_empty_database, plan, on_event=hand).state == "migrated"
    assert ask(harness_empty_database, BATCHES) == 3


def test_a_stop_is_meant_for_the_runner_at_work_and_the_run_resumes(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    hand = Hand(harness_empty_database, "batch", "stop")
    with pytest.raises(Stopped, match=r"stopped by postgres \(.*with harness control") as stopped:
        runner.migrate(harness_empty_database, plan, on_event=hand)
    assert stopped.value.exit_status == 5
    assert ask(harness_empty_database, BATCHES) == 1
    with pytest.raises(Refused, match="no runner is at work: there is nothing to stop"):
        control(harness_empty_database, "stop", {})
    assert runner.migrate(harness_empty_database, plan).resumed
    noted = "SELECT message FROM migration_control.event WHERE kind = 'control'"
    assert ask(harness_empty_database, noted).startswith("stop for 60 s by postgres (")


def test_a_paused_run_that_was_killed_is_paused_when_it_is_resumed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    control(harness_empty_database, "pause", {}, 600.0)
    with child("migrate", harness_empty_database, plan) as run:
        run.event("paused")
        run.kill()
    hand = Hand(harness_empty_database, "paused", "resume")
    assert runner.migrate(harness_empty_database, plan, on_event=hand).state == "migrated"
    assert "paused" in kinds(hand)


def test_other_settings_hold_from_the_next_batch_on(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    control(harness_empty_database, "set", {"batch_rows": "100", "lock_timeout": "3s"})
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert ask(harness_empty_database, BATCHES) == 7  # one of 400, then hundreds
    sizer = Sizer(RunnerSettings(), None)
    sizer.retune(RunnerSettings(batch_rows=7))
    assert sizer.rows == 7


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("batch_rows", "0", "batch_rows is from 1 to 1,000,000, not 0"),
        ("batch_rows", "1e9", "batch_rows is a whole number, not '1e9'"),
        ("batch_rows", "\uff19", "batch_rows is a whole number"),
        ("batch_rows", "9" * 30, "batch_rows is a whole number"),
        ("lock_timeout", "1h", "lock_timeout is a time from 0.01 s to 600 s, not 1h"),
        ("lock_timeout", "0", "lock_timeout is a time from"),
        ("retry", "1", "'retry' cannot be set on a run at work"),
    ],
)
def test_a_setting_has_bounds(key: str, value: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        control("postgresql://nobody@127.0.0.1:1/none", "set", {key: value})
    assert Control.read(json.dumps({key: value})).settings == {}  # a row that was written by hand


def test_nothing_can_be_asked_of_a_run_that_is_not_under_way(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    with pytest.raises(Refused, match="no run is under way: the database is clean"):
        control(harness_empty_database, "pause", {})
    runner.migrate(harness_empty_database, plan)
    with pytest.raises(Refused, match="no run is under way: the database is migrated"):
        control(harness_empty_database, "pause", {})
    with pytest.raises(UsageError, match="at most 24h"):
        control(harness_empty_database, "pause", {}, 90_000.0)


@pytest.fixture
def granted(role: str, harness_empty_database: str) -> Iterator[str]:
    """A role that default privileges and later grants give every right on every table."""
    run_sql(
        harness_empty_database,
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role};"
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO {role}",
    )
    yield role
    run_sql(harness_empty_database, f"DROP OWNED BY {role}")


def test_no_other_role_asks_anything_of_a_run_whatever_it_is_granted(
    granted: str, tmp_path: Path, harness_empty_database: str
) -> None:
    prepared_to_fill(tmp_path, harness_empty_database)
    dsn = harness_empty_database
    reaches = "SELECT has_table_privilege(%s, 'migration_control.control', 'INSERT')"
    assert ask(dsn, reaches, granted) is False
    run_sql(
        dsn,
        f"GRANT ALL ON SCHEMA migration_control TO {granted};"
        f"GRANT ALL ON ALL TABLES IN SCHEMA migration_control TO {granted}",
    )
    other = make_conninfo(dsn, user=granted, password=_password())
    with pytest.raises(Refused, match=f"role {granted} may not control the run: its ledger is pos"):
        control(other, "pause", {})
    with psycopg.connect(other) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(
            "INSERT INTO migration_control.control (run_id, key, value, epoch, until, set_by)"
            " VALUES (1, 'stop', 'me', 1, 'infinity', 'me')"
        )


def _password() -> str:
    from tests.harness.support.backup import SECRET

    return SECRET


def test_the_command_answers_in_lines_and_as_one_document(
    tmp_path: Path, harness_empty_database: str
) -> None:
    SmallPlan(tmp_path)
    prepared_to_fill(tmp_path, harness_empty_database)
    asked = CliRunner().invoke(
        cli,
        ["control", "pause", "--for", "10min", "--json", "--dsn", harness_empty_database],
    )
    document = json.loads(asked.stdout)
    assert (document["state"], document["at_work"]) == ("partial", False)
    assert [row["key"] for row in document["control"]] == ["pause"]
    for words in (["set"], ["pause", "batch_rows=1"], ["set", "batch_rows"]):
        refused = CliRunner().invoke(cli, ["control", *words, "--dsn", harness_empty_database])
        assert isinstance(refused.exception, UsageError)


def test_a_run_on_a_ledger_of_before_hears_nothing_until_it_is_resumed(
    harness_empty_database: str,
) -> None:
    stored = Path(__file__).with_name("ledgers")
    for name in ("format_1", "forward_in_a_batch"):
        run_sql(harness_empty_database, (stored / f"{name}.sql").read_text("utf-8"))
    with pytest.raises(Refused, match="ledger is of version 1, which hears no control"):
        control(harness_empty_database, "pause", {})
    assert admin.dbname(harness_empty_database)
