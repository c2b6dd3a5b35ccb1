"""Rows made from a catalog: what cannot be filled is said by constraint, and not half done."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from harness.core.errors import Refused, UsageError
from harness.database import admin
from harness.rows import Filled, fill_schema
from harness.rows.sample import nested
from harness.rows.stream import _MAKERS, Stream
from harness.server import Server

from .support import HERE, fill, make_schema

UNFILLABLE = sorted((HERE / "unfillable").glob("*.sql"))


def execute(dsn: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in statements:
            cursor = conn.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def unfilled(filled: Filled) -> dict[str, str]:
    return {table.table: table.constraint for table in filled.unfilled}


def test_the_reference_baseline_is_filled(harness_baseline: str) -> None:
    filled = fill_schema(harness_baseline, rows=50)
    assert set(filled.tables.values()) == {50}
    assert not filled.unfilled
    assert not filled.limited


@pytest.mark.parametrize("path", UNFILLABLE, ids=lambda path: path.stem)
def test_a_table_that_cannot_be_filled_is_named_with_its_constraint(
    harness_empty_database: str, path: Path
) -> None:
    schema = path.read_text()
    constraint = schema.splitlines()[0].removeprefix("-- ")
    execute(harness_empty_database, schema, "CREATE TABLE other (id int PRIMARY KEY)")
    filled = fill(harness_empty_database)
    assert unfilled(filled)["public.x"] == constraint
    assert filled.tables["public.x"] == 0
    assert execute(harness_empty_database, "SELECT FROM x") == []
    assert filled.tables["public.other"] == 60


def test_what_refers_to_an_unfilled_table_is_null_or_unfilled(harness_empty_database: str) -> None:
    execute(
        harness_empty_database,
        "CREATE TABLE x (id int PRIMARY KEY CHECK (id <> id))",
        "CREATE TABLE may (id int PRIMARY KEY, x_id int REFERENCES x)",
        "CREATE TABLE must (id int PRIMARY KEY, x_id int NOT NULL CONSTRAINT must_x REFERENCES x)",
    )
    filled = fill(harness_empty_database)
    assert unfilled(filled) == {"public.x": "x_id_check", "public.must": "must_x"}
    assert filled.tables["public.may"] == 60


def test_a_broken_generator_is_caught(
    harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(nested._BASES, "date", lambda _field, _rng: "2024-02-30")
    monkeypatch.setitem(_MAKERS, "int8", lambda *_: Stream(lambda _row: "7", 1 << 30))
    execute(
        harness_empty_database,
        "CREATE TABLE dated (day date NOT NULL)",
        "CREATE TABLE counted (id bigint PRIMARY KEY)",
        "CREATE TABLE sound (id int PRIMARY KEY)",
    )
    filled = fill(harness_empty_database)
    assert unfilled(filled) == {"public.dated": "22008"}
    assert [(limited.table, limited.rows) for limited in filled.limited] == [("public.counted", 1)]
    assert filled.tables["public.sound"] == 60


def test_sequences_go_on_after_the_rows(harness_empty_database: str) -> None:
    make_schema(harness_empty_database, "generated")
    fill(harness_empty_database)
    made = execute(
        harness_empty_database, "INSERT INTO item (net) VALUES (1) RETURNING id, down"
    )  # fmt: skip
    assert made == [(1000 + 60 * 5, -61)]


def test_row_security_holds_for_the_rows(harness_empty_database: str) -> None:
    dsn = harness_empty_database
    role = f"seeder_{psycopg.conninfo.conninfo_to_dict(dsn)['dbname']}"
    execute(
        dsn,
        f"CREATE ROLE {role}",
        "CREATE TABLE seen (id int PRIMARY KEY, shop int NOT NULL CHECK (shop IN (1, 2)))",
        "CREATE TABLE unseen (id int PRIMARY KEY)",
        "ALTER TABLE seen ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE unseen ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY of_shop ON seen TO {role} USING (true) WITH CHECK (shop = 1)",
        f"CREATE POLICY no_write ON unseen FOR SELECT TO {role} USING (true)",
        f"GRANT SELECT, INSERT ON seen, unseen TO {role}",
    )
    try:
        filled = fill(f"{dsn}{'&' if '?' in dsn else '?'}options=-crole%3D{role}")
        assert filled.tables == {"public.seen": 60, "public.unseen": 0}
        assert "row-level security of public.seen held for its rows" in filled.notes
        assert execute(dsn, "SELECT DISTINCT shop FROM seen") == [(1,)]
    finally:
        execute(dsn, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_database_at_work_is_not_seeded(harness_empty_database: str) -> None:
    execute(
        harness_empty_database,
        "CREATE TABLE few AS SELECT generate_series(1, 1000) AS id",
        "CREATE TABLE many AS SELECT generate_series(1, 1001) AS id",
    )
    with pytest.raises(Refused, match=r"public.many already has rows"):
        fill_schema(harness_empty_database, rows=5, fresh=True)
    execute(harness_empty_database, "DELETE FROM many WHERE id = 1")
    filled = fill_schema(harness_empty_database, rows=5, fresh=True)
    assert filled.tables == {"public.few": 5, "public.many": 5}


@pytest.mark.parametrize("arguments", [{"rows": 0}, {"rows": 1 << 40}, {"profile": "odd"}])
def test_arguments_that_mean_nothing_are_refused(
    harness_empty_database: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(UsageError):
        fill_schema(harness_empty_database, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", ["real", "hostile"])
def test_names_fit_the_encoding_of_the_database(
    harness_server: Server, harness_empty_database: str, profile: str
) -> None:
    name = admin.unique_name("harness_latin")
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'".encode()
        )
    try:
        dsn = admin.with_dbname(harness_server.dsn(), name)
        execute(dsn, "CREATE TABLE x (id int PRIMARY KEY, first_name text, last_name text UNIQUE)")
        assert fill(dsn, rows=300, profile=profile).tables == {"public.x": 300}
    finally:
        admin.drop(harness_server.dsn(), name)
