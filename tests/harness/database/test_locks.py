"""The table of lock modes is the server's: every pair is tried on a real table."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from harness.database import admin
from harness.database.locks import BY_NAME, MODES, LockMode, strength_of_mode
from harness.database.names import split_name


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_the_rival_is_the_weakest_mode_that_conflicts(
    mode: LockMode, harness_empty_database: str
) -> None:
    lock = sql.SQL("lock table public.t in {} mode nowait")
    with admin.connection(harness_empty_database) as conn:
        conn.execute("create table public.t (id int)")
    with admin.connection(harness_empty_database) as held, held.transaction():
        held.execute(lock.format(sql.SQL(mode.words)))
        (seen,) = held.execute(
            "select mode from pg_locks where relation = 'public.t'::regclass"
        ).fetchall()
        assert BY_NAME[seen[0]] is mode
        refused = [one.words for one in MODES if _is_refused(harness_empty_database, one)]
    assert refused[0] == mode.rival


def _is_refused(dsn: str, mode: LockMode) -> bool:
    lock = sql.SQL("lock table public.t in {} mode nowait").format(sql.SQL(mode.words))
    with admin.connection(dsn) as conn:
        try:
            with conn.transaction():
                conn.execute(lock)
        except psycopg.errors.LockNotAvailable:
            return True
    return False


def test_modes_that_are_no_table_locks_are_the_weakest() -> None:
    assert strength_of_mode("SIReadLock") == -1
    assert strength_of_mode("AccessShareLock") == 0


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("app.things", ("app", "things")),
        ('"Weird Schema"."Odd.Table"', ("Weird Schema", "Odd.Table")),
        ('"a""b".c', ('a"b', "c")),
    ],
)
def test_a_written_name_is_taken_apart(written: str, parts: tuple[str, ...]) -> None:
    assert split_name(written) == parts
