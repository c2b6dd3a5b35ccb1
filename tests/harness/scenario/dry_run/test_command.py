"""A command rehearsed on a copy: what is seen of it from outside, and each planted defect is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.core.errors import Refused, Stopped
from harness.database import admin, dump, fingerprint
from harness.document.base import to_builtins
from harness.document.dry_run import DryRunDocument
from harness.plan import DryRunRules
from harness.scenario.dry_run.command import rehearse_command
from harness.server import Server
from harness.subject.command import CommandSubject

BASE = """
create table public.versions (version int primary key);
create table public.item (id int primary key, size int not null, label text);
insert into public.item select n, n, 'x' from generate_series(1, 2000) as n;
create table public.few (id int primary key); insert into public.few values (1);
"""
NOTED = "insert into public.versions values (1);"
DOWN = "begin; alter table public.item drop column note; delete from public.versions; commit;"
GOOD = f"begin; alter table public.item add column note text; {NOTED} commit;"
DELETED = "begin; delete from public.versions;"

Rehearse = Callable[..., DryRunDocument]


@pytest.fixture(scope="module")
def source(harness_server: Server) -> Iterator[str]:
    """A database that every rehearsal copies, and none may change."""
    name = admin.unique_name("harness_source")
    admin.create(harness_server.dsn(), name)
    dsn = admin.with_dbname(harness_server.dsn(), name)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(BASE.encode())
    before = fingerprint.take(dsn)
    yield dsn
    assert not fingerprint.compare(before, fingerprint.take(dsn))
    admin.drop(harness_server.dsn(), name)


@pytest.fixture
def rehearsed(harness_server: Server, source: str, tmp_path: Path) -> Rehearse:
    """Rehearse a psql script that migrates, and another that goes back."""
    psql = dump.program("psql", harness_server.version, harness_server.dsn()).path

    def run(up: str, down: str | None = DOWN, **rules: Any) -> DryRunDocument:
        (tmp_path / "up.sql").write_text(up)
        (tmp_path / "down.sql").write_text(down or "")
        command = f"{psql} -X -q -v ON_ERROR_STOP=1 -d {{dsn}}"
        subject = CommandSubject(
            up=f"{command} -f up.sql",
            down=f"{command} -f down.sql" if down else None,
            root=tmp_path,
            own_tables=("public.versions",),
            trusted=True,
            walled=False,
        )
        found = rehearse_command(source, subject, DryRunRules(**rules), how="dump")
        return found.document()

    return run


def ids(document: DryRunDocument, severity: str = "critical") -> set[str]:
    return {one.id for one in document.findings if one.severity == severity}


def test_a_good_command_passes_and_what_it_locks_is_seen(rehearsed: Rehearse) -> None:
    found = rehearsed(GOOD)
    assert (found.verdict, ids(found)) == ("pass", set()), found.findings
    assert found.way_back.equal is True
    assert [(step.id, step.direction) for step in found.steps if step.rows] == [
        ("commit-1", "forward"),
        ("commit-1", "rollback"),
    ]
    (step, *_) = found.steps
    locks = {(lock.relation, lock.mode) for lock in step.locks}
    assert ("public.item", "AccessExclusiveLock") in locks
    assert not any(name == "public.versions" for name, _ in locks)  # the tool's own
    assert step.wal_bytes > 0
    taken = {statement.line: statement.locks for statement in step.statements}
    assert [one.relation for one in taken[2]] == ["public.item"]
    assert {*to_builtins(found)} == {
        *("verdict", "findings", "estimate_seconds", "rollback_seconds", "steps", "errors"),
        *("way_back", "irreversible", "database", "copy", "plan"),
    }
    assert found.plan.hash
    assert found.copy is not None
    assert found.copy.how == "dump"


@pytest.mark.parametrize(
    ("work", "back", "finding"),
    [
        (
            "alter table public.item alter column size type bigint;",
            "alter table public.item alter column size type int;",
            "dry-run.rewrite",
        ),
        (
            "create index item_size on public.item (size);",
            "drop index public.item_size;",
            "dry-run.index-stops-writers",
        ),
        (
            "update public.item set label = 'y';",
            "update public.item set label = 'x';",
            "dry-run.one-transaction",
        ),
    ],
)
def test_what_stops_users_is_found(rehearsed: Rehearse, work: str, back: str, finding: str) -> None:
    found = rehearsed(f"begin; {work} {NOTED} commit;", f"{DELETED} {back} commit;")
    assert finding in ids(found)
    assert found.verdict == "fail"
    (critical, *_) = (one for one in found.findings if one.id == finding)
    assert critical.where.startswith(("up:", "down:"))
    assert "public.item" in critical.message


def test_an_autocommit_rewrite_is_found_without_any_look_at_its_lock(rehearsed: Rehearse) -> None:
    up = f"alter table public.item alter column size type bigint;\n{NOTED}\n"
    back = f"{DELETED} alter table public.item alter column size type int; commit;"
    assert "dry-run.rewrite" in ids(rehearsed(up, back))


def test_an_index_that_is_built_concurrently_stops_nobody(rehearsed: Rehearse) -> None:
    up = f"create index concurrently item_size on public.item (size);\n{NOTED}\n"
    found = rehearsed(up, "drop index concurrently public.item_size;\ndelete from versions;\n")
    assert found.verdict == "pass", found.findings
    assert found.steps[0].kind == "concurrent"


def test_a_lock_that_is_held_too_long_is_found(rehearsed: Rehearse) -> None:
    assert "dry-run.lock-held" in ids(rehearsed(GOOD, max_lock=1e-6))


def test_rows_that_are_read_under_an_unknown_lock_are_unknown(rehearsed: Rehearse) -> None:
    work = "alter table public.item add constraint positive check (size > 0);"
    back = "alter table public.item drop constraint positive;"
    found = rehearsed(f"begin; {work} {NOTED} commit;", f"{DELETED} {back} commit;")
    assert (found.verdict, ids(found, "warning")) == ("unknown", {"dry-run.reads-unplaced"})


@pytest.mark.parametrize(
    ("down", "said"),
    [
        ("delete from public.versions;", "column public.item.note"),
        ("alter table public.item drop column note;", "by its own account it was at"),
    ],
)
def test_a_way_back_that_leads_elsewhere_fails(rehearsed: Rehearse, down: str, said: str) -> None:
    found = rehearsed(GOOD, down)
    assert (found.verdict, found.way_back.equal) == ("fail", False)
    assert said in " ".join(found.way_back.differences)


def test_without_a_way_back_there_is_none_to_judge(rehearsed: Rehearse) -> None:
    found = rehearsed(GOOD, None)
    assert (found.verdict, found.way_back.equal) == ("pass", None)
    assert "not applicable" in found.way_back.unknown_because
    assert "dry-run.no-way-back" in ids(found, "info")


def test_a_command_that_fails_is_a_finding_with_the_servers_word(rehearsed: Rehearse) -> None:
    found = rehearsed("create table public.item (id int);")
    assert found.verdict == "fail"
    (error,) = found.errors
    assert 'relation "item" already exists (42P07)' in error.message


def test_a_command_that_does_nothing_proves_nothing(rehearsed: Rehearse) -> None:
    found = rehearsed("select 1;")
    assert found.verdict == "unknown"
    assert "changed nothing" in found.way_back.unknown_because


@pytest.mark.parametrize(
    "statement", ["copy public.item to program 'touch {}';", "create role {} nologin;"]
)
def test_what_reaches_outside_of_the_copy_is_stopped_before_it_does(
    rehearsed: Rehearse, statement: str, tmp_path: Path, harness_server: Server
) -> None:
    name = admin.unique_name("harness_left")
    left = tmp_path / name if "{}'" in statement else name
    found = rehearsed(f"{statement.format(left)}\n{GOOD}")
    assert "dry-run.outside" in ids(found, "warning")
    assert found.verdict != "pass"
    assert not (tmp_path / name).exists()
    with psycopg.connect(harness_server.dsn()) as conn:
        assert not conn.execute("select from pg_roles where rolname = %s", [name]).fetchone()


def test_a_command_that_connects_elsewhere_is_refused(
    rehearsed: Rehearse, harness_server: Server, source: str
) -> None:
    with pytest.raises(Refused, match="it asks for database 'template1', and not for ours"):
        rehearsed("\\connect template1\nselect 1;\n")


def test_a_rehearsal_that_is_stopped_leaves_no_copy(
    harness_server: Server, source: str, tmp_path: Path
) -> None:
    asked = iter([False, False])
    subject = CommandSubject(up="sleep 600", root=tmp_path, trusted=True, walled=False)
    with pytest.raises(Stopped, match="the dry run was stopped"):
        rehearse_command(source, subject, how="dump", stop=lambda: next(asked, True))
    with psycopg.connect(harness_server.dsn()) as conn:
        mine = f"harness_dry_run%_{os.getpid()}_%"
        assert not conn.execute("select from pg_database where datname like %s", [mine]).fetchone()
