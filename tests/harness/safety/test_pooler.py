"""PgBouncer is paused while a plan runs, and resumed whatever became of who paused it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness.core.errors import HarnessError, InfrastructureError, Refused, Stopped, UsageError
from harness.core.poll import wait_until
from harness.database import admin
from harness.fault.pooler import PgBouncer, Pool, PoolMode
from harness.plan.rules import DrainRules
from harness.safety import pooler as subject
from harness.safety.pooler import console, paused, resume_left
from harness.safety.pooler import pause as pause_module
from tests.harness.support.backup import ENVIRONMENT, SECRET
from tests.harness.support.maintenance import Shop
from tests.harness.support.runner import ask, plan_of
from tests.harness.support.server import require

PATIENT = 600
SLOW = "SELECT pg_catalog.pg_sleep(600); ALTER TABLE public.pets ADD COLUMN age integer;"
QUICK = "ALTER TABLE public.pets ADD COLUMN age integer;"
BACK = "ALTER TABLE public.pets DROP COLUMN IF EXISTS age;"


def pooling(shop: Shop, mode: PoolMode) -> Iterator[PgBouncer]:
    named = (admin.dbname(shop.dsn),)
    try:
        made = PgBouncer(shop.dsn, Pool(mode, 5, patience=PATIENT, named=named))
    except InfrastructureError as error:
        require("pgbouncer", str(error))
    with made:
        yield made


@pytest.fixture
def pool(shop: Shop) -> Iterator[PgBouncer]:
    yield from pooling(shop, "transaction")


@pytest.fixture
def session_pool(shop: Shop) -> Iterator[PgBouncer]:
    yield from pooling(shop, "session")


def client(pool: PgBouncer, shop: Shop) -> psycopg.Connection[object]:
    """A pooled client that has been at work."""
    conn = psycopg.connect(pool.dsn(shop.dsn), autocommit=True, prepare_threshold=None)
    conn.execute("SELECT 1")
    return conn


def is_paused(pool: PgBouncer, shop: Shop) -> bool:
    with console.open_console(pool.console()) as conn:
        return console.read_paused(conn)[admin.dbname(shop.dsn)]


def rules(shop: Shop, pause: float = 300.0) -> DrainRules:
    return DrainRules(pgbouncer=(admin.dbname(shop.dsn),), pause=pause)


def plan(shop: Shop, root: Path, forward: str, lease: str = "60s") -> Path:
    path = plan_of(root, (forward, BACK)).path
    sections = f'[maintenance]\nlease = "{lease}"\nroles = ["{shop.role}"]\n'
    sections += f'[drain]\npgbouncer = ["{admin.dbname(shop.dsn)}"]\npause = "5min"\n'
    path.write_text(path.read_text() + sections)
    return path


def started(pool: PgBouncer, command: list[str], shop: Shop, path: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "harness", *command, "--json", "--dsn", shop.dsn]
    return subprocess.Popen(
        [*argv, "--plan", str(path)], cwd=path.parent,
        env=ENVIRONMENT | {subject.ADDRESS: pool.console()},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_pooled_client_waits_for_the_end_and_is_not_refused(
    shop: Shop, pool: PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(subject.ADDRESS, pool.console())
    with client(pool, shop) as conn, ThreadPoolExecutor() as threads:
        with paused(shop.dsn, rules(shop), 60.0) as pause:
            asked = threads.submit(conn.execute, "INSERT INTO public.pets (id) VALUES (100)")
            assert is_paused(pool, shop)
            assert ask(shop.dsn, "SELECT count(*) FROM public.pets WHERE id = 100") == 0
        asked.result()
    assert (pause.findings, pause.patience) == ([], PATIENT)
    assert ask(shop.dsn, "SELECT count(*) FROM public.pets WHERE id = 100") == 1
    assert not is_paused(pool, shop)


def test_a_migration_says_what_it_paused(shop: Shop, pool: PgBouncer, tmp_path: Path) -> None:
    with client(pool, shop) as conn:
        process = started(pool, ["migrate", "--maintenance"], shop, plan(shop, tmp_path, QUICK))
        out, err = process.communicate()
        assert process.returncode == 0, err
        conn.execute("SELECT age FROM public.pets")
    found = json.loads(out)["maintenance"]
    assert found["pgbouncer"]["paused"] == [admin.dbname(shop.dsn)]
    assert found["findings"] == []


def test_a_harness_that_is_killed_leaves_nothing_paused(
    shop: Shop, pool: PgBouncer, tmp_path: Path
) -> None:
    with client(pool, shop) as conn:
        process = started(pool, ["migrate", "--maintenance"], shop, plan(shop, tmp_path, SLOW))
        try:
            wait_until(lambda: is_paused(pool, shop), 120, "the pause", pause=0.05)
            process.kill()
            wait_until(lambda: not is_paused(pool, shop), 120, "the end of it", pause=0.05)
            conn.execute("SELECT 1")
        finally:
            process.kill()
            process.communicate()


def test_a_harness_that_is_not_heard_is_not_waited_for(
    shop: Shop, pool: PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(subject.ADDRESS, pool.console())
    monkeypatch.setattr(pause_module._Keeper, "_beat_on", lambda *_: None)
    with client(pool, shop) as conn, paused(shop.dsn, rules(shop), 0.5) as pause:
        wait_until(lambda: not is_paused(pool, shop), 120, "the end of it", pause=0.05)
        conn.execute("SELECT 1")
    assert pause.findings == [
        "PgBouncer let clients in: it was resumed while this process was stopped"
    ]


def test_clients_that_keep_their_sessions_end_the_pause_and_lose_nothing(
    shop: Shop, session_pool: PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(subject.ADDRESS, session_pool.console())
    with client(session_pool, shop) as conn:
        with (
            pytest.raises(Stopped, match="did not pause database") as caught,
            paused(shop.dsn, rules(shop, 0.3), 60.0),
        ):
            raise AssertionError("it is not paused")
        assert "pool_mode is session" in str(caught.value)
        assert not is_paused(session_pool, shop)
        conn.execute("SELECT 1")
        client(session_pool, shop).close()


def test_a_resume_from_elsewhere_leaves_nobody_waiting_for_ever(
    shop: Shop, session_pool: PgBouncer
) -> None:
    """PgBouncer never answers a PAUSE into which somebody said RESUME."""
    name = admin.dbname(shop.dsn)
    with client(session_pool, shop) as conn, ThreadPoolExecutor() as threads:
        waiting = threads.submit(console.pause, session_pool.console(), name, 6.0)
        wait_until(lambda: is_paused(session_pool, shop), 60, "the pause")
        with console.open_console(session_pool.console()) as other:
            assert console.resume(other, name)
        conn.close()
        with pytest.raises(Stopped, match="within 6 s"):
            waiting.result()


def test_what_the_death_of_all_left_paused_is_seen_and_resumed_by_off(
    shop: Shop, pool: PgBouncer, tmp_path: Path
) -> None:
    with client(pool, shop):
        console.pause(pool.console(), admin.dbname(shop.dsn), 300.0)
        path = plan(shop, tmp_path, QUICK)
        refused = started(pool, ["migrate", "--maintenance"], shop, path)
        _, err = refused.communicate()
        assert (refused.returncode, "is paused already" in err) == (1, True), err
        assert "maintenance: on" not in err
        assert is_paused(pool, shop)
        off = started(pool, ["maintenance", "off"], shop, path)
        off.communicate()
        assert off.returncode == 0
        assert not is_paused(pool, shop)


def test_a_keeper_that_is_killed_is_a_finding_and_its_pause_ends(
    shop: Shop, pool: PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(subject.ADDRESS, pool.console())
    begun: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def noted(*args: object, **kwargs: object) -> subprocess.Popen[bytes]:
        begun.append(popen(*args, **kwargs))  # type: ignore[call-overload]
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    with client(pool, shop):
        with paused(shop.dsn, rules(shop), 60.0) as pause:
            os.kill(begun[0].pid, signal.SIGKILL)
            begun[0].wait()
            assert is_paused(pool, shop)
        assert pause.findings == ["the process that kept PgBouncer paused was killed"]
        assert not is_paused(pool, shop)
        assert resume_left(pause.databases) == []


Wrong = Callable[[PgBouncer, Shop], tuple[str, str, DrainRules]]
WRONG: dict[str, tuple[type[HarnessError], str, Wrong]] = {
    "no address": (UsageError, "does not say where it is", lambda _, s: ("", s.dsn, rules(s))),
    "no DSN": (UsageError, "", lambda _, s: (f"host=x password='{SECRET}", s.dsn, rules(s))),
    "away": (
        InfrastructureError, "PgBouncer: ",
        lambda _, s: (f"postgresql://me:{SECRET}@127.0.0.1:1/", s.dsn, rules(s)),
    ),
    "a server": (
        InfrastructureError, "PgBouncer", lambda _, s: (s.dsn, s.dsn, rules(s)),
    ),
    "unknown": (
        Refused, "it knows ",
        lambda p, s: (p.console(), s.dsn, replace(rules(s), pgbouncer=("nowhere",))),
    ),
    "through itself": (
        Refused, "goes through the PgBouncer",
        lambda p, s: (p.console(), p.dsn(s.dsn), rules(s)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_pause_that_would_miss_its_mark_is_refused(
    shop: Shop, pool: PgBouncer, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    kind, said, wrong = WRONG[case]
    address, dsn, asked = wrong(pool, shop)
    monkeypatch.setenv(subject.ADDRESS, address)
    with client(pool, shop):
        with pytest.raises(kind) as caught, paused(dsn, asked, 60.0):
            raise AssertionError("it is not refused")
        assert said in str(caught.value)
        assert SECRET not in str(caught.value)
        assert not is_paused(pool, shop)
