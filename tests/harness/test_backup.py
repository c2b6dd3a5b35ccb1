"""A backup counts when it was restored and compared; nothing else is ever restored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pytest
from runner_support import ask, open_transaction, run_sql

from harness import runner
from harness.database import admin, fingerprint, witness
from harness.errors import InfrastructureError, Refused, UsageError
from harness.plan import Plan
from harness.poll import wait_until
from harness.safety import client, identity, manifest, proof, spelling
from harness.safety.backup import DUMP, backup, restore

if TYPE_CHECKING:
    from harness.server import Server

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("HARNESS_")}
THINGS = """
CREATE TABLE public.things (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO public.things (name) SELECT 'thing ' || g FROM generate_series(1, 50) AS g;
GRANT SELECT ON public.things TO pg_monitor;
"""
SCRATCH = "SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)"
SECRET = "s3cret-Word"


@pytest.fixture
def things(empty_database: str) -> str:
    """DSN of a database with one small table, a sequence and a grant."""
    run_sql(empty_database, THINGS)
    return empty_database


@pytest.fixture
def target(pg_server: Server) -> Iterator[str]:
    """DSN of another empty database, to restore into."""
    name = admin.unique_name("harness_restored")
    admin.create(pg_server.dsn(), name)
    yield admin.with_dbname(pg_server.dsn(), name)
    admin.drop(pg_server.dsn(), name)


@pytest.fixture
def role(pg_server: Server) -> Iterator[str]:
    """A role that may log in and nothing else; what it owns is dropped by the test."""
    name = admin.unique_name("backup")
    run_sql(pg_server.dsn(), f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    run_sql(pg_server.dsn(), f"DROP ROLE IF EXISTS {name}")


def taken(dsn: str, directory: Path) -> Path:
    """A proven backup."""
    found = backup(dsn, directory)
    assert (found.verdict, found.why, found.differences) == ("pass", "", ())
    return directory


def dumped(dsn: str, directory: Path, *more: str) -> Path:
    """What pg_dump says of a database now, whatever was asked of it."""
    assert client.dump(dsn, major(dsn), directory, None, *more) == ""
    return directory


def major(dsn: str) -> int:
    return int(ask(dsn, "SHOW server_version_num")) // 10_000


def scratches(server: Server, pid: int) -> int:
    """How many scratch databases of a process' backups are there."""
    return int(ask(server.dsn(), SCRATCH, f"{proof.PREFIX}_{pid}_"))


def command(*arguments: str | Path, dsn: str) -> list[str]:
    return [sys.executable, "-m", "harness", *map(str, arguments), "--dsn", dsn]


def harness(*arguments: str | Path, dsn: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command(*arguments, dsn=dsn), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@contextmanager
def writing(dsn: str) -> Iterator[Callable[[], int]]:
    """Somebody who goes on inserting rows, one transaction each; gives how many so far."""
    stop, count = threading.Event(), 0

    def write() -> None:
        nonlocal count
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not stop.is_set():
                conn.execute("INSERT INTO public.things (name) VALUES ('meanwhile')")
                count += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield lambda: count
    finally:
        stop.set()
        writer.join()


# ---------------------------------------------------------------- there and back


def test_a_seeded_database_comes_back_as_it_was(
    seeded: Callable[..., str], clone: Callable[[str], str], target: str, tmp_path: Path
) -> None:
    source = clone(seeded(rows=300))
    found = backup(source, tmp_path / "new")
    assert (found.verdict, found.differences) == ("pass", ())
    back = restore(target, tmp_path / "new")
    assert (back.verdict, back.differences) == ("pass", ())
    assert back.fingerprint == found.fingerprint
    assert back.rows == found.rows
    assert fingerprint.take(target) == fingerprint.take(source)
    assert witness.differences(witness.dump(source), witness.dump(target)) == ()


def test_a_half_migrated_database_comes_back_with_its_ledger_and_goes_on(
    migrated: Callable[..., str],
    clone: Callable[[str], str],
    plan: Plan,
    target: str,
    tmp_path: Path,
) -> None:
    source = clone(migrated(rows=300, until=plan.phases[0].id))
    before = identity.take(source)
    found = backup(source, tmp_path)
    assert (found.verdict, found.differences) == ("pass", ())
    back = restore(target, tmp_path)
    assert (back.verdict, back.fingerprint) == ("pass", found.fingerprint)
    left = [str(one) for one in identity.differences(before, identity.take(target))]
    assert tuple(left) == found.respelled
    assert all("ARRAY[" in line or "WHEN" in line for line in found.respelled)
    assert runner.status(target, plan) == runner.status(source, plan)
    assert runner.migrate(target, plan).state == "migrated"


def test_the_saved_fingerprint_is_one_to_compare_with(things: str, tmp_path: Path) -> None:
    saved = fingerprint.load(taken(things, tmp_path) / identity.DATABASE)
    assert fingerprint.compare(saved, fingerprint.take(things, detail=True)) == ()
    run_sql(things, "UPDATE public.things SET name = 'other' WHERE id = 7")
    (difference,) = fingerprint.compare(saved, fingerprint.take(things, detail=True))
    assert (difference.key, difference.attribute) == ("id=7", "name")


def test_a_backup_leaves_the_database_as_it_was_and_no_scratch_database(
    things: str, pg_server: Server, tmp_path: Path
) -> None:
    before = identity.take(things)
    taken(things, tmp_path)
    assert identity.differences(before, identity.take(things)) == ()
    assert scratches(pg_server, os.getpid()) == 0


def test_a_database_that_is_written_to_meanwhile_is_backed_up_as_of_one_moment(
    things: str, target: str, tmp_path: Path
) -> None:
    with writing(things) as count:
        wait_until(lambda: count() > 10, 60, "the first rows")
        began = count()
        taken(things, tmp_path)
        assert count() > began  # there was somebody
    back = restore(target, tmp_path)
    assert back.verdict == "pass"
    assert back.rows["public.things"] >= 50 + began
    run_sql(
        target, "INSERT INTO public.things (name) VALUES ('next')"
    )  # its sequence is not behind


# ---------------------------------------------------------------- the proof


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
    things: str, pg_server: Server, tmp_path: Path
) -> None:
    before = identity.take(things)
    dump = dumped(things, tmp_path / "dump")
    (dump / "toc.dat").write_bytes(b"no table of contents")
    found = proof.prove(things, major(things), dump, before)
    assert found.verdict == "fail"
    assert "cannot be restored" in found.why
    assert scratches(pg_server, os.getpid()) == 0


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
    things: str, pg_server: Server, tmp_path: Path
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
    assert scratches(pg_server, os.getpid()) == 0


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


# ---------------------------------------------------------------- what is refused


def flipped(path: Path) -> None:
    """One bit of the middle byte is another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_one_flipped_bit_in_any_file_is_refused_by_name(
    things: str, target: str, tmp_path: Path
) -> None:
    directory = taken(things, tmp_path)
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"toc.dat", identity.DATABASE, manifest.NAME}
    for path in files:
        whole = path.read_bytes()
        flipped(path)
        with pytest.raises(Refused, match=path.name) as refusal:
            restore(target, directory)
        assert refusal.value.exit_status == 1
        path.write_bytes(whole)
    assert restore(target, directory).verdict == "pass"


def test_a_file_that_is_short_or_gone_is_refused_by_name(
    things: str, target: str, tmp_path: Path
) -> None:
    path = taken(things, tmp_path) / DUMP / "toc.dat"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Refused, match=r"toc\.dat: it has .* bytes and must have"):
        restore(target, tmp_path)
    path.unlink()
    with pytest.raises(Refused, match=r"toc\.dat: a file of the backup cannot be read"):
        restore(target, tmp_path)


def test_a_truncated_manifest_is_refused_and_without_one_there_is_no_backup(
    things: str, target: str, tmp_path: Path
) -> None:
    path = taken(things, tmp_path) / manifest.NAME
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(Refused, match="the manifest is damaged"):
        restore(target, tmp_path)
    path.unlink()
    with pytest.raises(UsageError, match=r"no backup: it has no manifest\.json"):
        restore(target, tmp_path)


def test_an_edited_manifest_and_one_of_another_format_are_refused(
    things: str, target: str, tmp_path: Path
) -> None:
    path = taken(things, tmp_path) / manifest.NAME
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"roles": ["nobody"]}))
    with pytest.raises(Refused, match="its checksum is another"):
        restore(target, tmp_path)
    path.write_text(json.dumps(document | {"format": 99}))
    with pytest.raises(Refused, match="format 99, this harness reads 1"):
        restore(target, tmp_path)
    for misshapen in ("[]", "{}", "null", '"text"'):
        path.write_text(misshapen)
        with pytest.raises(Refused, match="the manifest is damaged"):
            restore(target, tmp_path)


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("CREATE TABLE public.mine (id int)", "relation mine"),
        ("CREATE SCHEMA mine", "schema mine"),
        ("CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function mine"),
        ("CREATE TYPE public.mine AS ENUM ('a')", "type mine"),
        ("SELECT lo_create(4711)", "large object 4711"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", "default privileges of"),
    ],
)
def test_a_database_that_is_not_empty_is_not_touched(
    things: str, target: str, tmp_path: Path, made: str, named: str
) -> None:
    directory = taken(things, tmp_path)
    run_sql(target, made)
    before = witness.dump(target)
    with pytest.raises(Refused, match=f"not empty: it holds {named}"):
        restore(target, directory)
    assert witness.dump(target) == before


def test_a_missing_role_is_named_and_nothing_touched_until_it_is_there(
    things: str, target: str, role: str, tmp_path: Path
) -> None:
    other = admin.unique_name("backup_owner")
    run_sql(things, f"CREATE ROLE {other}; GRANT SELECT ON public.things TO {role}")
    run_sql(things, f"CREATE SCHEMA theirs AUTHORIZATION {other}")
    directory = taken(things, tmp_path)
    assert {role, other} <= set(backup(things, tmp_path / "again").roles)
    run_sql(things, f"DROP OWNED BY {role}, {other}; DROP ROLE {role}; DROP ROLE {other}")
    with pytest.raises(Refused, match=f"no role {role}, {other}"):
        restore(target, directory)
    assert ask(target, "SELECT to_regclass('public.things')") is None
    run_sql(target, f"CREATE ROLE {role}; CREATE ROLE {other}")
    assert restore(target, directory).verdict == "pass"
    run_sql(target, f"DROP OWNED BY {role}, {other}; DROP ROLE {other}")


def test_the_owner_of_everything_is_a_role_that_a_restore_needs(
    things: str, tmp_path: Path
) -> None:
    owner = ask(things, "SELECT current_user::text")  # pinned, so that no dependency names it
    assert owner in backup(things, tmp_path).roles


def test_a_backup_of_another_major_version_is_refused(
    things: str, target: str, tmp_path: Path
) -> None:
    told = manifest.read(taken(things, tmp_path))
    manifest.write(replace(told, server_version=told.server_version - 10_000), tmp_path)
    with pytest.raises(Refused, match="the backup is of Postgres"):
        restore(target, tmp_path)


def test_a_restored_database_that_is_another_one_fails(
    things: str, target: str, tmp_path: Path
) -> None:
    directory = taken(things, tmp_path)
    run_sql(target, "REVOKE USAGE ON SCHEMA public FROM PUBLIC")  # empty, but not as it was made
    status, out, _ = harness("restore", "--from", directory, "--json", dsn=target)
    document = json.loads(out)
    assert (status, document["verdict"]) == (1, "fail")
    assert document["differences"][0].startswith("security: schema public")


def test_a_restore_that_fails_midway_leaves_nothing(
    things: str, target: str, role: str, tmp_path: Path
) -> None:
    directory = taken(things, tmp_path)
    run_sql(target, f"GRANT CREATE ON SCHEMA public TO {role}")  # but it may give nothing away
    theirs = psycopg.conninfo.make_conninfo(target, user=role, password=SECRET)
    try:
        with pytest.raises(Refused, match="nothing of it was"):
            restore(theirs, directory)
        assert ask(target, "SELECT to_regclass('public.things')") is None
    finally:
        run_sql(target, f"DROP OWNED BY {role}")


def test_a_directory_that_holds_something_is_not_written_to(things: str, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    status, _, err = harness("backup", "--to", tmp_path, dsn=things)
    assert status == 2
    assert "not empty: it holds mine" in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_server_newer_than_every_client_is_an_infrastructure_error(
    things: str, tmp_path: Path
) -> None:
    with pytest.raises(InfrastructureError, match="no pg_dump for Postgres 99"):
        client.dump(things, 99, tmp_path / "dump", None)


# ---------------------------------------------------------------- the command line


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


@contextmanager
def in_its_way(things: str) -> Iterator[Callable[[], None]]:
    """A lock that pg_dump alone waits for; gives what waits until it does."""
    large_objects = "pg_catalog.pg_largeobject_metadata"  # of this database, read by pg_dump
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'pg_dump' AND wait_event_type = 'Lock'"
    )
    with open_transaction(things, f"LOCK TABLE {large_objects} IN ACCESS EXCLUSIVE MODE"):
        yield lambda: wait_until(lambda: ask(things, waiting), 60, "pg_dump at its lock")


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
    assert any("--format=directory" in line and role in line for line in seen)
    assert all(SECRET not in line for line in seen)
    assert process.returncode == 0, err
    assert SECRET not in out + err


def test_a_password_of_a_key_that_would_be_seen_is_refused() -> None:
    with pytest.raises(UsageError, match="client key"):
        client.handed_over(f"host=x sslpassword={SECRET}")


def test_a_stopped_backup_leaves_no_directory(things: str, tmp_path: Path) -> None:
    with in_its_way(things) as wait, started(tmp_path / "new", things) as process:
        wait()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_a_backup_stopped_in_its_proof_drops_the_scratch_database(
    things: str, pg_server: Server, tmp_path: Path
) -> None:
    here = admin.dbname(things)
    pause = f"CASE current_database() WHEN '{here}' THEN 0 ELSE 600 END"
    run_sql(things, f"CREATE MATERIALIZED VIEW public.slow AS SELECT pg_sleep({pause})::text AS a")
    sleeping = (
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND starts_with(datname, %s)"
    )
    with started(tmp_path, things) as process:
        theirs = f"{proof.PREFIX}_{process.pid}_"
        wait_until(lambda: ask(things, sleeping, theirs), 60, "the scratch database at work")
        assert scratches(pg_server, process.pid) == 1
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert scratches(pg_server, process.pid) == 0
    assert list(tmp_path.iterdir()) == []


def planted(directory: Path) -> dict[str, Any]:
    """The manifest as it lies there."""
    document: dict[str, Any] = json.loads((directory / manifest.NAME).read_text())
    return document


def test_the_manifest_says_what_was_backed_up(things: str, tmp_path: Path) -> None:
    found = backup(things, tmp_path)
    told = planted(tmp_path)
    assert (told["format"], told["verified"]) == (1, True)
    assert told["database"] == admin.dbname(things)
    assert told["server_version"] // 10_000 == major(things)
    assert told["rows"] == {"public.things": 50}
    assert told["fingerprint"] == found.fingerprint
    on_disk = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {file["name"] for file in told["files"]} == on_disk - {manifest.NAME}
