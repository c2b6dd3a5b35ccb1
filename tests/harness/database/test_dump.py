"""pg_dump and pg_restore: where they go, what they are told, and what nobody else gets to read."""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from harness.core.errors import InfrastructureError, UsageError
from harness.core.poll import wait_until
from harness.database import admin, dump, witness
from harness.fault.pooler import PgBouncer, Pool
from harness.safety import proof
from harness.scenario.dry_run import copying
from harness.server import Server, choose, find_client, installation
from harness.server.account import account
from harness.server.dsn import fields, is_url
from harness.server.local import LocalServer
from tests.harness.support.backup import THINGS, major, taken
from tests.harness.support.runner import ask, open_transaction, run_sql
from tests.harness.support.server import one, require

SECRETS = ("s3cret-Word", "k3y-Word")
WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'pg_dump' AND wait_event_type = 'Lock'"
)
NEWER = (  # than the libpq of Postgres 15
    "require_auth=scram-sha-256 load_balance_hosts=disable sslnegotiation=postgres"
    " max_protocol_version=3.2 min_protocol_version=3.0 sslcertmode=allow gssdelegation=0"
    " oauth_scope=x"
)


@pytest.mark.parametrize("form", ["word", "url"])
def test_no_argument_holds_a_secret_and_only_the_owner_reads_the_rest(
    things: str, role: str, form: str
) -> None:
    run_sql(things, f"ALTER ROLE {role} SUPERUSER PASSWORD '{SECRETS[0]}'")
    dsn = make_conninfo(things, user=role, password=SECRETS[0], sslpassword=SECRETS[1])
    if form == "url":
        dsn = f"{things.partition('://')[0]}://?" + "&".join(
            f"{key}={value}" for key, value in fields(dsn).items()
        )
    with open_transaction(things, "LOCK TABLE public.things IN ACCESS EXCLUSIVE MODE"):
        child = dump.program("pg_dump", major(things), dsn).start("--file=/dev/null")
        try:
            wait_until(lambda: ask(things, WAITING), 60, "pg_dump at its lock")
            seen = " ".join(psutil.Process(child.pid).cmdline())
            assert not [word for word in SECRETS if word in seen]
            proc = Path(f"/proc/{child.pid}")
            assert stat.S_IMODE((proc / "environ").stat().st_mode) == 0o400
            assert stat.S_IMODE((proc / "fd").stat().st_mode) == 0o500
            assert SECRETS[0] in (proc / "environ").read_text()  # how it got in
        finally:
            child.kill()
            child.wait()


@pytest.mark.parametrize("secret", ["two words", "it's \\ a=b", " blanks ", "%40 ä", "#'; x"])
def test_every_password_gets_there(things: str, role: str, tmp_path: Path, secret: str) -> None:
    with admin.connection(things) as conn:
        named = sql.Identifier(role)
        conn.execute(sql.SQL("ALTER ROLE {} SUPERUSER PASSWORD {}").format(named, secret))
    told = make_conninfo(things, user=role, password=secret)
    assert dump.dump(told, major(things), tmp_path / "dump", None) == ""


@pytest.mark.parametrize("name", ["of two words", "it's \\ = a", "?x=1&dbname=postgres"])
def test_every_database_is_reached_and_no_other(
    harness_server: Server, tmp_path: Path, name: str
) -> None:
    admin.create(harness_server.dsn(), name)
    try:
        dsn = harness_server.dsn(name)
        run_sql(dsn, THINGS)
        assert "TABLE public.things" in witness.dump(dsn)
        taken(dsn, tmp_path / "backup")
    finally:
        admin.drop(harness_server.dsn(), name)


def test_the_shell_has_no_say_in_a_dump(things: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PGDATABASE", "PGTZ", "PGSERVICEFILE"):
        monkeypatch.setenv(variable, "UTC")
    told = dump.program("pg_dump", major(things), things).environment
    assert "UTC" not in told.values()


@pytest.mark.parametrize("form", ["{dsn}?dbname={name}", "{dsn}?sslmode=prefer&dbname={name}"])
def test_a_proof_never_restores_into_the_named_database(
    things: str, tmp_path: Path, form: str
) -> None:
    run_sql(things, "CREATE TABLE public.sentinel (v int); INSERT INTO public.sentinel VALUES (1)")
    name = admin.dbname(things)
    dsn = form.format(dsn=things, name=name)
    assert is_url(dsn)
    with proof.scratch(dsn) as copy:
        assert one(copy, "select current_database()") != name
    taken(dsn, tmp_path / "backup")
    assert ask(things, "SELECT count(*) FROM public.sentinel") == 1


def test_a_pooler_that_takes_no_options_is_given_none(
    harness_server: Server, things: str, tmp_path: Path
) -> None:
    try:
        pooler = PgBouncer(things, Pool("session", 4))
    except InfrastructureError as error:
        require("pgbouncer", str(error))
    with pooler:
        dsn = pooler.dsn(things)
        assert "PGOPTIONS" not in dump.program("pg_dump", major(things), dsn).environment
        assert dump.dump(dsn, major(things), tmp_path / "dump", None) == ""
    assert "PGOPTIONS" in dump.program("pg_dump", major(things), things).environment


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[str]:
    """A DSN of a server that wants TLS, with a client's key that has a password."""
    if shutil.which("openssl") is None:
        require("openssl", "nothing here makes a certificate")
    if not installation.system():
        require("system", "the wheel's server has no TLS")
    server = choose("system")
    assert isinstance(server, LocalServer)
    server.start()
    certify(server.data_dir / "server", "-nodes")
    certify(tmp_path / "client", "-passout", f"pass:{SECRETS[1]}")
    for path in server.data_dir.glob("server.*"):
        account().own(path)
    with admin.connection(server.dsn()) as conn:
        conn.execute("ALTER SYSTEM SET ssl = on")
        conn.execute("SELECT pg_reload_conf()")
    run_sql(server.dsn(), THINGS)
    key = {"sslcert": f"{tmp_path}/client.crt", "sslkey": f"{tmp_path}/client.key"}
    wait_until(lambda: ask(server.dsn(), "SHOW ssl") == "on", 60, "TLS")
    yield make_conninfo(server.dsn(), sslmode="require", sslpassword=SECRETS[1], **key)
    server.close()


def certify(path: Path, *how: str) -> None:
    command = ["openssl", "req", "-new", "-x509", "-subj", "/CN=x", *how]
    files = ["-out", f"{path}.crt", "-keyout", f"{path}.key"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    Path(f"{path}.key").chmod(0o600)


def test_the_password_of_a_key_gets_there(tls: str, tmp_path: Path) -> None:
    taken(tls, tmp_path / "backup")
    assert "TABLE public.things" in witness.dump(tls)
    with pytest.raises(InfrastructureError, match="check sslkey"):
        admin.connect(make_conninfo(tls, sslpassword="not-this"))


# ---------------------------------------------------------------- another libpq than ours


@pytest.fixture(scope="module")
def older() -> Iterator[Server]:
    """A server whose own pg_dump is older than our libpq."""
    have = [each.version for each in installation.system() if each.version < 16]
    if not have:
        require("system", "no Postgres here that is older than 16")
    server = choose("system", version=have[0])
    server.start()
    yield server
    server.close()


@pytest.fixture
def newer_dsn(older: Server) -> Iterator[str]:
    """A database there, by a DSN with what only a newer libpq knows."""
    name = admin.unique_name("newer")
    admin.create(older.dsn(), name)
    run_sql(older.dsn(name), THINGS)
    yield make_conninfo(older.dsn(name), **dict(word.split("=") for word in NEWER.split()))
    admin.drop(older.dsn(), name)


def test_what_an_older_pg_dump_does_not_know_is_left_out(newer_dsn: str, tmp_path: Path) -> None:
    taken(newer_dsn, tmp_path / "backup")
    assert "TABLE public.things" in witness.dump(newer_dsn)
    with admin.connection(newer_dsn) as conn:
        copy = admin.unique_name("copy")
        admin.create_on(conn, copy, None)
    copying.copy(newer_dsn, admin.with_dbname(newer_dsn, copy))
    assert one(admin.with_dbname(newer_dsn, copy), "select count(*) from things") == 50
    admin.drop(newer_dsn, copy)


def test_a_failure_names_what_was_left_out_and_the_program(newer_dsn: str, tmp_path: Path) -> None:
    version = major(newer_dsn)
    said = dump.restore(newer_dsn, version, tmp_path / "no-dump")
    assert f"pg_dump {version}" not in said
    assert f"(pg_restore {version}." in said
    for word in ("require_auth", "max_protocol_version", "oauth_scope"):
        assert word in said


def test_a_program_is_asked_what_it_knows() -> None:
    path = find_client("pg_dump")
    words = frozenset({"require_auth", "of_the_future", "sslnegotiation"})
    assert dump._unknown(path, words) == {"of_the_future"}


def test_a_key_password_that_no_file_can_hold_is_refused(things: str) -> None:
    with pytest.raises(UsageError, match="sslpassword begins or ends with a blank") as caught:
        dump.program("pg_dump", major(things), make_conninfo(things, sslpassword=" k3y "))
    assert "k3y" not in str(caught.value)
