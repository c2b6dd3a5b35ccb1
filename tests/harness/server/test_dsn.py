"""A DSN is read by libpq, made from its fields, and settled on one server."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.core.errors import InfrastructureError, Refused, UsageError
from harness.database import admin, fingerprint
from harness.server import Dsn, Server, choose, settle, shell
from harness.server.dsn import fields, with_dbname
from harness.server.local import LocalServer
from tests.harness.support.runner import ask, run_sql
from tests.harness.support.server import one

FORMS = [
    "postgresql:///crm",
    "postgresql:///crm?host=/socket/dir&port=5432",
    "postgresql://%2Fsocket%2Fdir/crm",
    "postgresql:///?service=crm",
    "postgresql://h/crm?dbname=other",
    "postgresql://h?dbname=crm&ssl=true",
    "postgres://u:p%40ss%2Fw@h:5433/a%20b?application_name=x%26y",
    "postgresql://u@[::1]:5/crm?sslmode=disable",
    "postgresql://u@a:1,b:2,[::1]:3/crm?target_session_attrs=read-write",
    "postgresql://h",
    "postgresql://",
    "host=h dbname=crm password='it\\'s = a \\\\ secret'",
    "service=crm",
    "host=/socket/dir dbname='a b' user=",
    "",
]


@pytest.fixture(autouse=True)
def own_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test says in its shell is not remembered for the next."""
    monkeypatch.setattr(shell, "_taken", {})


@pytest.mark.parametrize("dsn", FORMS)
@pytest.mark.parametrize("name", ["b", "b c/d?e", "it's \\ a=b", "postgresql://x/y", "ä"])
def test_another_database_of_a_server_differs_in_its_name_alone(dsn: str, name: str) -> None:
    other = with_dbname(dsn, name)
    assert conninfo_to_dict(other) == {**conninfo_to_dict(dsn), "dbname": name}
    assert ("://" in dsn) == other.startswith("postgresql://")


@pytest.mark.parametrize(
    ("dsn", "written"),
    [
        ("postgresql+psycopg://u:s3cret@h/crm", "write postgresql://u:***@h/crm"),
        ("postgres+asyncpg://h/crm", "write postgresql://h/crm"),
        ("jdbc:postgresql://h/crm?user=u&password=s3cret", "write postgresql://h/crm?user=u&passw"),
        ("pgsql://h/crm", "write postgresql://h/crm"),
    ],
)
def test_a_dsn_of_another_library_is_answered_with_what_to_write(dsn: str, written: str) -> None:
    with pytest.raises(UsageError) as caught:
        fields(dsn)
    assert written in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://app:s3c/ret@h/crm",
        "postgresql://app:s3c@ret@h/crm",
        "postgresql://app:123/ret@h/crm",
        "postgresql://app:s3c%ret@h/crm",
        "postgresql://app:a/s3c/ret@h:5432/crm?sslmode=disable",
        "host=h password=a s3cret",
    ],
)
def test_a_password_that_is_misread_is_not_shown(dsn: str) -> None:
    with pytest.raises(UsageError) as caught:
        settle(dsn)
    assert not [part for part in ("s3c", "ret@", "ret ") if part in str(caught.value)]
    assert "s3c" not in repr(Dsn(dsn)) or "host=" in dsn


@pytest.mark.parametrize("word", ["sslmode=nonsense", "port=abc", "connect_timeout=abc"])
def test_a_value_that_libpq_cannot_use_is_a_usage_error(word: str) -> None:
    with pytest.raises(UsageError, match=r"nonsense|abc"):
        settle(f"host=127.0.0.1 dbname=crm {word}")


def test_a_dsn_is_a_string_that_shows_no_password_and_survives_being_passed_on() -> None:
    dsn = Dsn("postgresql://u:s3cret@h/crm")
    for passed in (dsn, pickle.loads(pickle.dumps(dsn)), with_dbname(dsn, "other")):  # noqa: S301 - ours
        assert "s3cret" not in repr(passed)
        assert "s3cret" not in repr([{"dsn": passed}])
        assert conninfo_to_dict(passed)["password"] == "s3cret"
    assert json.loads(json.dumps(dsn)) == "postgresql://u:s3cret@h/crm"


# ---------------------------------------------------------------- what a DSN leads to


@pytest.fixture
def local(harness_server: Server) -> LocalServer:
    if not isinstance(harness_server, LocalServer):
        pytest.skip("needs a server whose socket is ours")
    return harness_server


@pytest.fixture
def services(
    local: LocalServer, things: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The database that the service `crm` names; its name."""
    told = conninfo_to_dict(things)
    file = tmp_path / "pg_service.conf"
    lines = [f"{key}={value}" for key, value in told.items()]
    nameless = [line for line in lines if not line.startswith("dbname=")]
    file.write_text("\n".join(["[crm]", *lines, "[server]", *nameless]))
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    return str(told["dbname"])


@pytest.mark.parametrize("dsn", ["service=crm", "postgresql:///?service=crm"])
def test_the_database_that_a_service_names_is_named(services: str, dsn: str) -> None:
    settled = settle(dsn)
    assert conninfo_to_dict(settled)["dbname"] == services
    assert "service" not in conninfo_to_dict(settled)
    assert one(with_dbname(settled, "template1"), "select current_database()") == "template1"
    assert admin.dbname(dsn) == services


def test_the_service_of_the_shell_is_taken_too(
    services: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICE", "crm")
    assert conninfo_to_dict(settle("postgresql://"))["dbname"] == services


def test_a_database_of_the_shell_or_of_nobody_is_not_named(
    services: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATABASE", services)
    for dsn in ("postgresql://postgres@127.0.0.1", "service=server", "host=127.0.0.1"):
        with pytest.raises(UsageError, match="names no database"):
            settle(dsn)


@pytest.mark.parametrize(
    "form",
    ["postgresql:///{name}?host={host}&port={port}&user=postgres",
     "host={host} port={port} user=postgres dbname={name}", "postgresql:///{name}"],
)  # fmt: skip
def test_a_socket_is_reached_in_every_form_and_so_is_the_database_beside(
    local: LocalServer, things: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"host": str(local.socket_dir), "port": str(local.port)}
    if "{host}" not in form:
        for name, value in {**where, "user": "postgres"}.items():
            monkeypatch.setenv(f"PG{name.upper()}", value)
    dsn = form.format(name=admin.dbname(things), **where)
    settled = settle(dsn)
    assert conninfo_to_dict(settled).items() >= where.items()
    beside = with_dbname(settled, "postgres")
    assert one(beside, "select current_database()") == "postgres"


def test_what_the_shell_says_is_written_out(things: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "allow")
    monkeypatch.setenv("PGAPPNAME", "somebody")
    monkeypatch.setenv("PGHOST", "of no use: the DSN has one")
    told = {key: value for key, value in conninfo_to_dict(things).items() if key != "password"}
    monkeypatch.setenv("PGPASSWORD", str(conninfo_to_dict(things)["password"]))
    found = conninfo_to_dict(settle(make_conninfo(**told)))  # type: ignore[arg-type] # libpq's words
    assert (found["sslmode"], found["application_name"]) == ("allow", "somebody")
    assert found["password"] == conninfo_to_dict(things)["password"]


# ---------------------------------------------------------------- servers of our own


def test_the_shells_variables_reach_no_server_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in psycopg.pq.Conninfo.get_defaults():
        if option.envvar:
            assert shell.is_libpqs(option.envvar.decode())
            monkeypatch.setenv(option.envvar.decode(), "require")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    server = choose("embedded")
    try:
        server.start()
        assert one(server.dsn(), "show timezone") == "UTC"
    finally:
        server.close()


def test_a_server_that_refuses_our_client_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    server = choose("embedded")
    monkeypatch.setenv("PGSSLMODE", "require")  # past the door: as a server that wants TLS
    try:
        with pytest.raises(InfrastructureError, match="does not support SSL"):
            server.start()
    finally:
        server.close()


# ---------------------------------------------------------------- one server for all sessions


@pytest.fixture(scope="module")
def other() -> Iterator[Server]:
    """Another server."""
    made = choose("embedded")
    made.start()
    yield made
    made.close()


@pytest.fixture
def two(things: str, other: Server, tmp_path: Path) -> str:
    """A DSN of two servers, both with the same database; sessions are spread by chance."""
    name = admin.dbname(things)
    admin.create(other.dsn(), name)
    run_sql(other.dsn(name), "create table public.of_the_other ()")
    mine, theirs = conninfo_to_dict(things), conninfo_to_dict(other.dsn())
    passfile = tmp_path / "passfile"
    passfile.write_text(
        f"127.0.0.1:{mine['port']}:*:postgres:{mine['password']}\n"
        f"127.0.0.1:{theirs['port']}:*:postgres:{theirs['password']}\n"
    )
    passfile.chmod(0o600)
    return (
        f"host=127.0.0.1,127.0.0.1 port={mine['port']},{theirs['port']} user=postgres"
        f" dbname={name} load_balance_hosts=random passfile={passfile}"
    )


def spread(act: Callable[[], object]) -> None:
    """Often enough: that 40 pairs of sessions meet on one server has a chance of 2 ** -40."""
    for _ in range(40):
        act()


def test_every_session_of_a_settled_dsn_is_on_the_server_of_the_first(two: str) -> None:
    for _ in range(3):
        settled = settle(two)
        for _ in range(4):
            with admin.connection(with_dbname(settled, "template1")):
                pass  # refused if it were on the other
        assert fingerprint.take(settled, workers=3).catalog


def test_sessions_on_two_servers_are_refused(two: str) -> None:
    settled = settle(two)
    lost = Dsn(two, settled=True, instance=settled.instance)  # as a balancer behind one address is
    with pytest.raises(Refused, match="on different servers: a primary of cluster"):
        spread(lambda: admin.connect(lost).close())


def test_a_snapshot_on_two_servers_is_refused(two: str) -> None:
    with pytest.raises(Refused, match="on different servers"):
        spread(lambda: fingerprint.take(two, workers=3))


def test_the_snapshot_of_one_server_is_not_refused(things: str) -> None:
    assert fingerprint.take(things, workers=3).catalog
    assert ask(things, "SELECT count(*) FROM public.things") == 50
