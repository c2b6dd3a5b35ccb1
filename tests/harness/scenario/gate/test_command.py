"""The gate of a command: GO for a good one, and NO-GO with its cause for each planted defect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.database import dump
from harness.document.verdict import VerdictDocument
from harness.scenario.gate import discover
from harness.scenario.gate.discovery import Suites
from harness.server import Server
from harness.subject.project import find_project
from harness.subject.scaffold import make_start
from tests.harness.scenario.gate.test_people import gate, said, words
from tests.harness.support.commands import make_command_project
from tests.harness.support.people import stand_in, write

SHIPPED = {"dry_run", "forward", "rollback", "crash", "benchmark"}
FORGETFUL = """
select exists (select from public.versions where version = 1) as known \\gset
\\if :known
\\else
delete from public.item where id > 40;
create table public.made (id int primary key);
insert into public.versions values (1);
\\endif
"""
"""It loses rows, and half of it is committed before its account says so."""


@pytest.fixture
def psql(harness_server: Server) -> str:
    return str(dump.program("psql", harness_server.version, harness_server.dsn()).path)


def found(root: Path) -> Suites:
    return discover(None, root, find_project(root))


def reasons(document: VerdictDocument) -> str:
    return "\n".join(f"{one.id}: {one.message} {one.evidence}" for one in document.findings)


def test_a_good_command_is_go_and_what_it_lacks_is_listed(tmp_path: Path, psql: str) -> None:
    root = make_command_project(tmp_path, psql)
    make_start(root)
    stand_in(root, "crash")  # which good commands pass it is tried where it lives
    document = gate(root)
    assert (document.verdict, list(document.reasons)) == ("GO", []), reasons(document)
    assert set(words(document)) == {*SHIPPED, "claims"}
    absent = {one.name: one.reason for one in document.not_applicable or ()}
    lacking = {"validation", "verify", "security", "contract", "api", "cleanup", "resume", "live"}
    lacking |= {"acceptance", "maintenance", "artifacts", "webhooks", "people"}
    assert set(absent) == lacking
    assert "no checkpoints" in absent["resume"]
    assert document.plan.name.endswith("-f up.sql")
    assert document.source.objects
    assert {one.name for one in document.evidence} == SHIPPED


def test_planted_defects_of_a_command_are_no_go_and_each_is_named(
    tmp_path: Path, psql: str
) -> None:
    document = gate(make_command_project(tmp_path, psql, FORGETFUL, "drop table public.made;"))
    assert document.verdict == "NO-GO"
    told = words(document)
    assert told.pop("benchmark") == "pass"  # it loses rows, and slows nothing
    assert set(told.values()) == {"fail"}
    assert re.search(r"table public\.item lost \d+ of \d+ rows", said(document, "forward"))
    assert "data table public.item" in said(document, "rollback")
    assert "by its own account it was at" in reasons(document)
    assert 'relation "made" already exists (42P07)' in reasons(document)
    assert any(one.id == "dry-run.way-back" for one in document.findings)


def test_without_a_way_back_its_suite_does_not_apply(tmp_path: Path) -> None:
    root = make_command_project(tmp_path, "psql")
    file = root / "harness.toml"
    lines = [one for one in file.read_text().splitlines() if not one.startswith("down")]
    file.write_text("\n".join(lines))
    suites = found(root)
    assert set(suites.expected) == SHIPPED - {"rollback"}
    assert set(suites.evidence) == SHIPPED - {"rollback"}
    assert "no way back" in {one.name: one.reason for one in suites.not_applicable}["rollback"]


def test_suites_of_the_project_stand_beside_those_of_a_command(tmp_path: Path) -> None:
    root = make_command_project(tmp_path, "psql")
    stand_in(root, "own")
    write(root, "tests/migration/test_rollback.py", "from harness.suite.command.rollback import *")
    suites = found(root)
    assert set(suites.expected) == {*SHIPPED, "own"}
    assert {one.name for one in suites.shipped} == SHIPPED - {"rollback"}
    inherited = {one.place for one in suites.defined() if "test_rollback" in one.path}
    assert inherited == {"harness/suite/command/rollback.py"}


def test_a_command_that_is_not_there_is_refused_by_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.scenario.gate import GateSettings, run

    make_command_project(tmp_path, "no-such-program")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"harness.toml:3: there is no program") as caught:
        run(GateSettings(None, tmp_path / "build"))
    assert caught.value.exit_status == 2
