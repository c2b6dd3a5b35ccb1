"""A foreign command reaches our database and no other: each planted one is seen to be refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness.core.errors import Refused, UsageError
from harness.database import admin
from harness.server import Server
from harness.server.dsn import fields
from harness.server.local import LocalServer
from harness.server.trust import without_password
from harness.subject.command import CommandSubject
from harness.subject.guard import environment, namespace
from harness.subject.guard.doorway import doorway
from harness.subject.guard.once import Ended, run_once
from harness.subject.protocol import Direction
from tests.harness.support.guard import OBEDIENT, write_tool

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="network namespaces are a thing of Linux"
)


@pytest.fixture
def live(target: str) -> str:
    """DSN of a database that stands for somebody's live one; a row shows that it is untouched."""
    with psycopg.connect(target) as conn:
        conn.execute("create table sentinel as select 1 as untouched")
    return target


@pytest.fixture
def obedient(tmp_path: Path) -> CommandSubject:
    """A tool that connects where it is told to."""
    return subject_in(tmp_path)


def subject_in(directory: Path, settings: str = OBEDIENT) -> CommandSubject:
    tool = write_tool(directory, settings)
    return CommandSubject(f"{tool} up", f"{tool} down", f"{tool} current", root=directory)


def run_through_door(subject: CommandSubject, direction: Direction, dsn: str) -> Ended:
    with doorway(without_password(dsn)) as door:
        return run_once(subject.invocation(direction, door.dsn))


def untouched(live: str) -> bool:
    with psycopg.connect(live) as conn:
        tables = conn.execute("select relname from pg_class where relkind = 'r' and oid > 16383")
        return tables.fetchall() == [("sentinel",)]


def has_made(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select to_regclass('made') is not null").fetchone()
        return row is not None and bool(row[0])


def ways_elsewhere(live: str, server: Server, directory: Path) -> dict[str, str]:
    """How the settings of a tool lead to another database than the one it is told of."""
    plain = {"user": "postgres", "password": fields(live)["password"]}
    name, port = fields(live)["dbname"], fields(live)["port"]
    service = directory / "services.conf"
    entry = "".join(f"{key}={value}\n" for key, value in plain.items())
    service.write_text(f"[live]\nhost=127.0.0.1\nport={port}\ndbname={name}\n{entry}")
    (directory / ".env").write_text(f"DATABASE_URL={live}\n")
    socket_dir = server.socket_dir if isinstance(server, LocalServer) else "/run"
    return {
        "tcp": f"url = {str(live)!r}",
        "socket": f"url = 'host={socket_dir} port={port} user=postgres dbname={name}'",
        "service": f"os.environ['PGSERVICEFILE'] = {str(service)!r}; url = 'service=live'",
        "env": "url = open('.env').read().strip().partition('=')[2]",
        "database": f"url = os.environ['DATABASE_URL'].rpartition('/')[0] + '/{name}'",
    }


WAYS = ["tcp", "socket", "service", "env", "database"]


@pytest.mark.parametrize("walled", [True, False], ids=["walled", "unwalled"])
@pytest.mark.parametrize("way", WAYS)
def test_refuses_what_connects_elsewhere(
    way: str,
    walled: bool,
    tmp_path: Path,
    live: str,
    harness_empty_database: str,
    harness_server: Server,
) -> None:
    subject = subject_in(tmp_path, ways_elsewhere(live, harness_server, tmp_path)[way])
    with pytest.raises(Refused, match="it connects elsewhere"):
        replace(subject, walled=walled).prove_reach(harness_empty_database)
    assert untouched(live)


@pytest.mark.parametrize("way", WAYS[:-1])
def test_wall_holds_what_only_the_probe_hides(
    way: str, tmp_path: Path, live: str, harness_empty_database: str, harness_server: Server
) -> None:
    elsewhere = ways_elsewhere(live, harness_server, tmp_path)[way]
    subject = subject_in(tmp_path, f"{OBEDIENT}\nif verb != 'current': {elsewhere}")
    subject.prove_reach(harness_empty_database)
    for direction in ("forward", "rollback"):
        assert run_through_door(subject, direction, harness_empty_database).status != 0
    assert untouched(live)


def test_probe_alone_does_not_see_what_it_hides(
    tmp_path: Path, live: str, harness_empty_database: str
) -> None:
    # what the words of `guard` warn of, seen: without the wall this tool reaches the live one
    subject = subject_in(tmp_path, f"{OBEDIENT}\nif verb != 'current': url = {str(live)!r}")
    unwalled = replace(subject, walled=False)
    unwalled.prove_reach(harness_empty_database)
    assert run_through_door(unwalled, "rollback", harness_empty_database).status == 0
    assert not untouched(live)
    assert "probe alone" in unwalled.guard
    assert "network namespace" in subject.guard


@pytest.mark.parametrize("walled", [True, False], ids=["walled", "unwalled"])
def test_obedient_command_runs(
    walled: bool, obedient: CommandSubject, harness_empty_database: str
) -> None:
    subject = replace(obedient, walled=walled)
    subject.prove_reach(harness_empty_database)
    assert run_through_door(subject, "forward", harness_empty_database) == Ended(0, "")
    assert has_made(harness_empty_database)
    assert run_through_door(subject, "rollback", harness_empty_database) == Ended(0, "")
    assert not has_made(harness_empty_database)


def test_callers_variables_are_not_seen(
    obedient: CommandSubject,
    live: str,
    harness_empty_database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject = replace(obedient, up=f"{sys.executable} -c 'import os; print(os.environ)'")
    with doorway(without_password(harness_empty_database)) as door:
        for name in ("DATABASE_URL", "PGDATABASE", "PGSERVICE", "HARNESS_DSN", "SHOP_URL"):
            monkeypatch.setenv(name, str(live))
        shown = run_once(subject.invocation("forward", door.dsn)).output
    assert fields(live)["dbname"] not in shown
    assert fields(harness_empty_database)["dbname"] in shown
    assert "PGPASSWORD" not in shown


def test_places_are_filled_without_the_password(harness_empty_database: str) -> None:
    subject = CommandSubject("tool --to {dsn} -h {host} -p {port} '{dbname} x' {other}")
    words = subject.invocation("forward", harness_empty_database).argv[-8:]
    found = fields(harness_empty_database)
    url = f"postgresql://{found['user']}@{found['host']}:{found['port']}/{found['dbname']}"
    assert words[1:] == (
        url, "-h", found["host"], "-p", found["port"], f"{found['dbname']} x", "{other}",
    )  # fmt: skip


def test_neither_guard_needs_a_word_of_trust(tmp_path: Path, harness_empty_database: str) -> None:
    subject = CommandSubject("sh -c 'exit 0'", root=tmp_path, walled=False)
    with pytest.raises(Refused, match=r"no network namespace .* and no probe.*--trust-command"):
        subject.prove_reach(harness_empty_database)
    replace(subject, trusted=True).prove_reach(harness_empty_database)
    replace(subject, walled=True).prove_reach(harness_empty_database)


def test_probe_that_insists_on_tls_is_told_so(tmp_path: Path, harness_empty_database: str) -> None:
    subject = subject_in(tmp_path, f"{OBEDIENT} + '?sslmode=require'")
    with pytest.raises(Refused, match="insists on TLS"):
        subject.prove_reach(harness_empty_database)


def test_probe_that_fails_is_refused_without_its_password(
    tmp_path: Path, harness_empty_database: str
) -> None:
    say = "print('postgresql://u:hunter2@h/d password=hunter2'); verb = 'x'"
    subject = subject_in(tmp_path, f"{OBEDIENT}\n{say}")
    (tmp_path / "migrate.py").write_text(
        (tmp_path / "migrate.py").read_text() + "\nsys.exit('no way: password=hunter2')\n"
    )
    with pytest.raises(Refused, match=r"the probe arrives, but it ended with status 1") as refused:
        subject.prove_reach(harness_empty_database)
    assert "hunter2" not in str(refused.value)


def test_hanging_command_is_ended_with_all_that_it_started(
    tmp_path: Path, harness_empty_database: str
) -> None:
    text = "setsid sh -c 'sleep 0.7; touch outlived' & sleep 30"
    subject = CommandSubject(f'sh -c "{text}"', root=tmp_path, limit=0.3)
    ended = run_through_door(subject, "forward", harness_empty_database)
    assert ended.status is None
    run_once(replace(subject, up="sleep 0.6").invocation("forward", harness_empty_database))
    assert not (tmp_path / "outlived").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program up", "there is no program 'no-such-program'"),
        ("./absent.sh", "there is no program './absent.sh'"),
        ("URL={dsn} alembic", "write env NAME=VALUE COMMAND"),
        ("tool 'unbalanced", "the command cannot be split: no closing quotation"),
        ("  ", "the command is empty"),
    ],
)
def test_command_that_cannot_be_run_is_usage(
    command: str, message: str, tmp_path: Path, harness_empty_database: str
) -> None:
    with pytest.raises(UsageError, match=message):
        CommandSubject(command, root=tmp_path).prove_reach(harness_empty_database)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PGHOST", "x"),
        ("PGSERVICEFILE", "x"),
        ("HARNESS_DSN", "x"),
        ("SQLALCHEMY_DATABASE_URI", "x"),
        ("SHOP_URL", "x"),
        ("DB_HOST", "x"),
        ("POSTGRES_PASSWORD", "x"),
        ("GOOSE_DBSTRING", "x"),
        ("SHOP", "postgresql+asyncpg://u@h/d"),
        ("SHOP", "jdbc:postgresql://h/d"),
        ("SHOP", "host=db.example user=u"),
        ("SHOP", "https://user:secret@h/"),
    ],
)
def test_variable_that_leads_elsewhere_is_left_out(name: str, value: str) -> None:
    assert environment.cleaned({name: value}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/root"),
        ("DJANGO_SETTINGS_MODULE", "shop.settings"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/bus"),
        ("LS_COLORS", "rs=0:di=01;34"),
        ("VIRTUAL_ENV", "/srv/url/venv"),
    ],
)
def test_other_variable_is_kept(name: str, value: str) -> None:
    assert environment.cleaned({name: value}) == {name: value}


def test_this_machine_has_namespaces() -> None:
    # where it has none, the tests above that are walled in would fail for that reason
    assert namespace.unavailable() == ""


def test_wall_that_leaks_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace, "walled_in", lambda invocation, _port: invocation)
    namespace.unavailable.cache_clear()
    try:
        assert namespace.unavailable() == "what listens outside is reached"
    finally:
        namespace.unavailable.cache_clear()


def test_unique_names_reach_the_doorway(harness_empty_database: str) -> None:
    with doorway(harness_empty_database) as door, psycopg.connect(door.dsn) as conn:
        assert conn.info.dbname == admin.dbname(harness_empty_database)
    assert door.databases == [admin.dbname(harness_empty_database)]
