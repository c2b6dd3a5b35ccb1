"""First contact: what the command line says to somebody who does not know it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from psycopg.conninfo import make_conninfo

from harness.cli import cli
from harness.cli.usage import EXAMPLES, Seconds
from harness.core.errors import UsageError
from harness.scenario.mutate.run import MutateSettings, run
from tests.harness.support.runner import SmallPlan

ROOT = Path(__file__).parents[3]


def harness(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nix"], "no such command 'nix'; see harness --help"),
        (["status", "--nix"], "no such option '--nix'"),
        (["backup", "--dsn", "dbname=x"], "missing option '--to'; see harness backup --help"),
        (["seed", "--rows", "x"], "invalid value for '--rows'"),
        (["status", "--dsn"], "the DSN cannot be read: it is neither a URL nor"),
        (["dry-run", "--max-lock", "2x"], 'it is a time such as "2s" or "500ms", not \'2x\''),
        (["status"], "no database is named; give --dsn"),
        (["status", "--dsn", "postgresql+psycopg://u:s3cret@h/x"], "write postgresql://u:***@h/x"),
    ],
)
def test_a_usage_error_is_one_document_and_one_sentence(arguments: list[str], said: str) -> None:
    status, out, err = harness(*arguments, "--json")
    assert status == 2
    document = json.loads(out)
    assert out.count("\n") == err.count("\n") == 1
    assert document["exit_status"] == 2
    assert said in document["error"]
    assert err == f"error: {document['error']}\n"


def test_help_lists_whole_summaries_in_order_of_use_with_an_example_each() -> None:
    out = cli.get_help(click.Context(cli, info_name="harness"))
    listed = re.findall(r"^  ([a-z][a-z-]*) +[A-Z]", out, flags=re.MULTILINE)
    assert listed == [name for name in EXAMPLES if name in cli.commands]
    assert set(cli.commands) == set(listed)
    words = " ".join(out.split())
    for name, command in cli.commands.items():
        assert f"$ {EXAMPLES[name]}" in out
        assert " ".join((command.help or "").partition("\n\n")[0].split()).rstrip(".") in words


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_shown_and_can_be_read(name: str) -> None:
    program, *arguments = shlex.split(EXAMPLES[name])
    assert (program, arguments[0]) == ("harness", name)
    command = cli.commands[name]
    command.make_context(name, arguments[1:])
    assert EXAMPLES[name] in command.get_help(click.Context(command, info_name=name))


@pytest.mark.parametrize(
    ("text", "seconds"), [("2s", 2), ("500ms", 0.5), ("2", 2), ("1.5 min", 90)]
)
def test_a_time_is_written_as_in_plan_toml(text: str, seconds: float) -> None:
    assert Seconds().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["0", "0s", "-1s", "2 days", "", "s"])
def test_no_time_at_all_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="such as"):
        Seconds().convert(text, None, None)


def test_mutants_that_are_not_there_are_refused_before_a_server_starts(tmp_path: Path) -> None:
    plan = SmallPlan(tmp_path).load()
    with pytest.raises(UsageError, match=r"no mutant's id holds 'nothing'; an id is like 1\.1/"):
        run(MutateSettings(plan=plan.root / "plan.toml", only="nothing", server="nowhere"))


def test_a_wrong_password_is_named_as_the_reason(things: str, role: str) -> None:
    dsn = make_conninfo(things, user=role, password="not-this-Word")
    status, _, err = harness("status", "--dsn", dsn)
    assert status == 3
    assert "password authentication failed" in err
    assert "the password is wrong" in err
    assert "not-this-Word" not in err
