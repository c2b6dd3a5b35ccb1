"""Which server is taken, why, under whose uid, and what is shown of it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict

from harness.core.errors import InfrastructureError, UsageError
from harness.server import Server, attach, choose, directories, installation, mask
from harness.server.account import account, output_as
from harness.server.dsn import with_dbname
from tests.harness.support.server import one, require

MASKED = [
    ("postgresql://me:s3cret@host:5432/db", "postgresql://me:***@host:5432/db"),
    ("postgresql://me:s3:cr@t@host/db", "postgresql://me:***@host/db"),
    ("postgresql://:s3cret@host/db", "postgresql://:***@host/db"),
    ("postgres://host/db?user=me&password=s3cret", "postgres://host/db?user=me&password=***"),
    ("postgresql://host/db?sslpassword=s3cret&x=1", "postgresql://host/db?sslpassword=***&x=1"),
    ("host=h password=s3cret dbname=d", "host=h password=*** dbname=d"),
    (r"password = 's3 \' cret' host=h", "password = *** host=h"),
    (r"host=h password=s3\ cret user=me", "host=h password=*** user=me"),
    ("cannot reach postgresql://a:s3cret@b/c now", "cannot reach postgresql://a:***@b/c now"),
]
PLAIN = ["postgresql://me@host:5432/db", "host=h dbname=password", "postgresql://host:5432/db"]


@pytest.mark.parametrize(("dsn", "shown"), MASKED)
def test_a_password_is_never_shown(dsn: str, shown: str) -> None:
    assert mask(dsn) == shown
    assert "cret" not in mask(dsn)


@pytest.mark.parametrize("dsn", PLAIN)
def test_a_dsn_without_a_password_is_shown_as_it_is(dsn: str) -> None:
    assert mask(dsn) == dsn


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody-listens.sock")


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = choose("embedded")
    made.start()
    yield made
    made.close()


def test_auto_explains_what_it_passed_over(no_engine: None) -> None:
    server = choose("auto")
    assert server.provider == "embedded"
    assert len(server.passed_over) == 1
    assert server.passed_over[0].startswith("container: no container engine answers")
    assert "embedded" in server.why
    server.close()


def test_auto_goes_on_to_the_system_for_a_version_no_wheel_has(no_engine: None) -> None:
    have = {each.version for each in installation.system()}
    wanted = have - {each.version for each in installation.embedded()}
    if not wanted:
        require("system", "no Postgres here that the wheels do not have")
    server = choose("auto", version=max(wanted))
    assert (server.provider, server.version) == ("system", max(wanted))
    assert any(f"Postgres {max(wanted)} is not there" in reason for reason in server.passed_over)
    server.close()


def test_a_version_that_nobody_has_is_an_infrastructure_error(no_engine: None) -> None:
    with pytest.raises(InfrastructureError, match=r"container: .*embedded: .*system: ") as caught:
        choose("auto", version=99)
    assert caught.value.exit_status == 3


def test_what_was_asked_for_is_not_replaced(no_engine: None) -> None:
    with pytest.raises(InfrastructureError, match="no container engine answers"):
        choose("container")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
def test_root_drops_privileges(server: Server) -> None:
    postmaster = psutil.Process(server.pid)
    for each in (postmaster, *postmaster.children()):
        assert 0 not in each.uids()
        assert 0 not in each.gids()
    groups = Path(f"/proc/{server.pid}/status").read_text().split("Groups:")[1].splitlines()[0]
    assert groups.split() == []
    assert server.data_dir is not None
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700


@pytest.fixture
def hidden(tmp_path: Path) -> Iterator[installation.Installation]:
    """The wheel's tree below a directory that only root can enter, and a cache that all can."""
    original = installation.embedded()[0]
    tmp_path.chmod(0o700)
    base = tmp_path / "site-packages"
    base.mkdir()
    for tree in (original.tree, *original.beside):
        shutil.copytree(tree, base / tree.name, ignore=shutil.ignore_patterns("*.a", "include"))
    cache = Path(tempfile.mkdtemp(dir="/var/tmp"))
    cache.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(cache))
        directories.cache_root.cache_clear()
        yield installation.Installation(
            original.source,
            base / original.bin_dir.relative_to(original.tree.parent),
            original.version,
            original.full_version,
            base / original.tree.name,
            tuple(base / each.name for each in original.beside),
        )
    directories.cache_root.cache_clear()
    shutil.rmtree(cache)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
def test_binaries_that_the_uid_cannot_reach_are_copied_once(
    hidden: installation.Installation,
) -> None:
    who = account()
    assert output_as(who, hidden.program("postgres"), "--version") is None
    usable = installation.usable_by(hidden, who)
    assert usable.bin_dir.is_relative_to(directories.cache_root())
    for program in ("postgres", "initdb", "pg_dump", "psql"):
        assert output_as(who, usable.program(program), "--version")
    before = usable.program("postgres").stat().st_ctime_ns
    assert installation.usable_by(hidden, who) == usable
    assert usable.program("postgres").stat().st_ctime_ns == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
def test_a_copy_without_its_marker_is_made_again(hidden: installation.Installation) -> None:
    who = account()
    usable = installation.usable_by(hidden, who)
    next((directories.cache_root() / "binaries").glob("*.complete")).unlink()
    usable.program("psql").unlink()
    assert output_as(who, installation.usable_by(hidden, who).program("psql"), "--version")


def test_a_directory_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "open"))
    directories.cache_root.cache_clear()
    try:
        with pytest.raises(InfrastructureError, match="not a directory of ours"):
            directories.cache_root()
    finally:
        directories.cache_root.cache_clear()


def test_an_existing_server_is_used_but_never_killed(server: Server) -> None:
    existing = choose("existing", dsn=server.dsn())
    existing.start()
    assert existing.version == server.version
    assert not existing.capabilities.can_kill
    with pytest.raises(UsageError, match="cannot be killed"):
        existing.kill()
    existing.stop()
    existing.close()
    assert (
        one(attach(existing.record()).dsn("template1"), "select current_database()") == "template1"
    )


def test_an_unreachable_dsn_is_named_without_its_password() -> None:
    with pytest.raises(InfrastructureError) as caught:
        choose("existing", dsn="postgresql://me:s3cret@127.0.0.1:1/db")
    assert "postgresql://me:***@127.0.0.1:1/db" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_existing_needs_a_dsn_that_can_be_read() -> None:
    with pytest.raises(UsageError, match="needs a DSN"):
        choose("existing")
    with pytest.raises(UsageError, match="the DSN cannot be read"):
        choose("existing", dsn="no equals sign here")


@pytest.mark.parametrize(
    ("dsn", "other"),
    [
        ("postgresql://u:p@h:1/a?sslmode=disable", "postgresql://u:p@h:1/b?sslmode=disable"),
        ("postgresql:///?host=/run&dbname=a", "postgresql:///b?host=/run"),
        ("host=h dbname=a", "host=h dbname=b"),
    ],
)
def test_another_database_of_the_same_server(dsn: str, other: str) -> None:
    assert conninfo_to_dict(with_dbname(dsn, "b")) == conninfo_to_dict(other)
    assert ("://" in with_dbname(dsn, "b")) == ("://" in dsn)


def test_a_data_directory_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(InfrastructureError, match=r"no data directory can be made in .*/file/data"):
        directories.make_home(directories.data_root()[0], "one")
