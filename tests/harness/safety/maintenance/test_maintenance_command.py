"""`harness maintenance`: one document, held leases that end with their holder, bad input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.poll import wait_until
from harness.plan import load
from harness.safety.maintenance import read_status, turn_off
from tests.harness.safety.maintenance.test_barrier import WRITES
from tests.harness.support.backup import ENVIRONMENT
from tests.harness.support.maintenance import REFUSED, Shop, refusal
from tests.harness.support.runner import ask, plan_of

RULES = """
[maintenance]
lease = "{lease}"
max_lease = "1h"
wait = "20s"
roles = ["{role}"]
"""


STEP = (
    "ALTER TABLE public.pets ADD COLUMN age integer;",
    "ALTER TABLE public.pets DROP COLUMN age;",
)


@pytest.fixture
def plan(shop: Shop, tmp_path: Path) -> Path:
    """A plan with the shop's tables."""
    path = plan_of(tmp_path / "plan", STEP).path
    path.write_text(path.read_text() + RULES.format(role=shop.role, lease="15s"))
    return path


@pytest.fixture
def brief(plan: Path) -> Path:
    """The same, whose held leases end soon."""
    plan.write_text(plan.read_text().replace('lease = "15s"', 'lease = "2s"'))
    return plan


def harness(where: Path, *arguments: str | Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "harness", "maintenance", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=where, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@contextmanager
def held(shop: Shop, plan: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`maintenance on --hold` at work, and the end of its first lease."""
    command = [sys.executable, "-m", "harness", "maintenance", "on", "--hold", "--json"]
    process = subprocess.Popen(
        [*command, "--dsn", shop.dsn, "--plan", str(plan)],
        cwd=plan.parent, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        assert (found["state"], found["held"]) == ("on", True)
        yield process, found["until"]
    finally:
        process.kill()
        process.communicate()


def test_on_status_and_off_answer_with_one_document(shop: Shop, plan: Path, tmp_path: Path) -> None:
    asked = ("--dsn", shop.dsn, "--plan", plan, "--json")
    answers = []
    for action, *more in (
        ("on", "--for", "20min", "--reason", "moving house"),
        ("status",),
        ("off",),
    ):
        status, out, err = harness(tmp_path, action, *more, *asked)
        assert (status, out.count("\n")) == (0, 1), err
        answers.append(json.loads(out))
    assert [one["state"] for one in answers] == ["on", "on", "off"]
    assert answers[0] == answers[1]
    assert answers[0]["reason"] == "moving house"
    assert answers[0]["roles"] == [shop.role]
    assert answers[2]["until"] is None


def test_status_and_off_need_neither_plan_nor_project(
    shop: Shop, plan: Path, tmp_path: Path
) -> None:
    assert harness(tmp_path, "on", "--dsn", shop.dsn, "--plan", plan)[0] == 0
    (tmp_path / "harness.toml").write_text("nonsense = 1\n")
    assert "on until" in harness(tmp_path, "status", "--dsn", shop.dsn)[1]
    assert harness(tmp_path, "off", "--dsn", shop.dsn)[0] == 0
    assert shop.refusal(WRITES["insert"]) is None


@pytest.mark.parametrize("signalled", [signal.SIGKILL, signal.SIGSTOP])
def test_a_holder_that_is_killed_or_stopped_lets_the_application_write_again(
    shop: Shop, brief: Path, signalled: signal.Signals
) -> None:
    with held(shop, brief) as (process, first), shop.client() as conn:
        # renewed beyond the first lease: the holder is what keeps it
        wait_until(lambda: ask(shop.dsn, f"SELECT clock_timestamp() > '{first}'"), 60, "the lease")
        wait_until(lambda: refusal(conn, WRITES["update"]) == REFUSED, 60, "a renewed lease")
        process.send_signal(signalled)
        until = read_status(shop.dsn, shop.request()).until
        wait_until(lambda: refusal(conn, WRITES["insert"]) is None, 120, "the end of the lease")
        assert ask(shop.dsn, f"SELECT clock_timestamp() >= '{until}'")
    assert read_status(shop.dsn, shop.request()).state == "off"


def test_ctrl_c_ends_a_held_lease_at_once(shop: Shop, plan: Path) -> None:
    with held(shop, plan) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        found = read_status(shop.dsn, shop.request())
        assert (found.state, found.tables) == ("off", 0)
        assert shop.refusal(WRITES["insert"]) is None


def test_a_held_lease_is_not_taken_by_another_on_but_by_off(
    shop: Shop, plan: Path, tmp_path: Path
) -> None:
    with held(shop, plan) as (process, _):
        status, _, said = harness(tmp_path, "on", "--dsn", shop.dsn, "--plan", plan)
        assert status == 1
        assert "renews it" in said
        turn_off(shop.dsn, shop.request())
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert "somebody else turned maintenance off" in process.stderr.read()
        assert shop.refusal(WRITES["insert"]) is None


def test_a_holder_that_wakes_up_says_how_long_the_application_could_write(
    shop: Shop, brief: Path
) -> None:
    with held(shop, brief) as (process, _), shop.client() as conn:
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: refusal(conn, WRITES["update"]) is None, 120, "the end of the lease")
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: refusal(conn, WRITES["update"]) == REFUSED, 120, "the renewal")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert "the application could write from" in process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("on", "--for", "2h"), 1, "longer than the plan allows"),
        (("on", "--for", "soon"), 2, "it is a time such as"),
        (("on", "--reason", " "), 2, "--reason is a text"),
        (("off", "--hold"), 2, "neither"),
        (("on", "--dsn", "postgresql://127.0.0.1:1/x"), 3, "no connection"),
    ],
)
def test_bad_input_is_one_sentence(
    shop: Shop, plan: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    where = () if "--dsn" in arguments else ("--dsn", shop.dsn)
    found, _, told = harness(tmp_path, *arguments, *where, "--plan", plan)
    assert found == status
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('action = "shout"', "action is one of refuse, cancel, terminate"),
        ('max_lease = "0s"', "above 0"),
        ("roles = 3", "list of texts"),
        ("size = 3", "unknown key 'size' in [maintenance]"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(tmp_path: Path, wrong: str, said: str) -> None:
    path = plan_of(tmp_path, STEP).path
    path.write_text(f"{path.read_text()}[maintenance]\n{wrong}\n")
    line = path.read_text().count("\n")
    with pytest.raises(UsageError) as caught:
        load(path)
    assert f"plan.toml:{line}: " in str(caught.value)
    assert said in str(caught.value)
