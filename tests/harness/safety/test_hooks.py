"""Hooks are delivered after the commit, again after a crash, and never leave a run half done."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.cli.hooks import deliver_owed
from harness.core.errors import UsageError
from harness.plan import Plan, load
from harness.plan.hooks import Hook
from harness.safety.hooks import DeliveryFailed, deliver
from harness.safety.hooks.deliver import masked_url
from tests.harness.support.backup import ENVIRONMENT, SECRET
from tests.harness.support.runner import ask, plan_of

STEP = (
    "ALTER TABLE public.things ADD COLUMN age integer;",
    "ALTER TABLE public.things DROP COLUMN age;",
)
RELOAD = Hook("reload", "notify", ("pgrst",), payload="reload schema")
EVENTS = "SELECT string_agg(kind || ' ' || step, ', ' ORDER BY id) FROM migration_control.event"
EVENTS += " WHERE kind LIKE 'hook%%'"


@dataclass
class Receiver:
    """An HTTP server that writes down what it was asked, and answers with `status`."""

    url: str = ""
    status: int = 204
    seen: list[tuple[str, str, str]] = field(default_factory=list)


@contextmanager
def receiver(status: int = 204) -> Iterator[Receiver]:
    found = Receiver(status=status)

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if not self.raw_requestline or not self.parse_request():
                return
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = (self.command, self.path, self.headers.get("Authorization", ""))
            found.seen.append(asked)
            self.send_response(found.status)
            self.end_headers()

        def log_request(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path / "plan", STEP)


def test_a_notify_is_heard_once_for_a_run_and_once_for_its_rollback(
    things: str, plan: Plan
) -> None:
    plan = replace(plan, hooks=(RELOAD,))
    with psycopg.connect(things, autocommit=True) as conn:
        conn.execute("LISTEN pgrst")
        assert deliver_owed(things, plan) == []  # nothing is migrated yet
        for command in (runner.migrate, runner.rollback):
            command(things, plan)
            assert [one.state for one in deliver_owed(things, plan)] == ["delivered"]
            assert deliver_owed(things, plan) == []
        heard = list(conn.notifies(timeout=60, stop_after=2))
    assert [one.payload for one in heard] == ["reload schema"] * 2
    assert ask(things, EVENTS) == "hook_delivered reload, hook_delivered reload"


def test_only_what_is_asked_for_the_occasion_is_delivered(things: str, plan: Plan) -> None:
    plan = replace(plan, hooks=(replace(RELOAD, on=("rolled-back",)),))
    runner.migrate(things, plan)
    assert deliver_owed(things, plan) == []
    runner.rollback(things, plan)
    assert [one.name for one in deliver_owed(things, plan)] == ["reload"]


def test_a_receiver_that_is_away_is_a_finding_and_told_later(things: str, plan: Plan) -> None:
    with receiver() as away:
        pass
    plan = replace(plan, hooks=(Hook("purge", "http", (f"{away.url}/all",), method="PURGE"),))
    runner.migrate(things, plan)
    (found,) = deliver_owed(things, plan)
    assert found.state == "failed"
    assert runner.status(things, plan).state == "migrated"
    with receiver() as back:
        hook = replace(plan.hooks[0], target=(f"{back.url}/all",))
        (found,) = deliver_owed(things, replace(plan, hooks=(hook,)))
        assert (found.state, back.seen) == ("delivered", [("PURGE", "/all", "")])
    assert ask(things, EVENTS) == "hook_failed purge, hook_delivered purge"


def test_an_answer_that_is_not_a_success_is_a_failure_and_secrets_are_masked(things: str) -> None:
    with receiver(status=500) as broken:
        url = broken.url.replace("://", f"://me:{SECRET}@") + f"/x?token={SECRET}"
        with pytest.raises(DeliveryFailed, match="status 500") as caught:
            deliver(things, Hook("call", "http", (url,)))
        assert broken.seen[0][1] == f"/x?token={SECRET}"
        assert broken.seen[0][2].startswith("Basic ")
    assert SECRET not in str(caught.value)
    assert masked_url(url).endswith("/x?***")


def test_a_receiver_that_hangs_is_given_up(things: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(DeliveryFailed, match="timed out"):
            deliver(things, Hook("call", "http", (url,), timeout=0.3))


def test_a_command_that_hangs_is_ended_with_its_children(things: str, tmp_path: Path) -> None:
    mark = tmp_path / "late"
    script = f"(sleep 600; touch {mark}) & wait"
    with pytest.raises(DeliveryFailed, match="no end within"):
        deliver(things, Hook("tell", "command", ("sh", "-c", script), timeout=0.3))
    assert not mark.exists()


def test_a_command_has_the_dsn_in_its_environment_only(things: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f'echo "$HARNESS_DSN" > {out}; cat >> {out}; echo "$@" >> {out}'
    hook = Hook("tell", "command", ("sh", "-c", script, "sh", "a b"), payload="hello\n")
    deliver(things, hook)
    assert out.read_text() == f"{things}\nhello\na b\n"
    for wrong, said in (("exit 3", "exit status 3"), ("echo oh >&2; exit 1", "1 oh")):
        with pytest.raises(DeliveryFailed, match=said):
            deliver(things, Hook("tell", "command", ("sh", "-c", wrong)))
    with pytest.raises(DeliveryFailed, match="No such file"):
        deliver(things, Hook("tell", "command", ("no-such-program",)))


def test_a_kill_between_commit_and_hook_is_made_good_by_the_next_migrate(
    things: str, tmp_path: Path
) -> None:
    flag, told = tmp_path / "flag", tmp_path / "told"
    script = f"test -e {flag} && echo x >> {told} || {{ touch {flag}; kill -9 $PPID; }}"
    path = plan_of(tmp_path / "plan", STEP).path
    command = json.dumps(["sh", "-c", script])
    path.write_text(f'{path.read_text()}\n[[hook]]\nname = "tell"\ncommand = {command}\n')
    ends = []
    for _ in range(3):
        asked = ["migrate", "--json", "--dsn", things, "--plan", str(path)]
        done = subprocess.run(
            [sys.executable, "-m", "harness", *asked], cwd=tmp_path, env=ENVIRONMENT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        ends.append(done.returncode)
    assert ends == [-9, 0, 0], done.stderr
    assert told.read_text() == "x\n"
    assert "hooks" not in json.loads(done.stdout)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('name = "a"', "a hook has one of notify, http, command"),
        ('name = "a"\nnotify = "x"\nhttp = "http://x"', "a hook has one of"),
        ('name = "a"\nhttp = "ftp://x"', "http is a URL"),
        ('name = "a"\ncommand = "rm -r x"', "command is a list of texts"),
        ('notify = "x"', "needs a text 'name'"),
        ('name = "a"\nnotify = "x"\non = ["done"]', "on is a list of migrated, rolled-back"),
        ('name = "a"\nnotify = "x"\ntimeout = "2h"', "at most 10min"),
        ('name = "a"\nnotify = "x"\nwhen = "x"', "unknown key 'when'"),
        ('name = "a"\nnotify = "x"\n[[hook]]\nname = "a"\nnotify = "y"', "declared twice"),
    ],
)
def test_a_wrong_hook_is_named_with_its_file(tmp_path: Path, wrong: str, said: str) -> None:
    path = plan_of(tmp_path, STEP).path
    path.write_text(f"{path.read_text()}\n[[hook]]\n{wrong}\n")
    with pytest.raises(UsageError, match=r"plan.toml:\d+: ") as caught:
        load(path)
    assert said in str(caught.value)
