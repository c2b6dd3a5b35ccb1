"""A cache forgets every key of the patterns: after a phase, at the end, after a rollback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import runner
from harness.cli.hooks import PhaseHooks, deliver_owed
from harness.plan import Plan
from harness.plan.hooks import Hook
from harness.runner.outcome import silent
from harness.safety.hooks import DeliveryFailed, deliver, redis_keys
from tests.harness.support.backup import ENVIRONMENT, SECRET
from tests.harness.support.redis import Redis, running
from tests.harness.support.runner import ask, plan_of

STEP = (
    "UPDATE public.things SET name = 'new' WHERE id = 1;",
    "UPDATE public.things SET name = 'thing 1' WHERE id = 1;",
)
FAILS = ("SELECT 1/0;", "SELECT 1;")
FORGET = Hook("forget", "redis", ("things:*",))
EVENTS = "SELECT string_agg(kind || ' ' || message, ', ' ORDER BY id) FROM migration_control.event"
EVENTS += " WHERE kind LIKE 'hook%%'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running(tmp_path_factory.mktemp("redis")) as found:
        yield found


@pytest.fixture
def redis(server: Redis, monkeypatch: pytest.MonkeyPatch) -> Redis:
    """The module's, empty, and known to the harness."""
    server.ask("FLUSHALL")
    monkeypatch.setenv(redis_keys.ADDRESS, server.url)
    return server


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return replace(plan_of(tmp_path / "plan", STEP), hooks=(FORGET,))


def read_thing(dsn: str, redis: Redis) -> str:
    """What an application does: it asks its cache, and the database only for what is not there."""
    found = redis.ask("GET", "things:1")
    if found is None:
        found = ask(dsn, "SELECT name FROM public.things WHERE id = 1").encode()
        redis.ask("SET", "things:1", found.decode())
    return str(found.decode())


def reads(dsn: str, plan: Plan, redis: Redis) -> list[str]:
    """What is read before, after the migration, and after the way back."""
    found = [read_thing(dsn, redis)]
    for command in (runner.migrate, runner.rollback):
        command(dsn, plan)
        deliver_owed(dsn, plan)
        found.append(read_thing(dsn, redis))
    return found


FRESH = ["thing 1", "new", "thing 1"]


def test_a_reader_of_a_cache_sees_each_change(things: str, plan: Plan, redis: Redis) -> None:
    assert reads(things, plan, redis) == FRESH


def test_a_hook_that_never_fires_is_seen_by_a_read(
    things: str, plan: Plan, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules[deliver.__module__].DELIVERIES, "redis", lambda *_: None)
    assert reads(things, plan, redis) != FRESH


def fill(redis: Redis) -> None:
    redis.fill({f"things:{n}": "x" for n in range(3000)} | {"others:1": "x"})


def test_every_key_of_a_pattern_is_forgotten_and_no_other(redis: Redis, things: str) -> None:
    fill(redis)
    deliver(things, FORGET)
    deliver(things, FORGET)  # a second time changes nothing
    assert redis.ask("KEYS", "*") == [b"others:1"]
    used = redis.ask("INFO", "commandstats").decode()
    assert "cmdstat_scan" in used


def test_a_scan_that_ends_with_its_first_page_is_seen(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(redis)
    ask_all = redis_keys.RedisLine.ask

    def one_page(self: redis_keys.RedisLine, *words: bytes) -> object:
        found = ask_all(self, *words)
        return [b"0", found[1]] if words[0] == b"SCAN" else found

    monkeypatch.setattr(redis_keys.RedisLine, "ask", one_page)
    assert 0 < redis_keys.forget_keys(["things:*"], 60) < 3000


def test_a_phase_is_an_occasion_of_its_own_also_when_the_next_one_fails(
    things: str, tmp_path: Path, redis: Redis
) -> None:
    plan = plan_of(tmp_path / "plan", STEP)
    path = plan.path
    path.write_text(f'{path.read_text()}\n[[phase]]\nid = "2"\nname = "next"\n')
    directory = path.parent / "phases" / "2_next"
    directory.mkdir()
    (directory / "010_fails.forward.sql").write_text(FAILS[0])
    (directory / "010_fails.rollback.sql").write_text(FAILS[1])
    path.write_text(
        f'{path.read_text()}\n[[hook]]\nname = "forget"\nredis = ["things:*"]\n'
        f'on = ["{plan.phases[0].id}", "migrated"]\n'
    )
    argv = ["migrate", "--json", "--dsn", things, "--plan", str(path)]

    def migrated(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *argv, *more], cwd=tmp_path, text=True,
            env=ENVIRONMENT | {redis_keys.ADDRESS: redis.url}, capture_output=True, check=False,
        )  # fmt: skip

    read_thing(things, redis)
    assert migrated().returncode == 1
    assert read_thing(things, redis) == "new"
    assert ask(things, EVENTS) == f"hook_delivered {plan.phases[0].id}"
    (directory / "010_fails.forward.sql").write_text("SELECT 1;")
    done = migrated("--accept-edit", "corrected")
    assert done.returncode == 0, done.stderr
    assert [hook["occasion"] for hook in json.loads(done.stdout)["hooks"]] == ["migrated"]


def test_a_phase_hook_that_fails_is_owed_until_the_end(
    things: str, plan: Plan, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(plan, hooks=(replace(FORGET, on=(plan.phases[0].id,)),))
    monkeypatch.setenv(redis_keys.ADDRESS, "redis://127.0.0.1:1")
    hooks = PhaseHooks(things, plan, silent)
    runner.migrate(things, plan, on_event=hooks)
    assert runner.status(things, plan).state == "migrated"
    monkeypatch.setenv(redis_keys.ADDRESS, redis.url)
    (told,) = hooks.finish()
    assert (told.state, told.occasion) == ("delivered", plan.phases[0].id)
    assert "hook_failed redis: 127.0.0.1:1" in ask(things, EVENTS)
    assert deliver_owed(things, plan) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "does not say where Redis is"),
        (f"http://me:{SECRET}@127.0.0.1", "is not a URL such as"),
        (f"redis://me:{SECRET}@127.0.0.1:99999", "is not a URL such as"),
        (f"redis://:{SECRET}@127.0.0.1:1", "refused"),
        ("redis://:wrong@{host}", "WRONGPASS"),
        ("redis://{host}", "NOAUTH"),
        ("deaf", "did not answer in time"),
    ],
)
def test_a_redis_that_is_away_or_deaf_is_a_finding_without_its_password(
    things: str, redis: Redis, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        if url == "deaf":
            url = f"redis://:{SECRET}@127.0.0.1:{deaf.getsockname()[1]}"
        host = redis.url.rpartition("@")[2]
        monkeypatch.setenv(redis_keys.ADDRESS, url.replace("{host}", host))
        with pytest.raises(DeliveryFailed) as caught:
            deliver(things, replace(FORGET, timeout=0.3 if "answer" in said else 60.0))
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
