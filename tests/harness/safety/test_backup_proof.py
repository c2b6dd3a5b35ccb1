"""The proof of a backup sees what a dump lacks, and says when nothing is known."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.core.errors import Refused
from harness.safety import identity, proof, spelling
from harness.safety.backup import backup, restore
from tests.harness.support.backup import SECRET, dumped, harness, major, scratches, taken
from tests.harness.support.runner import ask, run_sql

if TYPE_CHECKING:
    from harness.server import Server


def test_a_dump_without_grants_is_not_proven(things: str, tmp_path: Path) -> None:
    before = identity.take(things)
    whole = dumped(things, tmp_path / "whole")
    lost = dumped(things, tmp_path / "lost", "--no-privileges")
    assert proof.prove(things, major(things), whole, before).verdict == "pass"
    found = proof.prove(things, major(things), lost, before)
    assert found.verdict == "fail"
    assert found.differences[0].startswith("security: table public.things")


def test_a_dump_without_a_table_is_not_proven(things: str, tmp_path: Path) -> None:
    lost = dumped(things, tmp_path / "lost", "--exclude-table=public.things")
    found = proof.prove(things, major(things), lost, identity.take(things))
    assert found.verdict == "fail"
    assert any("data: table public.things" in line for line in found.differences)


def test_a_dump_without_the_ledger_is_not_proven(things: str, tmp_path: Path) -> None:
    run_sql(things, "CREATE SCHEMA migration_control; CREATE TABLE migration_control.t AS SELECT 1")
    before = identity.take(things)
    lost = dumped(things, tmp_path / "lost", "--exclude-schema=migration_control")
    found = proof.prove(things, major(things), lost, before)
    assert "the harness's own schemas: presence" in found.differences[0]
    half = dumped(things, tmp_path / "half", "--exclude-table-data=migration_control.t")
    found = proof.prove(things, major(things), half, before)
    assert 'table migration_control.t: rows was "1", is "0"' in found.differences[0]


def test_a_dump_of_another_moment_is_not_proven(things: str, tmp_path: Path) -> None:
    before = identity.take(things)
    run_sql(things, "DELETE FROM public.things WHERE id = 3")
    found = proof.prove(things, major(things), dumped(things, tmp_path / "late"), before)
    assert found.verdict == "fail"
    assert any("public.things id=3" in line for line in found.differences)


def test_a_sequence_may_be_ahead_in_a_dump_and_never_behind(things: str, tmp_path: Path) -> None:
    before = identity.take(things)
    sequence = "'public.things_id_seq'"
    run_sql(things, f"SELECT setval({sequence}, 60)")
    ahead = proof.prove(things, major(things), dumped(things, tmp_path / "ahead"), before)
    assert ahead.verdict == "pass"
    run_sql(things, f"SELECT setval({sequence}, 40)")
    behind = proof.prove(things, major(things), dumped(things, tmp_path / "behind"), before)
    assert [line for line in behind.differences if "behind" in line]


def test_a_dump_that_cannot_be_restored_is_not_proven(
    things: str, harness_server: Server, tmp_path: Path
) -> None:
    before = identity.take(things)
    dump = dumped(things, tmp_path / "dump")
    (dump / "toc.dat").write_bytes(b"no table of contents")
    found = proof.prove(things, major(things), dump, before)
    assert found.verdict == "fail"
    assert "cannot be restored" in found.why
    assert scratches(harness_server, os.getpid()) == 0


def test_a_stale_materialized_view_fails_the_backup_which_is_then_refused(
    things: str, target: str, tmp_path: Path
) -> None:
    run_sql(things, "CREATE MATERIALIZED VIEW public.seen AS SELECT * FROM public.things")
    taken(things, tmp_path / "fresh")
    run_sql(things, "DELETE FROM public.things WHERE id = 3")
    found = backup(things, tmp_path / "stale")
    assert found.verdict == "fail"
    assert "refresh public.seen first" in found.why
    assert any("public.seen" in line for line in found.differences)
    with pytest.raises(Refused, match="never proven"):
        restore(target, tmp_path / "stale")


def test_a_subscription_is_not_made_a_second_time_and_fails_the_backup(
    things: str, harness_server: Server, tmp_path: Path
) -> None:
    options = "connect = false, enabled = false, create_slot = false, slot_name = NONE"
    run_sql(
        things,
        f"CREATE SUBSCRIPTION feed CONNECTION 'port=1' PUBLICATION theirs WITH ({options})",
    )
    try:
        found = backup(things, tmp_path)
    finally:
        run_sql(things, "DROP SUBSCRIPTION feed")
    assert found.verdict == "fail"
    assert all("subscription feed" in line for line in found.differences)
    assert scratches(harness_server, os.getpid()) == 0


def test_where_no_scratch_database_may_be_made_nothing_is_known_and_nothing_restored(
    things: str, target: str, role: str, tmp_path: Path
) -> None:
    run_sql(things, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    run_sql(things, f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    theirs = psycopg.conninfo.make_conninfo(things, user=role, password=SECRET)
    try:
        status, out, err = harness("backup", "--to", tmp_path / "b", "--json", dsn=theirs)
    finally:
        run_sql(things, f"DROP OWNED BY {role}")
    document = json.loads(out)
    assert (status, document["verdict"]) == (1, "unknown"), err
    assert f"ALTER ROLE {role} CREATEDB" in document["why"]
    status, _, err = harness("restore", "--from", tmp_path / "b", dsn=target)
    assert status == 1
    assert "never proven" in err
    assert ask(target, "SELECT to_regclass('public.things')") is None


WRITTEN = "CHECK ((a)::text = ANY ((ARRAY['x'::character varying, 'y'::varchar])::text[]))"
READ = "CHECK ((a)::text = ANY (ARRAY[('x'::character varying)::text, ('y'::varchar)::text]))"


def test_a_definition_that_a_restore_respells_is_the_same(things: str, tmp_path: Path) -> None:
    checked = "a varchar(9) CONSTRAINT known CHECK (a IN ('x', 'y'))"
    run_sql(things, f"CREATE TABLE public.respelled ({checked})")
    found = backup(things, tmp_path)
    assert found.verdict == "pass"
    assert [line.split(":")[1] for line in found.respelled] == [
        " constraint known on public.respelled"
    ]
    assert spelling.same(WRITTEN, READ)


@pytest.mark.parametrize(
    ("old", "new"),
    [("'x'", "'z'"), ("ANY", "ALL"), (")::text]", ")::bpchar]"), ("(a)::text", "(a)::bpchar")],
)
def test_a_definition_that_says_something_else_is_another(old: str, new: str) -> None:
    assert old in READ
    assert not spelling.same(WRITTEN, READ.replace(old, new))
    assert not spelling.same("no SQL", "no SQL either")
