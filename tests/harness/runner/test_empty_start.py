"""A plan that makes its first table itself starts in an empty database; no other does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import Refused
from harness.crash.domain.environment.survey import holding, pinned_step
from harness.plan import Plan, load

FILES = {
    "plan.toml": 'format = 1\nname = "fresh"\nversion = "1"\n[[phase]]\nid = "1"\nname = "p"\n',
    "phases/1_p/010_t.forward.sql": "create table public.t as select 1 as a;",
    "phases/1_p/010_t.rollback.sql": "drop table public.t;",
}


def fresh(root: Path, baseline: str | None = None) -> Plan:
    """A plan of one step, with this baseline or none."""
    more = {} if baseline is None else {"baseline/010_b.sql": baseline}
    for name, text in (FILES | more).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(root)


def harness(plan: Plan, dsn: str, *arguments: str) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments, "--dsn", dsn, "--json"],
        env=os.environ | {"HARNESS_PLAN": str(plan.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_every_command_takes_it_from_nothing_and_back(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = fresh(tmp_path)

    def state(command: str, key: str = "state") -> object:
        status, told = harness(plan, harness_empty_database, command)
        assert status == 0, told
        return told[key]

    assert state("baseline", "relations") == []
    assert state("status") == "clean"
    assert state("dry-run", "verdict") == "pass"
    before = state("fingerprint", "catalog")
    assert state("migrate") == "migrated"
    assert state("rollback") == "rolled-back"
    assert state("fingerprint", "catalog") == before


NO_RELATION = [
    None,
    "-- nothing: it begins with nothing\n",
    "create schema app; grant usage on schema app to public;",
    "create function public.f() returns int language sql as 'select 1';",
    "SET statement_timeout = 0;\n\\restrict x\n\\unrestrict x\n",
]
RELATION = [
    "create table public.x (a int);",
    "create view public.x as select 1 as a;",
    "create materialized view public.x as select 1 as a;",
    "create schema app create table x (a int);",
    "select 1 as a into public.x;",
    "create type public.e as enum ('a');",
    "do $$ begin execute 'create table public.x (a int)'; end $$;",
]


@pytest.mark.parametrize("baseline", NO_RELATION)
def test_without_a_relation_in_its_baseline_it_starts_empty(
    baseline: str | None, tmp_path: Path, harness_empty_database: str
) -> None:
    plan = fresh(tmp_path, baseline)
    assert plan.starts_empty
    assert runner.baseline(harness_empty_database, plan) == []
    assert runner.status(harness_empty_database, plan).state == "clean"
    assert runner.migrate(harness_empty_database, plan).state == "migrated"


@pytest.mark.parametrize("baseline", RELATION)
def test_with_a_relation_in_its_baseline_an_empty_database_is_refused(
    baseline: str, tmp_path: Path, harness_empty_database: str
) -> None:
    plan = fresh(tmp_path, baseline)
    assert not plan.starts_empty
    found = runner.status(harness_empty_database, plan)
    assert (found.reason, found.next) == ("the database is empty", "harness baseline")
    with pytest.raises(Refused, match="run `harness baseline`"):
        runner.migrate(harness_empty_database, plan)
    runner.baseline(harness_empty_database, plan)
    assert runner.migrate(harness_empty_database, plan).state == "migrated"


def test_an_exploration_finds_no_table_to_hold(tmp_path: Path, harness_empty_database: str) -> None:
    with holding(harness_empty_database, fresh(tmp_path)):
        assert pinned_step(harness_empty_database, ended=lambda: True) is None
