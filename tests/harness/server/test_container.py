"""Servers in containers: the same claims, on an engine. Skipped without, unless required."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from harness.core.errors import InfrastructureError, UsageError
from harness.server import attach, choose, engine, reap
from harness.server.container import LABEL, ContainerServer
from tests.harness.support.server import end, one, own, record_file, require

Start = Callable[..., ContainerServer]


@pytest.fixture(scope="module")
def image() -> str:
    """A local image: what a machine would have to pull is no subject of these tests."""
    try:
        with engine.connected() as client:
            tags = {tag for image in client.images.list() for tag in image.tags}
    except InfrastructureError as error:
        require("container", str(error))
    wanted = [f"{name}:{v}" for v in engine.PREFERRED for name in (engine.OFFICIAL, engine.OURS)]
    local = [tag for tag in wanted if tag in tags]
    if not local:
        require("container", "no Postgres image here; `make images` builds one")
    return local[0]


@pytest.fixture
def start(image: str) -> Iterator[Start]:
    made: list[ContainerServer] = []

    def start(profile: str = "fast") -> ContainerServer:
        server = choose("container", image=image, profile=profile)
        assert isinstance(server, ContainerServer)
        made.append(server)
        server.start()
        return server

    yield start
    for server in made:
        server.close()


def containers() -> list[str]:
    with engine.connected() as client:
        found = client.containers.list(all=True, filters={"label": LABEL})
        return [container.name for container in found]


def test_answers_as_what_it_says_it_is(start: Start, image: str) -> None:
    server = start()
    assert int(one(server.dsn(), "show server_version_num")) // 10_000 == server.version
    assert one(server.dsn(), "show server_encoding") == "UTF8"
    assert one(server.dsn(), "show fsync") == "off"
    assert image in server.why
    assert "127.0.0.1" in server.dsn()


def test_it_listens_on_loopback_only(start: Start) -> None:
    server = start()
    with engine.connected() as client:
        bindings = client.containers.get(server.name).ports["5432/tcp"]
    assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}


def test_a_commit_survives_a_kill_on_durable(start: Start) -> None:
    server = start("durable")
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("create table kept as select 1 as n")
    offset = server.log_offset()
    assert server.log(offset) == ""
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("insert into kept values (2)")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            conn.commit()
    server.restart()
    assert one(server.dsn(), "select array_agg(n) from kept") == [1]
    server.wait_for_log("database system was not properly shut down", offset)


def test_an_orderly_stop_needs_no_recovery(start: Start) -> None:
    server = start("durable")
    with psycopg.connect(server.dsn(), autocommit=True):
        server.stop()
    offset = server.log_offset()
    server.start()
    assert "not properly shut down" not in server.log(offset)


def test_a_second_process_uses_it(start: Start) -> None:
    server = start()
    sibling = attach(server.record())
    sibling.kill()
    assert server.pid is None
    sibling.restart()
    server.start()
    assert one(server.dsn(), "select 1") == 1


def test_close_removes_everything(start: Start) -> None:
    server = start()
    record = server.record()
    assert server.name in containers()
    server.close()
    server.close()
    assert server.name not in containers()
    assert not record_file(record).exists()
    assert not record["home"] or not Path(record["home"]).exists()


def test_after_a_sigkill_of_the_owner_the_next_reap_leaves_nothing(image: str) -> None:
    owner, record = own("container")
    assert record["name"] in containers()
    owner.kill()
    end(owner)
    assert one(attach(record).dsn(), "select 1") == 1, "the container should have survived"
    assert any(record["id"] in line for line in reap())
    assert record["name"] not in containers()
    assert not record["home"] or not Path(record["home"]).exists()


def test_auto_prefers_a_container(image: str) -> None:
    server = choose("auto")
    assert server.provider == "container"
    assert server.passed_over == ()
    server.close()


def test_an_image_of_another_version_is_refused(image: str) -> None:
    with pytest.raises(UsageError, match="not 99"):
        choose("container", image=image, version=99)


def test_an_image_that_cannot_be_had_is_passed_over_with_its_reason(image: str) -> None:
    """Port 1 of this machine is a registry that refuses; no name is looked up."""
    with pytest.raises(InfrastructureError, match=r"cannot be pulled: .*--server embedded"):
        choose("container", image="127.0.0.1:1/postgres:15")
    server = choose("auto", image="127.0.0.1:1/postgres:15")
    assert server.provider == "embedded"
    assert "cannot be pulled" in server.passed_over[0]
    server.close()


def test_testcontainers_own_class_works_with_the_image(image: str) -> None:
    engine.settle_environment()
    from testcontainers.community.postgres import PostgresContainer

    made = PostgresContainer(image, username="me", password="p w'd", dbname="mine", driver=None)
    with contextlib.closing(made.get_docker_client().client), made as container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(5432)
        with psycopg.connect(host=host, port=port, user="me", password="p w'd", dbname="mine") as c:
            row = c.execute("select current_user, current_database()").fetchone()
    assert row == ("me", "mine")
    assert os.environ["TESTCONTAINERS_RYUK_DISABLED"] == "true"
