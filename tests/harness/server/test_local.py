"""Servers from binaries: they start, die, come back and keep what they promised."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg
import pytest

from harness.core.errors import HarnessError, InfrastructureError, UsageError
from harness.core.poll import wait_until
from harness.server import Server, attach, choose, find_client, pidfile, port, process
from harness.server.local import LocalServer
from tests.harness.support.server import left_of, one, require, segments

Start = Callable[..., LocalServer]


@pytest.fixture(params=["embedded", "system"])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def prepare() -> Iterator[Start]:
    made: list[Server] = []

    def prepare(provider: str = "embedded", profile: str = "fast") -> LocalServer:
        try:
            server = choose(provider, profile=profile)
        except InfrastructureError as error:
            require(provider, str(error))
        assert isinstance(server, LocalServer)
        made.append(server)
        return server

    yield prepare
    for server in made:
        server.close()


@pytest.fixture
def start(prepare: Start) -> Start:
    def start(provider: str = "embedded", profile: str = "fast") -> LocalServer:
        server = prepare(provider, profile)
        server.start()
        return server

    return start


def test_answers_as_what_it_says_it_is(start: Start, provider: str) -> None:
    server = start(provider)
    assert int(one(server.dsn(), "show server_version_num")) // 10_000 == server.version
    assert one(server.dsn(), "show server_encoding") == "UTF8"
    assert one(server.dsn(), "select datcollate from pg_database where datname = 'postgres'") == "C"
    assert one(server.dsn(), "select upper('é')") == "É"
    assert one(server.dsn(), "show listen_addresses") == "127.0.0.1"
    assert provider in server.provider
    assert str(server.version) in server.why


def test_profiles_differ_in_what_they_wait_for(start: Start) -> None:
    fast, durable = start(profile="fast"), start(profile="durable")
    assert one(fast.dsn(), "show synchronous_commit") == "off"
    assert one(durable.dsn(), "show synchronous_commit") == "on"
    assert one(fast.dsn(), "show fsync") == "off"
    assert one(durable.dsn(), "show fsync") == "on"


def test_an_unknown_profile_or_provider_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="fast, durable"):
        choose("embedded", profile="quick")
    with pytest.raises(UsageError, match="embedded"):
        choose("imbedded")


def test_tcp_wants_the_password(start: Start) -> None:
    server = start()
    wrong = server.dsn().replace(str(server.record()["password"]), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_a_commit_survives_a_kill_on_durable(start: Start, provider: str) -> None:
    server = start(provider, "durable")
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("create table kept as select 1 as n")
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("insert into kept values (2)")
        conn.commit()
        conn.execute("insert into kept values (3)")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            conn.commit()
    before = server.dsn()
    server.restart()
    assert server.dsn() == before
    assert one(server.dsn(), "select array_agg(n order by n) from kept") == [1, 2]


def test_kill_ends_every_process_of_the_server(start: Start) -> None:
    server = start()
    family = psutil.Process(server.pid).children(recursive=True)
    assert family
    with psycopg.connect(server.dsn(), autocommit=True):
        server.kill()
    assert server.pid is None
    assert [each.pid for each in family if process.started(each.pid)] == []
    assert process.of_server(server.data_dir) == []


def test_nobody_ends_in_good_order_in_a_kill(start: Start) -> None:
    """A backend that sees its postmaster die lets go of its locks, and says so in the log."""
    server = start()
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(contextlib.closing(psycopg.connect(server.dsn())))
        offset = server.log_offset()
        server.kill()
    assert "postmaster exit" not in server.log(offset)


def test_start_waits_for_the_children_of_a_postmaster_that_somebody_else_killed(
    start: Start,
) -> None:
    server = start(profile="durable")
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        backend = conn.info.backend_pid
        os.kill(backend, signal.SIGSTOP)  # it cannot notice that its postmaster dies
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: server.pid is None, 60, "the postmaster to die")
        offset = server.log_offset()
        starting = threading.Thread(target=server.start)
        starting.start()
        try:
            server.wait_for_log("pre-existing shared memory block", offset)
            assert starting.is_alive()
        finally:
            os.kill(backend, signal.SIGCONT)
            starting.join(60)
    assert one(server.dsn(), "select 1") == 1


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_stop_ends_every_process_and_keeps_the_data(start: Start, mode: str) -> None:
    server = start(profile="durable")
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("create table kept ()")
    server.stop(mode)  # type: ignore[arg-type]
    assert process.of_server(server.data_dir) == []
    server.start()
    assert one(server.dsn(), "select count(*) from pg_class where relname = 'kept'") == 1


def test_close_removes_everything_and_may_be_repeated(start: Start) -> None:
    server = start()
    record = server.record()
    found = pidfile.read(server.data_dir)
    assert found is not None
    assert found.shared_memory in segments()
    assert len(left_of(record)) > 2
    server.close()
    server.close()
    assert left_of(record) == []
    assert found.shared_memory not in segments()
    with pytest.raises(HarnessError, match="closed"):
        attach(record).start()


def test_four_at_once_get_four_ports(prepare: Start) -> None:
    servers = [prepare() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda server: server.start(), servers))
    assert len({server.port for server in servers}) == 4
    homes = {one(server.dsn(), "show data_directory") for server in servers}
    assert homes == {str(server.data_dir) for server in servers}


def test_a_port_taken_after_it_was_reserved_is_given_up(prepare: Start) -> None:
    server = prepare()
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", server.port))
        thief.listen()
        taken = server.port
        assert not port.is_free(taken)
        server.start()
    assert server.port != taken
    assert one(server.dsn(), "select 1") == 1


def test_the_log_is_read_from_an_offset(start: Start) -> None:
    server = start()
    say(server, "first words")
    server.wait_for_log("first words")
    offset = server.log_offset()
    say(server, "second words")
    assert server.wait_for_log("second w.rds", offset) == "second words"
    assert "first words" not in server.log(offset)
    with pytest.raises(TimeoutError, match="first words"):
        server.wait_for_log("first words", offset, timeout=0.1)


def say(server: Server, words: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute(f"do $$ begin raise log '{words}'; end $$")  # type: ignore[call-overload, unused-ignore]


def test_a_server_that_cannot_start_says_why(start: Start) -> None:
    server = start()
    server.stop()
    (server.data_dir / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(InfrastructureError, match="no_such_setting"):
        server.start()


def test_clients_come_in_the_version_asked_for() -> None:
    newest = find_client("pg_dump")
    assert newest.exists()
    with pytest.raises(InfrastructureError, match="no pg_dump for Postgres 99"):
        find_client("pg_dump", 99)
