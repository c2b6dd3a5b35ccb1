"""Promises of the fingerprint that are no single flip."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from urllib.parse import quote

import psycopg
import pytest

from harness.core.errors import InfrastructureError, Refused, UsageError
from harness.database import admin, fingerprint
from harness.database.fingerprint import Difference
from harness.database.fingerprint.measure import measure
from harness.server import choose

PEOPLE = """
create table public.people (id bigint primary key, name text, age numeric, seen timestamptz);
insert into public.people
select n, 'person ' || n, n, timestamptz '2024-01-01 00:00:00+00' + n * interval '1 second'
from generate_series(1, 5000) n;
create table public.tags (name text primary key, color text);
insert into public.tags select 'tag ' || n, 'red' from generate_series(1, 50) n;
create table public.words (word text);
insert into public.words values ('a'), ('a'), ('b');
"""


def execute(dsn: str, statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statements)


@pytest.fixture
def people(harness_empty_database: str) -> str:
    execute(harness_empty_database, PEOPLE)
    return harness_empty_database


@pytest.fixture
def twin(people: str) -> Iterator[str]:
    """Another database with the same contents."""
    name = admin.unique_name("harness_twin")
    admin.create(people, name, admin.dbname(people))
    yield admin.with_dbname(people, name)
    admin.drop(people, name)


def names(differences: tuple[Difference, ...]) -> list[tuple[str | None, str]]:
    return [(d.key, d.attribute) for d in differences if d.kind == "data"]


# -- what it reports


def test_relations_have_their_rows_and_a_digest(people: str) -> None:
    relations = fingerprint.take(people).relations
    assert {name: relation["rows"] for name, relation in relations.items()} == {
        "public.people": 5000,
        "public.tags": 50,
        "public.words": 3,
    }
    assert all(len(relation["digest"]) == 32 for relation in relations.values())


def test_dropped_columns_are_reported_apart(people: str) -> None:
    before = fingerprint.take(people)
    execute(people, "alter table people add extra text; alter table people drop extra")
    after = fingerprint.take(people)
    assert before == after
    assert after.remnants["table public.people"]["dropped_columns"] == 1


def test_as_many_connections_as_you_like_give_the_same(people: str) -> None:
    assert len({fingerprint.take(people, workers=n) for n in (1, 2, 3)}) == 1


def test_a_large_table_is_hashed_in_parts_that_miss_no_row(harness_empty_database: str) -> None:
    rows = "select n, repeat('x', 900) from generate_series(1, 40000) n"
    execute(
        harness_empty_database,
        f"create table large as {rows}; create table small as {rows} limit 0",
    )
    before = fingerprint.take(harness_empty_database).relations["public.large"]
    assert before["rows"] == 40000
    for row in (1, 20000, 40000):  # the first, a middle and the last part
        execute(harness_empty_database, f"update large set repeat = 'y' where n = {row}")
        after = fingerprint.take(harness_empty_database).relations["public.large"]
        assert after["rows"] == 40000
        assert after["digest"] != before["digest"]
        before = after


def test_the_clients_own_settings_do_not_matter(
    people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprint.take(people)
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("PGDATESTYLE", "German")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    monkeypatch.setenv("PGOPTIONS", "-c extra_float_digits=0 -c search_path=public")
    assert fingerprint.take(people) == before


def test_a_table_with_more_columns_than_a_function_takes_arguments(
    harness_empty_database: str,
) -> None:
    columns = ", ".join(f"c{n} integer default {n}" for n in range(250))
    execute(
        harness_empty_database, f"create table wide ({columns}); insert into wide default values"
    )
    before = fingerprint.take(harness_empty_database, detail=True)
    execute(
        harness_empty_database, "update wide set c3 = null, c4 = 34"
    )  # 3, 4 is not 34 and nothing
    between = fingerprint.take(harness_empty_database, detail=True)
    execute(harness_empty_database, "update wide set c3 = 34, c4 = null")
    after = fingerprint.take(harness_empty_database, detail=True)
    assert len({before.data, between.data, after.data}) == 3


def test_a_table_without_columns_is_counted(harness_empty_database: str) -> None:
    execute(harness_empty_database, "create table bare (); insert into bare default values")
    before = fingerprint.take(harness_empty_database)
    execute(harness_empty_database, "insert into bare default values")
    assert before.relations["public.bare"]["rows"] == 1
    assert fingerprint.take(harness_empty_database).data != before.data


def test_one_moment_is_read_while_others_write(people: str) -> None:
    execute(people, "create table elsewhere (like people)")
    stop = Event()

    def move_to_and_fro() -> int:
        moves = 0
        with psycopg.connect(people, autocommit=True) as conn:
            while not stop.is_set():
                for source, target in (("people", "elsewhere"), ("elsewhere", "people")):
                    conn.execute(
                        f"with gone as (delete from {source} where id <= 500 returning *)"
                        f" insert into {target} select * from gone"
                    )
                moves += 1
        return moves

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(move_to_and_fro)
        taken = [fingerprint.take(people).relations for _ in range(8)]
        stop.set()
        assert writer.result() > 0
    for relations in taken:
        assert relations["public.people"]["rows"] + relations["public.elsewhere"]["rows"] == 5000


# -- refusals


def as_role(dsn: str, role: str) -> str:
    return f"{dsn}{'&' if '?' in dsn else '?'}options={quote(f'-c role={role}')}"


@pytest.fixture
def reader(people: str) -> Iterator[str]:
    """A role that may read the tables of `people`."""
    role = admin.unique_name("harness_reader")
    execute(people, f"create role {role}; grant select on all tables in schema public to {role}")
    yield role
    execute(people, f"drop owned by {role}; drop role {role}")


def test_a_role_that_may_read_everything_needs_no_other_right(people: str, reader: str) -> None:
    assert fingerprint.take(as_role(people, reader)) == fingerprint.take(people)


def test_rows_hidden_by_row_level_security_are_refused(people: str, reader: str) -> None:
    execute(people, "alter table tags enable row level security")
    hidden = r"public\.tags cannot be read: row level security would hide rows.*BYPASSRLS"
    with pytest.raises(Refused, match=hidden):
        fingerprint.take(as_role(people, reader))


def test_a_table_that_may_not_be_read_is_refused(people: str, reader: str) -> None:
    execute(people, f"revoke select on people, tags from {reader}")
    denied = r"public\.people cannot be read: the role has no SELECT on it; so it is with 1 more"
    with pytest.raises(Refused, match=denied):
        fingerprint.take(as_role(people, reader))


def test_forced_row_level_security_is_refused_for_the_owner_too(people: str, reader: str) -> None:
    execute(
        people,
        f"alter table tags owner to {reader}; alter table tags enable row level security;"
        "alter table tags force row level security",
    )
    with pytest.raises(Refused, match=r"public\.tags cannot be read: row level security"):
        fingerprint.take(as_role(people, reader))
    execute(
        people,
        "alter table tags owner to current_user; alter table tags no force row level"
        " security; alter table tags disable row level security",
    )


def test_a_sequence_and_a_schema_that_may_not_be_read_are_refused(people: str, reader: str) -> None:
    execute(people, "create sequence apart; create schema closed; create table closed.t (id int)")
    with pytest.raises(Refused, match=r"closed\.t cannot be read: the role has no USAGE on its"):
        fingerprint.take(as_role(people, reader))
    with pytest.raises(Refused, match=r"public\.apart cannot be read: the role has no SELECT"):
        fingerprint.take(as_role(people, reader), data=False)


def test_a_large_object_that_may_not_be_read_is_refused(people: str, reader: str) -> None:
    execute(people, "select lo_create(4711)")
    with pytest.raises(Refused, match="permission denied for large object 4711"):
        fingerprint.take(as_role(people, reader))


def test_a_value_that_cannot_be_read_names_its_table(harness_empty_database: str) -> None:
    execute(
        harness_empty_database,
        "create type mood as enum ('sad'); create table t (m mood); insert into t values ('sad')",
    )
    execute(
        harness_empty_database, "delete from pg_catalog.pg_enum where enumtypid = 'mood'::regtype"
    )
    with pytest.raises(Refused, match=r"a value cannot be read, in public\.t: .*enum"):
        fingerprint.take(harness_empty_database)


def test_a_standby_gives_the_fingerprint_of_its_primary_or_says_what_it_lacks() -> None:
    server = choose("embedded", profile="durable")
    server.start()
    try:
        execute(server.dsn(), "create table t (id int primary key); insert into t values (1)")
        admin.create(server.dsn(), "other")
        other = admin.with_dbname(server.dsn(), "other")
        execute(other, "create unlogged table u (id int)")
        before = fingerprint.take(server.dsn(), detail=True)
        server.stop()
        (Path(server.record()["home"]) / "data" / "standby.signal").touch()
        server.start()
        assert fingerprint.take(server.dsn(), detail=True) == before
        with pytest.raises(
            Refused, match=r"public\.u cannot be read: it is unlogged, and a standby"
        ):
            fingerprint.take(other)
    finally:
        server.close()


def test_other_sessions_temporary_objects_do_not_count(harness_empty_database: str) -> None:
    before = fingerprint.take(harness_empty_database)
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute("create temporary table t (id serial primary key); comment on table t is 'x'")
        conn.execute("create function pg_temp.f() returns int language sql as 'select 1'")
        conn.execute("create type pg_temp.e as enum ('a'); grant select on t to public")
        conn.execute("create statistics pg_temp.s on id, (id + 1) from t")
        assert fingerprint.take(harness_empty_database) == before


def test_no_server_is_infrastructure_and_tells_no_password() -> None:
    with pytest.raises(InfrastructureError) as caught:
        fingerprint.take("postgresql://nobody:sesame@localhost:1/none")
    assert "sesame" not in str(caught.value)


def test_fingerprints_taken_differently_are_not_compared(people: str) -> None:
    whole = fingerprint.take(people)
    with pytest.raises(UsageError, match="only one"):
        fingerprint.compare(whole, fingerprint.take(people, data=False))
    with pytest.raises(UsageError, match="different schemas"):
        fingerprint.compare(whole, fingerprint.take(people, exclude_schemas=()))


# -- saved files


def test_a_saved_fingerprint_comes_back_whole(people: str, tmp_path: Path) -> None:
    taken = fingerprint.take(people, detail=True)
    fingerprint.save(taken, tmp_path / "before.json")
    loaded = fingerprint.load(tmp_path / "before.json")
    assert loaded == taken
    assert loaded.sketches == taken.sketches
    assert fingerprint.compare(loaded, fingerprint.take(people, detail=True)) == ()
    execute(people, "alter table people alter name set not null; update people set age = 0.0")
    after = fingerprint.take(people)
    assert loaded != after
    assert "column public.people.name" in {
        d.object for d in fingerprint.compare(loaded, after) if d.attribute == "not_null"
    }


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"format": 0}', '{"format": 1}', "\x00", '{"format": 1, "a": 2}'],
)
def test_what_is_no_fingerprint_is_a_usage_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(UsageError, match="file"):
        fingerprint.load(tmp_path / "file")


def test_an_edited_file_and_a_missing_one_are_usage_errors(people: str, tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    fingerprint.save(fingerprint.take(people), file)
    file.write_text(file.read_text().replace('"rows": 5000', '"rows": 4999'))
    with pytest.raises(UsageError, match="was edited"):
        fingerprint.load(file)
    with pytest.raises(UsageError, match="No such file"):
        fingerprint.load(tmp_path / "missing")


# -- rows, named from a file


def test_a_file_names_hundreds_of_changed_rows_and_no_other(people: str, tmp_path: Path) -> None:
    fingerprint.save(fingerprint.take(people, detail=True), tmp_path / "before")
    execute(people, "update people set name = name || '!' where id % 100 = 0")
    after = fingerprint.take(people, detail=True)
    found = names(fingerprint.compare(fingerprint.load(tmp_path / "before"), after))
    keys = {int(key.removeprefix("id=")) for key, _ in found if key}
    assert all(key % 100 == 0 for key in keys)
    assert len(keys) >= 40  # of 50; two of them may share a group
    assert {attribute for key, attribute in found if key} == {"name"}


def test_a_file_says_when_it_cannot_name_rows(people: str) -> None:
    before = fingerprint.take(people, detail=True)
    execute(people, "update people set age = age + 1")
    after = fingerprint.take(people, detail=True)
    notes = [d.note for d in fingerprint.compare(before, after) if d.note]
    assert any("too many to be named" in note and "in age:" in note for note in notes)


def test_an_added_and_a_deleted_row_are_named_by_any_key(people: str) -> None:
    before = fingerprint.take(people, detail=True)
    execute(people, "delete from tags where name = 'tag 7'; insert into tags values ('new', 'x')")
    after = fingerprint.take(people, detail=True)
    assert set(names(fingerprint.compare(before, after))) == {
        ('name="tag 7"', "row"),
        ('name="new"', "row"),
    }


def test_without_detail_the_table_is_named(people: str) -> None:
    before = fingerprint.take(people)
    execute(people, "update people set age = 0 where id = 7")
    (difference,) = fingerprint.compare(before, fingerprint.take(people))
    assert difference.object == "table public.people"
    assert "rows_that_differ" in difference.note


# -- rows, named from two live databases


def test_live_databases_name_rows_columns_and_values(people: str, twin: str) -> None:
    assert fingerprint.compare_databases(people, twin) == ()
    execute(
        twin,
        "update people set name = null, age = 7.0 where id = 7; delete from people where id = 8;"
        " insert into people (id) values (9999); update words set word = 'c' where word = 'b'",
    )
    found = fingerprint.compare_databases(people, twin)
    rows = {
        (d.key, d.attribute, d.before, d.after) for d in found if d.object != "table public.words"
    }
    assert rows == {
        ("id=7", "name", "person 7", None),
        ("id=7", "age", "7", "7.0"),
        ("id=8", "row", "present", "absent"),
        ("id=9999", "row", "absent", "present"),
    }
    words = {(d.key, d.before, d.after) for d in found if d.object == "table public.words"}
    assert words == {("(b)", "1", "0"), ("(c)", "0", "1")}


def test_live_databases_name_as_many_rows_as_asked(people: str, twin: str) -> None:
    execute(twin, "update people set age = age + 1")
    found = fingerprint.rows_that_differ(people, twin, "public.people", limit=10)
    assert len([d for d in found if d.key]) == 10
    assert "there may be more" in found[-1].note


def test_tables_of_different_shape_are_not_compared_by_row(people: str, twin: str) -> None:
    execute(twin, "alter table people rename age to years")
    (difference,) = fingerprint.rows_that_differ(people, twin, "public.people")
    assert "columns differ" in difference.note


def test_a_table_that_is_not_there_is_a_usage_error(people: str, twin: str) -> None:
    with pytest.raises(UsageError, match=r"no table public\.persons"):
        fingerprint.rows_that_differ(people, twin, "public.persons")


# -- sequences


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        ("select nextval('s')", "ahead"),
        ("select setval('s', 2)", "behind"),
        ("select setval('s', 6, false)", "the next number is the same"),
    ],
)
def test_a_sequence_is_ahead_or_behind(
    harness_empty_database: str, statement: str, note: str
) -> None:
    execute(harness_empty_database, "create sequence s; select setval('s', 5)")
    before = fingerprint.take(harness_empty_database)
    execute(harness_empty_database, statement)
    after = fingerprint.take(harness_empty_database)
    (difference,) = fingerprint.compare(before, after)
    assert (difference.kind, difference.note) == ("sequences", note)
    tolerated = fingerprint.compare(before, after, allow_sequence_gaps=True)
    assert tolerated == (() if note != "behind" else (difference,))


def test_a_descending_sequence_is_ahead_when_it_is_lower(harness_empty_database: str) -> None:
    execute(harness_empty_database, "create sequence s increment -1; select setval('s', -5)")
    before = fingerprint.take(harness_empty_database)
    execute(harness_empty_database, "select nextval('s')")
    (difference,) = fingerprint.compare(before, fingerprint.take(harness_empty_database))
    assert difference.note == "ahead"


# -- messages


def test_a_difference_reads_as_one_sentence() -> None:
    difference = Difference("data", "table t", "name", "old", None, key="id=7")
    assert str(difference) == 'data: table t id=7: name was "old", is nothing'
    long = dataclasses.replace(difference, before="x" * 500)
    assert len(str(long)) < 250
    bare = Difference("data", "table t", "contents", None, None, note="why")
    assert str(bare) == "data: table t: contents (why)"


def test_figures_are_of_the_rows_that_are_there(people: str) -> None:
    figures = measure(people, rounds=1)
    assert figures.rows == 5053
    assert min(figures.whole_seconds, figures.catalog_seconds, figures.row_text_seconds) > 0
