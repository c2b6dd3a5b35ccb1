"""Promises of the fingerprint that are no single flip."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import psycopg
import pytest

from harness.core.errors import Refused
from harness.database import admin, fingerprint
from harness.database.fingerprint import Difference
from harness.database.fingerprint.measure import measure
from harness.server import choose
from tests.harness.support.people_tables import execute

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
