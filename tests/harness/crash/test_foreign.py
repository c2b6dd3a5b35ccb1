"""Runs that are not ours: a good runner passes, and each way of being bad is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.crash import explore
from harness.crash.settings import CrashSettings
from harness.database import dump
from harness.document.crash import CrashDocument
from harness.server import Server
from harness.subject.command import CommandSubject

MADE = "create table public.made (id int primary key); insert into public.made values (1), (2);"
KNOWN = "select exists (select from public.versions where version = 1) as known \\gset\n"
NOTED = "insert into public.versions values (1);"
GOOD = f"begin;\n{KNOWN}\\if :known\n\\else\n{MADE}\n{NOTED}\n\\endif\ncommit;\n"
DOWN = "begin; drop table if exists public.made; delete from public.versions; commit;"
TWICE = GOOD.replace(NOTED, f"commit; begin; {NOTED}")
FORGETFUL = (
    "create table if not exists public.made (id int primary key);\n"
    f"{KNOWN}select count(*) > 1 as full from public.made \\gset\n"
    "\\if :full\n\\else\n"
    f"begin; insert into public.made values (1), (2); commit; {NOTED}\n\\endif\n"
)
ELSEWHERE = f"{KNOWN}\\connect\n{GOOD}"
LOCKED = (
    "select exists (select from public.locks where held) as held \\gset\n"
    "\\if :held\n\\! sleep 600\n\\endif\nupdate public.locks set held = true;\n"
    f"{GOOD}update public.locks set held = false;\n"
)
BASE = """
create table public.versions (version int primary key);
create table public.locks (held bool); insert into public.locks values (false);
"""

Explore = Callable[..., CrashDocument]


@pytest.fixture
def explored(harness_server: Server, tmp_path: Path) -> Explore:
    """Explore a psql script that migrates, and another that goes back."""
    dsn = harness_server.dsn()
    psql = dump.program("psql", harness_server.version, dsn).path
    command = f"{psql} -X -q -v ON_ERROR_STOP=1 -d {{dsn}}"
    (tmp_path / "base.sql").write_text(BASE)

    def run(
        up: str, down: str | None = None, *, around: str = "{}", more: Any = None, **choice: Any
    ) -> CrashDocument:
        (tmp_path / "up.sql").write_text(up)
        (tmp_path / "down.sql").write_text(down or "")
        (tmp_path / "unlock.sql").write_text("update public.locks set held = false")
        subject = CommandSubject(
            up=around.format(f"{command} -f up.sql"),
            down=f"{command} -f down.sql" if down else None,
            baseline=(tmp_path / "base.sql",),
            root=tmp_path,
            own_tables=("public.versions", "public.locks"),
            trusted=True,
            walled=False,
        )
        subject = replace(subject, **(more or {}))
        if "unlock" in (more or {}):
            subject = replace(subject, unlock=f"{command} -f unlock.sql")
        ways: Any = ("forward", "rollback") if down else ("forward",)
        chosen = {"domains": ("wire",), "directions": ways, "faults": ("sigkill",), **choice}
        settings = CrashSettings(subject=subject, rows=0, build=None, **chosen)
        return explore.run_on(harness_server, settings, subject)

    return run


def reasons(document: CrashDocument) -> str:
    return "\n".join(failure.reason for failure in document.failures)


def test_good_runner_passes_in_both_domains_and_directions(explored: Explore) -> None:
    found = explored(GOOD, DOWN, domains=("wire", "wal", "pinned"), faults=(), points=24)
    assert (found.verdict, reasons(found)) == ("pass", "")
    assert {(row.domain, row.direction) for row in found.rows} == {
        (domain, way) for domain in ("wire", "wal") for way in ("forward", "rollback")
    }
    assert {row.fault for row in found.rows} >= {"cut", "unheard", "sigkill", "recovered"}
    absent = {each.domain: each.reason for each in found.not_applicable}
    assert absent["pinned"] == "it needs a ledger and steps, and the runs of a command have none"
    (note,) = [each for each in found.notes if each.boundary == "bounds"]
    assert "was killed" in note.reason


def test_account_of_its_own_transaction_is_found_by_the_log(explored: Explore) -> None:
    found = explored(TWICE, domains=("wal",), faults=())
    (failure,) = found.failures
    assert failure.boundary == "commit-1"
    said = 'create table public.made (id int primary key): relation "made" already exists (42P07)'
    assert said in failure.reason


def test_work_that_is_done_and_not_accounted_for_is_found(explored: Explore) -> None:
    said = "it should say: public.locks has false; public.versions has 1"
    assert said in reasons(explored(FORGETFUL))


def test_success_that_is_none_is_found(explored: Explore) -> None:
    found = explored(GOOD, around="/bin/sh -c '{} || true'", faults=("cut",), points=4)
    assert "the struck run ended with 0, as if all was done" in reasons(found)


def test_boundaries_are_the_commits_whose_answer_is_lost(explored: Explore) -> None:
    found = explored(TWICE, faults=(), points=1, boundaries=True)
    lost = [row for row in found.rows if row.fault == "unheard"]
    assert {row.step for row in lost} >= {"commit-1", "commit-2"}
    assert 'relation "made" already exists' in reasons(found)  # whatever else the sample has
    assert len(found.rows) <= len({row.step for row in found.rows}) + 1


def test_messages_are_named_by_connection(explored: Explore) -> None:
    found = explored(ELSEWHERE)
    assert found.verdict == "pass"
    assert {row.boundary.partition("-")[0] for row in found.rows} == {"c1", "c2"}


def test_killed_run_that_left_its_lock_does_not_end(explored: Explore) -> None:
    found = explored(LOCKED, more={"limit": 2.0}, points=3)
    assert "resume: the run did not end within 2 s" in reasons(found)


def test_unlocking_comes_before_resuming(explored: Explore) -> None:
    assert explored(LOCKED, more={"limit": 5.0, "unlock": ""}, points=3).verdict == "pass"


def test_way_back_that_leaves_something_is_said_and_not_struck(explored: Explore) -> None:
    found = explored(GOOD, "delete from public.versions;", points=2)
    assert "does not lead to what was before" in reasons(found)
    assert {row.direction for row in found.rows} == {"forward"}


def test_without_a_way_back_there_is_nothing_to_strike_there(explored: Explore) -> None:
    found = explored(GOOD, directions=("forward", "rollback"), points=2)
    assert found.verdict == "pass"
    absent = {(each.direction, each.reason) for each in found.not_applicable}
    assert ("rollback", "the subject has no way back") in absent
