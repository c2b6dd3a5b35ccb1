"""DSNs as people write them, through the command line, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.database import admin
from harness.server import Server, choose, shell
from harness.server.local import LocalServer
from tests.harness.support.cases import CASES, psql, told
from tests.harness.support.runner import run_sql
from tests.harness.support.server import one


@pytest.fixture(autouse=True)
def own_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test says in its shell is not remembered for the next."""
    monkeypatch.setattr(shell, "_taken", {})


@pytest.fixture
def crm(harness_empty_database: str) -> str:
    """A database with what the setup.sql of these cases makes."""
    psql(harness_empty_database, CASES / "dsn-empty-host" / "setup.sql")
    return harness_empty_database


@pytest.fixture
def socket(harness_server: Server) -> dict[str, str]:
    """Where the server's socket is, in libpq's words."""
    if not isinstance(harness_server, LocalServer):
        pytest.skip("needs a server whose socket is ours")
    return {
        "host": str(harness_server.socket_dir),
        "port": str(harness_server.port),
        "user": "postgres",
    }


def plan_of(case: str) -> tuple[str, Path]:
    return "--plan", CASES / case / "plan" / "plan.toml"


def passes(*arguments: Any) -> dict[str, Any]:
    status, document = told(*arguments)
    assert status == 0, document
    return dict(document)


def rehearses(*arguments: Any) -> dict[str, Any]:
    """A dry run that found nothing, but perhaps what other tests did on the server meanwhile."""
    status, document = told("dry-run", *arguments)
    found = {one["id"] for one in document["findings"] if one["severity"] != "info"}
    assert found <= {"dry-run.server-changed"}, document
    assert (status, document["verdict"]) in ((0, "pass"), (1, "unknown"))
    return dict(document)


@pytest.mark.parametrize("form", ["postgresql:///{name}", "postgresql:///{name}?{query}"])
def test_an_empty_host_is_the_local_socket(
    crm: str, socket: dict[str, str], form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "&".join(f"{word}={value}" for word, value in socket.items())
    dsn = form.format(name=admin.dbname(crm), query=query)
    if "?" not in dsn:
        for word, value in socket.items():
            monkeypatch.setenv(f"PG{word.upper()}", value)
    assert passes("backup", "--dsn", dsn, "--to", tmp_path / "new")["verdict"] == "pass"
    rehearses("--dsn", dsn, *plan_of("dsn-empty-host"))


@pytest.mark.parametrize("dsn", ["service=crm", "postgresql:///?service=crm"])
def test_a_service_names_its_database(
    crm: str, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (CASES / "service-names-database" / "pg_service.conf").read_text()
    found = conninfo_to_dict(crm)
    lines = [line.partition("=")[0] for line in text.splitlines() if "=" in line]
    file = tmp_path / "pg_service.conf"
    told_of = [f"{word}={found[word]}" for word in [*lines, "password"]]
    file.write_text("\n".join(["[crm]", *told_of]))
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    here = passes("fingerprint", "--dsn", crm)
    assert passes("fingerprint", "--dsn", dsn) == here
    assert passes("backup", "--dsn", dsn, "--to", tmp_path / "new")["database"] == found["dbname"]


SHELL = {
    "PGSSLMODE": "require",
    "PGOPTIONS": "-c statement_timeout=1",
    "PGTARGETSESSIONATTRS": "standby",
    "PGREQUIREAUTH": "none",
    "PGHOSTADDR": "203.0.113.9",
    "PGSERVICE": "crm",
    "PGCLIENTENCODING": "LATIN1",
    "PGCHANNELBINDING": "require",
}


def test_the_shells_variables_reach_the_named_server_alone(
    crm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "services").write_text("[crm]\napplication_name=somebody\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    named = {"sslmode": "disable", "target_session_attrs": "any", "options": "-c jit=off",
             "hostaddr": "127.0.0.1", "require_auth": "scram-sha-256",
             "channel_binding": "disable"}  # fmt: skip
    dsn = make_conninfo(crm, **named)  # type: ignore[arg-type] # libpq's words
    for variable, value in SHELL.items():
        monkeypatch.setenv(variable, value)
    rehearses("--dsn", dsn, "--clone", "elsewhere", *plan_of("env-pgsslmode"))


@pytest.fixture
def two(harness_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """A DSN that is balanced between two servers, and a DSN of either."""
    other = choose("embedded")
    other.start()
    name = admin.unique_name("lb")
    either = [harness_server.dsn(name), other.dsn(name)]
    for server, dsn in zip((harness_server, other), either, strict=True):
        admin.create(server.dsn(), name)
        psql(dsn, CASES / "load-balanced-hosts" / "setup.sql")
        run_sql(dsn, f"create role {name} superuser login password 'same-Word'")
    ports = ",".join(str(conninfo_to_dict(dsn)["port"]) for dsn in either)
    login = f"user={name} password=same-Word dbname={name}"
    yield f"host=127.0.0.1,127.0.0.1 port={ports} {login} load_balance_hosts=random", either
    admin.drop(harness_server.dsn(), name)
    run_sql(harness_server.dsn(), f"drop role {name}")
    other.close()


def test_all_sessions_of_a_command_are_on_the_host_of_the_first(
    two: tuple[str, list[str]], tmp_path: Path
) -> None:
    dsn, either = two
    for number in range(6):
        passes("fingerprint", "--dsn", dsn)
        passes("migrate", "--dsn", dsn, *plan_of("load-balanced-hosts"))
        if number < 2:
            passes("backup", "--dsn", dsn, "--to", tmp_path / str(number))
    done = [one(each, "select to_regclass('public.n') is not null") for each in either]
    ledgers = [
        one(each, "select to_regclass('migration_control.run') is not null") for each in either
    ]
    assert done == ledgers  # a plan that ran there was recorded there
    assert any(done)
