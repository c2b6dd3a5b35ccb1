"""A temporary database lives as long as its maker, and nothing else is ever dropped."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.core.poll import wait_until
from harness.database import admin, temporary
from tests.harness.support.runner import ask, open_transaction, run_sql

if TYPE_CHECKING:
    from harness.server import Server

KIND = temporary.Kind("harness_test_temporary", "temporary database of a test; may be dropped")


@contextmanager
def left_behind(server: Server, *, name: str | None = None, mark: str = "") -> Iterator[str]:
    """A database like one whose maker was killed; another name, and the comment of earlier ones."""
    name = name or KIND.new_name()
    admin.create(server.dsn(), name)
    try:
        if mark:
            run_sql(server.dsn(), f"COMMENT ON DATABASE {name} IS '{mark}'")
        yield name
    finally:
        admin.drop(server.dsn(), name)


def swept(server: Server) -> None:
    """What the next maker drops before it makes its own."""
    with temporary.reserved(server.dsn(), KIND):
        pass


def test_what_a_killed_maker_left_is_dropped_by_the_next(harness_server: Server) -> None:
    with left_behind(harness_server) as name:
        swept(harness_server)
        assert not admin.exists(harness_server.dsn(), name)


def test_it_is_dropped_although_somebody_is_connected(harness_server: Server) -> None:
    with left_behind(harness_server) as name, admin.connection(harness_server.dsn(name)):
        swept(harness_server)
        assert not admin.exists(harness_server.dsn(), name)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_lives_stays_whichever_database_its_lock_is_in(
    harness_server: Server, harness_empty_database: str, elsewhere: bool
) -> None:
    with left_behind(harness_server) as name:
        with admin.connection(
            harness_empty_database if elsewhere else harness_server.dsn()
        ) as conn:
            temporary.hold(conn, KIND, name)
            swept(harness_server)
            assert admin.exists(harness_server.dsn(), name)
        wait_until(lambda: _gone(harness_server, name), 60, "the end of the lock")


def _gone(server: Server, name: str) -> bool:
    swept(server)
    return not admin.exists(server.dsn(), name)


def test_one_that_an_earlier_version_marked_is_dropped(harness_server: Server) -> None:
    with left_behind(harness_server, name=admin.unique_name(KIND.prefix), mark=KIND.mark) as name:
        swept(harness_server)
        assert not admin.exists(harness_server.dsn(), name)


def _alike(ours: str) -> list[str]:
    """Names that a foreign database may have: ours but for a digit, a process id, an end."""
    body, _, check = ours.rpartition("_")
    other = "0" if check[0] != "0" else "1"
    prefix, pid, rest = body.rsplit("_", 2)
    return [
        f"{body}_{other}{check[1:]}",
        f"{prefix}_{int(pid) + 1}_{rest}_{check}",
        f"{ours}x",
        f"{prefix}_backup",
        admin.unique_name(prefix),
    ]


def test_a_foreign_database_of_a_similar_name_is_never_dropped(harness_server: Server) -> None:
    with ExitStack() as stack:
        names = [
            stack.enter_context(left_behind(harness_server, name=name))
            for name in _alike(KIND.new_name())
        ]
        swept(harness_server)
        assert [name for name in names if not admin.exists(harness_server.dsn(), name)] == []


def test_the_copy_that_a_killed_maker_was_making_is_waited_for_and_dropped(
    harness_server: Server, harness_empty_database: str
) -> None:
    name, maker = KIND.new_name(), subprocess.Popen(["true"])
    maker.wait()  # the name's process is dead, and the server still makes the database
    name = name.replace(f"_{os.getpid()}_", f"_{maker.pid}_")
    body = name.rpartition("_")[0]
    name = f"{body}_{temporary.checksum(body)}"
    source = admin.dbname(harness_empty_database)

    def make() -> None:
        run_sql(harness_server.dsn(), f'create database "{name}" template {source}')

    with open_transaction(harness_empty_database, "SELECT 1"):  # it waits for this one, up to 5 s
        making = threading.Thread(target=make)
        making.start()
        wait_until(lambda: _creating(harness_server, name), 60, "the copy to begin")
        sweeping = threading.Thread(target=swept, args=[harness_server])
        sweeping.start()
    making.join()
    sweeping.join()
    assert not admin.exists(harness_server.dsn(), name)


def _creating(server: Server, name: str) -> bool:
    text = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s"
    return bool(ask(server.dsn(), text, f'create database "{name}%'))


def test_what_is_marked_as_another_kind_stays(harness_server: Server) -> None:
    other = temporary.Kind(KIND.prefix, "something else")
    name = admin.unique_name(KIND.prefix)
    with left_behind(harness_server, name=name, mark=KIND.mark):
        with temporary.reserved(harness_server.dsn(), other):
            pass
        assert admin.exists(harness_server.dsn(), name)


def _fails_inside(server: Server, names: list[str]) -> None:
    with temporary.reserved(server.dsn(), KIND) as name:
        admin.create(server.dsn(), name)
        names.append(name)
        raise ZeroDivisionError


def test_it_is_dropped_when_the_block_fails(harness_server: Server) -> None:
    names: list[str] = []
    with pytest.raises(ZeroDivisionError):
        _fails_inside(harness_server, names)
    assert not admin.exists(harness_server.dsn(), names[0])
