"""Templates are built once, sealed, and never taken for whole when they are not."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from harness.core.errors import InfrastructureError, Refused, UsageError
from harness.core.poll import wait_until
from harness.database import admin, limits, template
from harness.server import Server


def build(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("create table rows as select generate_series(1, 10) as id")


def rows(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select count(*) from rows").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def key(harness_server: Server) -> Iterator[str]:
    """A key of this test's own, whose template is dropped at the end."""
    name = admin.unique_name("test")
    yield name
    admin.drop(harness_server.dsn(), template.name_of(name))
    admin.drop(harness_server.dsn(), template.name_of(name + " derived"))


@pytest.fixture
def made(harness_server: Server) -> Iterator[list[str]]:
    """DSNs of databases to drop at the end."""
    dsns: list[str] = []
    yield dsns
    for dsn in dsns:
        admin.drop(harness_server.dsn(), admin.dbname(dsn))


def test_a_template_is_built_once(harness_server: Server, key: str) -> None:
    built: list[str] = []

    def count(dsn: str) -> None:
        built.append(dsn)
        build(dsn)

    names = {template.ensure(harness_server.dsn(), key, count) for _ in range(3)}
    assert len(names) == len(built) == 1


ASK = """
import sys, psycopg
from harness.database import template
def build(dsn):
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("create table rows as select generate_series(1, 10) as id")
        conn.execute("select pg_sleep(0.3)")
    sys.stdout.write("built ")
sys.stdout.write(template.ensure(sys.argv[1], sys.argv[2], build))
"""


def test_of_many_processes_one_builds_and_all_get_it(harness_server: Server, key: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, harness_server.dsn(), key],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = [process.communicate(timeout=60)[0] for process in processes]
    assert sorted(line.split() for line in told) == [
        ["built", template.name_of(key)],
        [template.name_of(key)],
        [template.name_of(key)],
    ]


def waits_longer(server: Server, key: str) -> bool:
    """Whether a session has waited for the key's lock for longer than the limit on locks."""
    with admin.connection(server.dsn()) as conn:
        row = conn.execute(
            "select exists (select from pg_locks join pg_stat_activity using (pid)"
            " where locktype = 'advisory' and not granted and objid = %s"
            " and clock_timestamp() - query_start > interval '100 ms')",
            [int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")],
        ).fetchone()
    return row == (True,)


def test_a_limit_on_locks_does_not_end_the_wait_for_another_builder(
    harness_server: Server, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits._bounds, "lock_timeout", "50ms")
    begun = threading.Event()

    def slowly(dsn: str) -> None:
        begun.set()
        wait_until(lambda: waits_longer(harness_server, key), 60, "another builder to wait")

    with ThreadPoolExecutor() as threads:
        first = threads.submit(template.ensure, harness_server.dsn(), key, slowly)
        assert begun.wait(60)
        assert template.ensure(harness_server.dsn(), key, build) == first.result()


def test_a_template_takes_no_connections(harness_server: Server, key: str) -> None:
    name = template.ensure(harness_server.dsn(), key, build)
    with pytest.raises(InfrastructureError, match="not currently accepting connections"):
        admin.connect(admin.with_dbname(harness_server.dsn(), name))


def test_a_build_that_failed_is_built_again(harness_server: Server, key: str) -> None:
    def fail(dsn: str) -> None:
        build(dsn)
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        template.ensure(harness_server.dsn(), key, fail)
    assert admin.exists(harness_server.dsn(), template.name_of(key))  # what a crash leaves, too
    name = template.ensure(harness_server.dsn(), key, build)
    with psycopg.connect(harness_server.dsn()) as conn:
        row = conn.execute(
            "select datistemplate, datallowconn from pg_database where datname = %s", (name,)
        ).fetchone()
    assert row == (True, False)


def test_a_database_of_that_name_with_another_key_is_no_template(
    harness_server: Server, key: str, made: list[str]
) -> None:
    admin.create(harness_server.dsn(), template.name_of(key))
    with psycopg.connect(harness_server.dsn(), autocommit=True) as conn:
        conn.execute(
            f"alter database {template.name_of(key)} is_template true allow_connections false"
        )
    name = template.ensure(harness_server.dsn(), key, build)
    made.append(template.clone(harness_server.dsn(), name))
    assert rows(made[0]) == 10


def test_a_build_that_leaves_connections_open_is_sealed(harness_server: Server, key: str) -> None:
    left: list[psycopg.Connection[tuple[object, ...]]] = []

    def careless(dsn: str) -> None:
        build(dsn)
        left.append(psycopg.connect(dsn))

    name = template.ensure(harness_server.dsn(), key, careless)
    left[0].close()
    assert admin.exists(harness_server.dsn(), name)


def test_clones_are_apart_from_each_other_and_from_the_template(
    harness_server: Server, key: str, made: list[str]
) -> None:
    name = template.ensure(harness_server.dsn(), key, build)
    made += [template.clone(harness_server.dsn(), name) for _ in range(2)]
    with psycopg.connect(made[0], autocommit=True) as conn:
        conn.execute("delete from rows where id > 3")
    made.append(template.clone(harness_server.dsn(), name))
    assert [rows(dsn) for dsn in made] == [3, 10, 10]
    assert len(set(made)) == 3


def test_a_clone_may_be_given_a_name(harness_server: Server, key: str, made: list[str]) -> None:
    name = template.ensure(harness_server.dsn(), key, build)
    wanted = admin.unique_name("wanted")
    made.append(template.clone(harness_server.dsn(), name, wanted))
    assert admin.dbname(made[0]) == wanted
    with pytest.raises(Refused, match="already exists"):
        template.clone(harness_server.dsn(), name, wanted)


def test_a_template_may_begin_as_another_one(
    harness_server: Server, key: str, made: list[str]
) -> None:
    base = template.ensure(harness_server.dsn(), key, build)

    def more(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("insert into rows values (11)")

    derived = template.ensure(harness_server.dsn(), key + " derived", more, base=base)
    made += [template.clone(harness_server.dsn(), each) for each in (base, derived)]
    assert [rows(dsn) for dsn in made] == [10, 11]


def test_a_missing_template_is_a_usage_error(harness_server: Server) -> None:
    with pytest.raises(UsageError, match="no template 'nothing'"):
        template.clone(harness_server.dsn(), "nothing")


def test_a_database_that_is_in_use_is_dropped_and_a_missing_one_is_no_error(
    harness_server: Server,
) -> None:
    name = admin.unique_name("harness_used")
    admin.create(harness_server.dsn(), name)
    conn = psycopg.connect(admin.with_dbname(harness_server.dsn(), name))
    admin.drop(harness_server.dsn(), name)
    admin.drop(harness_server.dsn(), name)
    conn.close()
    assert not admin.exists(harness_server.dsn(), name)


def test_a_name_that_postgres_would_cut_is_refused(harness_server: Server) -> None:
    with pytest.raises(UsageError, match="longer than 63 bytes"):
        admin.create(harness_server.dsn(), "x" * 64)
    assert len(admin.unique_name("x" * 64)) == 63


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://u:p@h:5/a?sslmode=require", "postgresql://u:p@h:5/b%20c?sslmode=require"),
        ("postgresql://u@h", "postgresql://u@h/b%20c"),
        ("user=u dbname=a host=h", "user=u dbname='b c' host=h"),
    ],
)
def test_a_dsn_for_another_database_keeps_its_form(dsn: str, expected: str) -> None:
    assert admin.with_dbname(dsn, "b c") == expected
    assert admin.dbname(expected) == "b c"
