"""A temporary database lives as long as its maker, and nothing else is ever dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.database import admin, temporary
from harness.poll import wait_until

if TYPE_CHECKING:
    from harness.server import Server

KIND = temporary.Kind("harness_test_temporary", "temporary database of a test; may be dropped")


@contextmanager
def left_behind(server: Server, *, marked: bool = True) -> Iterator[str]:
    """A database like one whose maker was killed."""
    name = admin.unique_name(KIND.prefix)
    admin.create(server.dsn(), name)
    try:
        with admin.connection(server.dsn()) as conn:
            if marked:
                temporary.mark(conn, KIND, name)
        yield name
    finally:
        admin.drop(server.dsn(), name)


def swept(server: Server) -> None:
    """What the next maker drops before it makes its own."""
    with temporary.reserved(server.dsn(), KIND):
        pass


def test_what_a_killed_maker_left_is_dropped_by_the_next(pg_server: Server) -> None:
    with left_behind(pg_server) as name:
        swept(pg_server)
        assert not admin.exists(pg_server.dsn(), name)


def test_it_is_dropped_although_somebody_is_connected(pg_server: Server) -> None:
    with left_behind(pg_server) as name, admin.connection(pg_server.dsn(name)):
        swept(pg_server)
        assert not admin.exists(pg_server.dsn(), name)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_lives_stays_whichever_database_its_lock_is_in(
    pg_server: Server, empty_database: str, elsewhere: bool
) -> None:
    with left_behind(pg_server) as name:
        with admin.connection(empty_database if elsewhere else pg_server.dsn()) as conn:
            temporary.hold(conn, KIND, name)
            swept(pg_server)
            assert admin.exists(pg_server.dsn(), name)
        wait_until(lambda: _gone(pg_server, name), 60, "the end of the lock")


def _gone(server: Server, name: str) -> bool:
    swept(server)
    return not admin.exists(server.dsn(), name)


def test_what_is_not_marked_stays_whatever_its_name(pg_server: Server) -> None:
    with left_behind(pg_server, marked=False) as name:
        swept(pg_server)
        assert admin.exists(pg_server.dsn(), name)


def test_what_is_marked_as_another_kind_stays(pg_server: Server) -> None:
    other = temporary.Kind(KIND.prefix, "something else")
    with left_behind(pg_server) as name:
        with temporary.reserved(pg_server.dsn(), other):
            pass
        assert admin.exists(pg_server.dsn(), name)


def _fails_inside(server: Server, names: list[str]) -> None:
    with temporary.reserved(server.dsn(), KIND) as name:
        admin.create(server.dsn(), name)
        names.append(name)
        raise ZeroDivisionError


def test_it_is_dropped_when_the_block_fails(pg_server: Server) -> None:
    names: list[str] = []
    with pytest.raises(ZeroDivisionError):
        _fails_inside(pg_server, names)
    assert not admin.exists(pg_server.dsn(), names[0])
