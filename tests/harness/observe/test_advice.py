"""The one error table: what a server really says stands in it, with whose fault it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness.core import sqlstate
from harness.core.errors import InfrastructureError
from harness.database import admin
from harness.observe.advice import advise
from harness.server.session import session
from tests.harness.support.runner import run_sql

TABLES = """
CREATE TABLE public.a (id int PRIMARY KEY, word text NOT NULL, n int CHECK (n < 10));
CREATE TABLE public.b (id int, a_id int REFERENCES public.a);
CREATE TABLE public.c (at int4range, EXCLUDE USING gist (at WITH &&));
CREATE VIEW public.v AS SELECT id FROM public.a;
CREATE MATERIALIZED VIEW public.m AS SELECT id FROM public.a WITH NO DATA;
CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE public.e AS ENUM ('x');
INSERT INTO public.a VALUES (1, 'one', 1);
INSERT INTO public.c VALUES ('[1, 5]');
"""
PROVOKED = {
    "0A000": "SELECT DISTINCT id FROM public.a FOR UPDATE",
    "22001": "ALTER TABLE public.a ALTER word TYPE varchar(1)",
    "22003": "SELECT 99999::int::smallint",
    "22012": "SELECT 1 / (id - 1) FROM public.a",
    "22P02": "SELECT word::int FROM public.a",
    "23502": "INSERT INTO public.a VALUES (2, NULL)",
    "23503": "INSERT INTO public.b VALUES (1, 9)",
    "23505": "INSERT INTO public.a VALUES (1, 'again')",
    "23514": "INSERT INTO public.a VALUES (2, 'two', 11)",
    "23P01": "INSERT INTO public.c VALUES ('[2, 3]')",
    "25001": "BEGIN; SELECT 1; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "25006": "BEGIN READ ONLY; INSERT INTO public.a VALUES (3, 'three')",
    "2BP01": "DROP TABLE public.a",
    "3F000": "CREATE TABLE nowhere.t (id int)",
    "42501": "SET ROLE pg_monitor; SELECT * FROM public.a",
    "42601": "SELEC 1",
    "42701": "ALTER TABLE public.a ADD n int",
    "42702": "SELECT id FROM public.a JOIN public.b ON true",
    "42703": "SELECT missing FROM public.a",
    "42704": "DROP TYPE public.missing",
    "42710": "CREATE TYPE public.e AS ENUM ('x')",
    "42723": "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "42804": "ALTER TABLE public.a ALTER word TYPE int",
    "42809": "DROP TABLE public.v",
    "42883": "SELECT public.missing(1)",
    "42P01": "SELECT 1 FROM public.missing",
    "42P06": "CREATE SCHEMA public",
    "42P07": "CREATE TABLE public.a (id int)",
    "42P10": "INSERT INTO public.b VALUES (1) ON CONFLICT (id) DO NOTHING",
    "54011": "DO $$ BEGIN EXECUTE 'CREATE TABLE public.w (' || (SELECT string_agg('c' || g ||"
    " ' int', ',') FROM generate_series(1, 1601) g) || ')'; END $$",
    "55000": "SELECT * FROM public.m",
    "55006": "BEGIN; DECLARE k CURSOR FOR SELECT * FROM public.b; FETCH k; DROP TABLE public.b",
    "55P03": "SET lock_timeout = '1ms'; ALTER TABLE public.held ADD n int",
    "55P04": "BEGIN; ALTER TYPE public.e ADD VALUE 'y'; SELECT 'y'::public.e",
    "57014": "SET statement_timeout = '1ms'; SELECT pg_sleep(60)",
    "P0001": "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$",
}


@pytest.fixture
def held(harness_empty_database: str) -> Iterator[str]:
    """A database with a few objects, and a table that another session holds."""
    run_sql(harness_empty_database, TABLES + "CREATE TABLE public.held (id int)")
    with psycopg.connect(harness_empty_database) as other:
        other.execute("LOCK TABLE public.held")
        yield harness_empty_database


def met(dsn: str, text: str) -> psycopg.Error:
    with (
        psycopg.connect(dsn, autocommit=True) as conn,
        pytest.raises(psycopg.Error) as caught,
    ):
        conn.execute(text.encode())
    return caught.value


def test_what_the_server_says_stands_in_the_table_by_its_own_state(held: str) -> None:
    missed = dict[str, str]()
    for state, text in PROVOKED.items():
        error = met(held, text)
        known = advise(error)
        if error.sqlstate != state:
            missed[state] = f"{error.sqlstate}: {error}"
        elif state not in sqlstate.BY_STATE or known.kind == "unknown" or not known.advice:
            missed[state] = "not in the table"
    assert missed == {}


def test_a_refused_connection_is_told_by_the_same_table(harness_empty_database: str) -> None:
    name, database = admin.unique_name("few"), admin.dbname(harness_empty_database)
    run_sql(harness_empty_database, f"CREATE ROLE {name} LOGIN PASSWORD 'x' CONNECTION LIMIT 1")
    dsn = make_conninfo(harness_empty_database, user=name, password="x")
    try:
        with contextlib.closing(session(dsn)), pytest.raises(InfrastructureError) as refused:
            session(dsn)
        assert "too many connections for role" in refused.value.message
        assert refused.value.hint == sqlstate.advice_for("53300").advice
        with pytest.raises(InfrastructureError) as refused:
            session(make_conninfo(harness_empty_database, dbname=f"{database}_no"))
        assert refused.value.hint == "check the database's name, or create it"
    finally:
        run_sql(harness_empty_database, f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("FATAL:  sorry, too many clients already", "53300"),
        ("FATAL:  remaining connection slots are reserved for roles with SUPERUSER", "53300"),
        ("FATAL: no more connections allowed (max_client_conn)", "53300"),
        ("FATAL:  the database system is starting up", "57P03"),
        ("connection refused", None),
    ],
)
def test_words_without_a_state_are_known(said: str, state: str | None) -> None:
    assert sqlstate.state_by_words(said) == state


def test_every_state_of_the_table_has_a_class() -> None:
    states = {*sqlstate.BY_STATE, *sqlstate.BY_CLASS}
    assert {state for state in states if sqlstate.class_of(state) == "unknown"} == set()
    unknown = advise(psycopg.OperationalError("connection refused"))
    assert (unknown.state, unknown.kind, unknown.retryable) == ("", "unknown", False)
