"""`harness crash --up CMD`: a foreign runner is struck, and what cannot be struck is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli.command_options import CommandOptions, make_subject
from tests.harness.support.guard import OBEDIENT, write_tool

QUICK = ("--rows", "0", "--domain", "wire", "--direction", "forward", "--workers", "2")

LOCKING = """
import os, secrets, sys
import psycopg

verb = sys.argv[1]
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as conn:
    conn.execute(f"create temp table try_{secrets.token_hex(4)} (id int)")
    conn.execute("create table if not exists tool_lock (id int primary key)")
    conn.execute("create table if not exists schema_migrations (version int)")
    if verb == "unlock":
        conn.execute("delete from tool_lock")
    elif verb != "current":
        conn.execute("insert into tool_lock values (1)")
        with conn.transaction():
            done = conn.execute("select 1 from schema_migrations").fetchone()
            if verb == "up" and not done:
                conn.execute("create table made (id int primary key)")
                conn.execute("insert into schema_migrations values (1)")
            if verb == "down" and done:
                conn.execute("drop table made")
                conn.execute("delete from schema_migrations")
        conn.execute("delete from tool_lock")
"""
"""A tool that keeps its account as it should, draws a name by chance, and leaves a lock when it is
killed."""


def crash(*arguments: str, within: Path, build: Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "harness", "crash", *arguments, "--build", str(build)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=within,
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def document_of(*arguments: str, within: Path, build: Path) -> tuple[int, dict[str, Any]]:
    status, out, err = crash(*arguments, "--json", within=within, build=build)
    assert out, err
    return status, json.loads(out)


def locking(directory: Path, *more: str) -> tuple[str, ...]:
    tool = directory / "tool.py"
    tool.write_text(LOCKING)
    words = (f"--{verb}" for verb in ("up", "down", *more))
    commands = (f"{sys.executable} {tool} {verb}" for verb in ("up", "down", *more))
    named = [word for pair in zip(words, commands, strict=True) for word in pair]
    probe = ("--probe", f"{sys.executable} {tool} current")
    return (*named, *probe, "--bookkeeping", "public.tool_lock")


def test_runner_that_commits_what_it_did_with_its_account_passes(tmp_path: Path) -> None:
    options = ("--rows", "0", "--points", "6", *locking(tmp_path, "unlock"))
    status, found = document_of(*options, within=tmp_path, build=tmp_path / "build")
    assert (status, found["verdict"], found["fired"]) == (0, "pass", 6), found["failures"]
    listed = {each["domain"] for each in found["not_applicable"] if "fault" not in each}
    assert listed >= {"pinned", "contended", "tampered", "environment"}
    assert "network namespace" in found["environment"]["guard"]


def test_runner_that_leaves_its_lock_fails_and_is_replayed(tmp_path: Path) -> None:
    faults = (*QUICK, "--fault", "unheard", "--points", "5", *locking(tmp_path))
    status, found = document_of(*faults, within=tmp_path, build=tmp_path / "build")
    assert (status, found["verdict"]) == (1, "fail")
    failure = found["failures"][0]
    assert "insert into tool_lock values (1): duplicate key value" in failure["reason"]
    replay = subprocess.run(  # noqa: S602 - the line is meant for a shell
        f"{sys.executable} -m {failure['replay']} --json",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert replay.returncode == 1
    assert [row["id"] for row in json.loads(replay.stdout)["rows"]] == [failure["id"]]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--up", "no-such-program"], 2, "--up: there is no program 'no-such-program'"),
        (["--up", ""], 2, "--up: the command is empty"),
        (["--up", "psql", "--probe", " "], 2, "--probe: the command is empty"),
        (["--up", "psql 'x"], 2, "--up: the command cannot be split"),
        (["--down", "psql"], 2, "--down goes with --up"),
        (["--limit", "5s"], 2, "--limit goes with --up"),
        (["--up", "psql", "--limit", "soon"], 2, 'it is a time such as "2s"'),
        (["--up", "psql", "--plan", "plan.toml"], 2, "--up and --plan name two subjects"),
    ],
)
def test_options_that_name_no_subject_are_usage(
    arguments: list[str], status: int, said: str, tmp_path: Path
) -> None:
    found, _, err = crash(*arguments, within=tmp_path, build=tmp_path / "build")
    assert (found, said in err) == (status, True), err


@pytest.mark.parametrize(
    ("tool", "probe", "said"),
    [
        ("url = 'postgresql://u@127.0.0.1:1/live'", True, "it connects elsewhere"),
        (f"{OBEDIENT}\nif verb == 'up': sys.exit(0)", True, "it connects elsewhere"),
        (f"{OBEDIENT}\nif verb == 'up': sys.exit(3)", False, "ended with status 3"),
    ],
    ids=["probe", "up that connects to nothing", "up that fails"],
)
def test_command_that_cannot_be_struck_is_refused(
    tool: str, probe: bool, said: str, tmp_path: Path
) -> None:
    command = write_tool(tmp_path, tool)
    options = ("--probe", f"{command} current") if probe else ()
    status, _, err = crash(
        *QUICK, "--up", f"{command} up", *options, within=tmp_path, build=tmp_path / "build"
    )
    assert (status, said in err) == (1, True), err


def test_what_options_leave_out_is_as_in_the_project_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "before.sql").write_text("create table t (a int);")
    (tmp_path / "harness.toml").write_text(
        '[subject]\nkind = "command"\nup = "true up"\ndown = "true down"\nprobe = "true probe"\n'
        'baseline = "before.sql"\n'
    )
    monkeypatch.chdir(tmp_path)
    made = make_subject(CommandOptions(), "true other")
    assert (made.up, made.down, made.probe) == ("true other", "true down", "true probe")
    assert [path.name for path in made.baseline] == ["before.sql"]


def test_comparing_the_estimate_of_a_command_is_usage(tmp_path: Path) -> None:
    (tmp_path / "harness.toml").write_text('[subject]\nkind = "command"\nup = "true"\n')
    command = [sys.executable, "-m", "harness", "dry-run", "--compare", "saved.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--compare needs a plan" in done.stderr
