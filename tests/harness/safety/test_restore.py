"""Nothing is restored but a backup that was proven, whole, into an empty database."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness.core.errors import InfrastructureError, Refused, UsageError
from harness.database import admin, witness
from harness.database import dump as client
from harness.safety import identity, manifest
from harness.safety.backup import DUMP, backup, restore
from tests.harness.support.backup import SECRET, harness, taken
from tests.harness.support.runner import ask, run_sql


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


def older(directory: Path) -> None:
    """Make the backup one that a version with the fingerprint's first format took."""
    path = directory / identity.DATABASE
    document = json.loads(path.read_text())
    document |= {"format": 1, "catalog": "0", "security": "0", "objects": {}}
    path.write_text(json.dumps(document))
    told = manifest.read(directory)
    files = manifest.described(directory, [file.name for file in told.files])
    manifest.write(replace(told, files=files), directory)


def test_a_backup_of_an_older_version_is_restored_and_its_rows_are_compared(
    things: str, target: str, tmp_path: Path
) -> None:
    directory = taken(things, tmp_path / "backup")
    older(directory)
    found = restore(target, directory)
    assert (found.verdict, found.differences) == ("unknown", ())
    assert "definitions and rights were not compared" in found.why
    assert ask(target, "SELECT count(*) FROM public.things") == 50


def test_other_rows_of_an_older_backup_are_seen(things: str, target: str, tmp_path: Path) -> None:
    directory = taken(things, tmp_path / "backup")
    path = directory / identity.DATABASE
    run_sql(things, "UPDATE public.things SET name = 'x' WHERE id = 7")
    identity.save(identity.take(things), directory)
    assert path.exists()
    older(directory)
    found = restore(target, directory)
    assert found.verdict == "fail"
    assert any("public.things" in one for one in found.differences)


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
