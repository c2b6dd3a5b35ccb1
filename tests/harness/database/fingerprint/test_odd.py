"""Fingerprints of odd databases: other encodings, collations, settings, objects that raise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from harness import plan
from harness.core.errors import UsageError
from harness.database import admin, fingerprint
from harness.safety.backup import backup, restore
from harness.scenario.dry_run import dry_run
from harness.server import Server
from tests.harness.support.runner import run_sql

CASES = Path(__file__).parents[2] / "cases"


@pytest.fixture
def created(harness_server: Server) -> Iterator[Callable[[str], str]]:
    """Create databases with options of their own; the call returns the DSN."""
    names: list[str] = []

    def create(options: str) -> str:
        names.append(admin.unique_name("harness_odd"))
        run_sql(harness_server.dsn(), f"create database {names[-1]} template template0 {options}")
        return admin.with_dbname(harness_server.dsn(), names[-1])

    yield create
    for name in names:
        admin.drop(harness_server.dsn(), name)


def run_case(dsn: str, file: str) -> None:
    """Execute a file of a case."""
    run_utf8(dsn, (CASES / file).read_text())


def run_utf8(dsn: str, statements: str) -> None:
    """Execute statements that are UTF-8, whatever encoding the database has."""
    with psycopg.connect(dsn, autocommit=True, client_encoding="UTF8") as conn:
        conn.execute(statements.encode())


def run_bytes(dsn: str, statements: bytes) -> None:
    """Execute statements whose bytes mean nothing to the server."""
    with psycopg.connect(dsn, autocommit=True, client_encoding="SQL_ASCII") as conn:
        conn.execute(statements)


def saved(dsn: str, tmp_path: Path) -> fingerprint.Fingerprint:
    """A fingerprint with detail that was written to a file and read from it."""
    fingerprint.save(fingerprint.take(dsn, detail=True), tmp_path / "before.json")
    return fingerprint.load(tmp_path / "before.json")


def named(before: fingerprint.Fingerprint, after: fingerprint.Fingerprint) -> list[str]:
    return [str(difference) for difference in fingerprint.compare(before, after)]


# -- encodings


def test_bytes_that_are_no_text_are_compared_and_saved(
    created: Callable[[str], str], tmp_path: Path
) -> None:
    dsn = created("encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'")
    run_bytes(dsn, (CASES / "sql-ascii-bytes/setup.sql").read_bytes())
    before = saved(dsn, tmp_path)
    assert before == fingerprint.take(dsn)
    run_bytes(
        dsn,
        b"comment on table t is E'\\xe8'; alter table t alter v set default E'\\xe8';"
        b"insert into t values (E'\\xe9', E'\\xfe');"
        b'create table "\xe9" ("\xff" integer); insert into "\xe9" values (1)',
    )
    found = named(before, fingerprint.take(dsn, detail=True))
    for expected in (
        'catalog: comment on table public.t: text was "\udce9t\udce9", is "\udce8"',
        "catalog: column public.t.v: default was \"'\udce9'::text\", is \"'\udce8'::text\"",
        'catalog: table public."\udce9": presence',
        'data: table public.t k="\udce9": row',
    ):
        assert any(one.startswith(expected) for one in found), found


def test_a_saved_fingerprint_of_odd_bytes_is_plain_json(
    created: Callable[[str], str], tmp_path: Path
) -> None:
    dsn = created("encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'")
    run_bytes(dsn, (CASES / "sql-ascii-bytes/setup.sql").read_bytes())
    saved(dsn, tmp_path)
    text = (tmp_path / "before.json").read_bytes().decode("utf-8")
    comment = json.loads(text)["objects"]["catalog"]["comment on table public.t"]["text"]
    assert comment.encode("utf-8", "surrogateescape") == b"\xe9t\xe9"


def test_a_database_of_odd_bytes_is_backed_up_restored_and_rehearsed(
    created: Callable[[str], str], tmp_path: Path
) -> None:
    options = "encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'"
    dsn, other = created(options), created(options)
    run_bytes(dsn, (CASES / "sql-ascii-bytes/setup.sql").read_bytes())
    run_bytes(dsn, b'create table "\xe9" ("\xff" integer); insert into "\xe9" values (1)')
    assert backup(dsn, tmp_path / "backup").verdict == "pass"
    assert restore(other, tmp_path / "backup").verdict == "pass"
    assert fingerprint.take(other) == fingerprint.take(dsn)
    rehearsed = dry_run(dsn, plan.load(CASES / "sql-ascii-bytes" / "plan" / "plan.toml"))
    assert rehearsed.verdict == "pass", rehearsed.findings


@pytest.mark.parametrize("encoding", ["EUC_TW", "MULE_INTERNAL", "EUC_JP", "LATIN1"])
def test_databases_of_other_encodings_are_backed_up(
    created: Callable[[str], str], tmp_path: Path, encoding: str
) -> None:
    dsn = created(f"encoding '{encoding}' lc_collate 'C' lc_ctype 'C'")
    with admin.connection(dsn) as conn:
        conn.execute("create table t (k text primary key); insert into t values ('x')")
    assert backup(dsn, tmp_path / "backup").verdict == "pass"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("LATIN1", "é"), ("WIN1252", "€"), ("EUC_JP", "日本"), ("EUC_TW", None), ("KOI8R", "ж")],
)
def test_other_encodings_are_read_and_shown(
    created: Callable[[str], str], tmp_path: Path, encoding: str, name: str | None
) -> None:
    dsn = created(f"encoding '{encoding}' lc_collate 'C' lc_ctype 'C'")
    text = name or "中"
    run_utf8(dsn, f'create table "{text}" (k text primary key); insert into "{text}" values (1)')
    before = saved(dsn, tmp_path)
    run_utf8(dsn, f"""update "{text}" set k = '{text}'""")
    found = named(before, fingerprint.take(dsn, detail=True))
    assert any("row" in one for one in found), found
    assert name is None or any(f'public."{name}" k="{name}"' in one for one in found), found


# -- how a database was created


@pytest.mark.postgres(icu=True)
def test_databases_that_sort_differently_are_told_apart(created: Callable[[str], str]) -> None:
    options = "encoding 'UTF8' lc_collate 'C' lc_ctype 'C'"
    other = created(options)
    one = created(f"{options} locale_provider icu icu_locale 'de-u-co-phonebk'")
    for dsn in (one, other):
        run_case(dsn, "restore-other-collation/setup.sql")
    found = named(fingerprint.take(one), fingerprint.take(other))
    assert {text.partition(" was ")[0] for text in found} == {
        "catalog: database: locale",
        "catalog: database: locale_provider",
    }


def test_one_locale_under_two_spellings_is_one(created: Callable[[str], str]) -> None:
    dsns = [
        created(f"encoding 'UTF8' lc_collate '{name}' lc_ctype '{name}'")
        for name in ("C.UTF-8", "C.utf8")
    ]
    assert fingerprint.take(dsns[0]) == fingerprint.take(dsns[1])


# -- cases of one statement each


def test_what_an_extension_takes_along_is_compared(harness_empty_database: str) -> None:
    run_case(harness_empty_database, "depends-on-extension/setup.sql")
    before = fingerprint.take(harness_empty_database)
    run_case(harness_empty_database, "depends-on-extension/flip.sql")
    found = [
        d.object for d in fingerprint.compare(before, fingerprint.take(harness_empty_database))
    ]
    assert found == [
        "function public.f()",
        "materialized view public.mv",
        "trigger tr on public.t",
    ]


def test_backslashes_do_not_depend_on_a_setting(harness_empty_database: str) -> None:
    run_case(harness_empty_database, "standard-conforming-strings/setup.sql")
    before = fingerprint.take(harness_empty_database)
    name = admin.dbname(harness_empty_database)
    run_sql(
        harness_empty_database, f'alter database "{name}" set standard_conforming_strings = off'
    )
    assert fingerprint.take(harness_empty_database) == before


@pytest.mark.postgres(since=17)
def test_a_limit_of_the_database_does_not_end_a_fingerprint(harness_empty_database: str) -> None:
    run_sql(harness_empty_database, "create table t as select g from generate_series(1, 100000) g")
    name = admin.dbname(harness_empty_database)
    run_sql(harness_empty_database, f"alter database \"{name}\" set transaction_timeout = '20ms'")
    assert (
        fingerprint.take(harness_empty_database, detail=True).relations["public.t"]["rows"]
        == 100000
    )


def test_rights_on_system_objects_are_compared(harness_empty_database: str, role: str) -> None:
    before = fingerprint.take(harness_empty_database)
    run_sql(
        harness_empty_database,
        f"grant select on pg_catalog.pg_authid to {role};"
        f"grant execute on function pg_catalog.pg_read_file(text) to {role}",
    )
    after = fingerprint.take(harness_empty_database)
    run_sql(harness_empty_database, f"drop owned by {role}")
    assert [d.object for d in fingerprint.compare(before, after)] == [
        "system function pg_catalog.pg_read_file(pg_catalog.text)",
        "system table pg_catalog.pg_authid",
    ]
    assert fingerprint.take(harness_empty_database) == before


def test_a_rehearsal_sees_rights_on_system_objects_that_stay(
    harness_server: Server, harness_empty_database: str
) -> None:
    case = CASES / "system-object-privileges"
    run_case(harness_empty_database, "system-object-privileges/setup.sql")
    found = dry_run(harness_empty_database, plan.load(case / "plan" / "plan.toml"))
    run_sql(harness_server.dsn(), "drop role app_r")
    assert found.verdict == "fail"
    (critical,) = [one for one in found.findings if one.severity == "critical"]
    assert "system table pg_catalog.pg_authid" in str(critical)


# -- objects that raise


def test_a_cast_that_raises_is_never_used(harness_empty_database: str) -> None:
    run_sql(
        harness_empty_database,
        "create type mood as enum ('sad'); create type pair as (a integer);"
        "create function raises(anyelement) returns text language plpgsql"
        " as 'begin raise exception ''cast''; end';"
        "create function mood_text(mood) returns text language plpgsql"
        " as 'begin raise exception ''cast''; end';"
        "create function mood_json(mood) returns json language plpgsql"
        " as 'begin raise exception ''cast''; end';"
        "create table t (k mood primary key, p pair);"
        "create function t_text(t) returns text language plpgsql"
        " as 'begin raise exception ''cast''; end';"
        "create cast (mood as text) with function mood_text(mood);"
        "create cast (mood as json) with function mood_json(mood);"
        "create cast (t as text) with function t_text(t);"
        "insert into t values ('sad', row(1))",
    )
    before = fingerprint.take(harness_empty_database, detail=True)
    run_sql(harness_empty_database, "update t set p = row(2)")
    after = fingerprint.take(harness_empty_database, detail=True)
    assert named(before, after) == ['data: table public.t k="sad": p']


def test_a_view_that_raises_is_never_read(harness_empty_database: str) -> None:
    run_sql(
        harness_empty_database,
        "create view v as select 1 / (random() * 0)::integer as n;"
        "create materialized view m as select 1 / 0 as n with no data",
    )
    assert fingerprint.take(harness_empty_database).relations == {}


@pytest.mark.postgres(since=18)
def test_a_virtual_column_that_raises_is_never_read(harness_empty_database: str) -> None:
    run_sql(
        harness_empty_database,
        "create table t (id integer primary key, n integer generated always as (1 / (id - 1)));"
        "insert into t values (1)",
    )
    assert fingerprint.take(harness_empty_database, detail=True).relations["public.t"]["rows"] == 1


# -- files of other versions


@pytest.mark.parametrize(("number", "age"), [(1, "an older"), (99, "a newer")])
def test_a_file_of_another_format_is_refused_in_a_sentence(
    harness_empty_database: str, tmp_path: Path, number: int, age: str
) -> None:
    file = tmp_path / "before.json"
    fingerprint.save(fingerprint.take(harness_empty_database), file)
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "format": number}))
    with pytest.raises(UsageError, match=f"saved by {age} version.*format {number}"):
        fingerprint.load(file)
