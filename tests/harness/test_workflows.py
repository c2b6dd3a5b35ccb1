"""The workflows: GitHub's schema, who may write, and their shell lines as far as they run here."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
TRUSTED = re.compile(r"\s*matrix\.\w+\s*")
WRITERS = {"comment.yml": {"comment"}, "release.yml": {"publish"}}
"""Jobs whose token may write, by file: none of them runs what a pull request brings."""


def told(command: list[str], **variables: str) -> tuple[int, str]:
    """Exit status of a command in the root of the checkout, and all that it said."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def read(path: Path) -> Any:
    return yaml.YAML(typ="safe", pure=True).load(path.read_text())


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            for step in job["steps"]:
                yield f"{path.name} {name}", step
    for step in read(ACTION)["runs"]["steps"]:
        yield ACTION.name, step


RUN = [(where, step["run"]) for where, step in steps() if "run" in step]
LINES = [
    (where, line.strip())
    for where, script in RUN
    for line in script.replace("\\\n", " ").splitlines()
]


def test_they_are_what_github_takes() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    for schema, files in (("github-workflows", WORKFLOWS), ("github-actions", [ACTION])):
        command = [*check, f"vendor.{schema}", *map(str, files)]
        status, said = told(command)
        assert status == 0, said


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_token_writes_but_where_it_must(path: Path) -> None:
    document = read(path)
    triggers = document.get("on", document.get(True))
    assert "pull_request_target" not in triggers
    assert document["permissions"] == {"contents": "read"}
    writing = {
        name
        for name, job in document["jobs"].items()
        if "write" in job.get("permissions", {}).values()
    }
    assert writing == WRITERS.get(path.name, set())
    for name in writing:
        used = [step.get("uses", "") for step in document["jobs"][name]["steps"]]
        assert not [one for one in used if one.startswith("actions/checkout")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_last_job_wants_every_other_one(path: Path) -> None:
    jobs = read(path)["jobs"]
    if len(jobs) == 1:
        return
    assert jobs["all"]["if"] == "always()"
    assert set(jobs["all"]["needs"]) == jobs.keys() - {"all"}
    script = jobs["all"]["steps"][0]["run"]
    assert told(["bash", "-c", script], RESULTS="success success")[0] == 0
    for results in ("success failure", "skipped success", "cancelled", ""):
        assert told(["bash", "-c", script], RESULTS=results)[0] == 1, results


def test_scripts_are_bash_and_hold_nothing_that_a_stranger_wrote() -> None:
    for where, script in RUN:
        assert all(TRUSTED.fullmatch(one) for one in EXPRESSION.findall(script)), where
        plain = EXPRESSION.sub("1", script)
        status, said = told(["bash", "-n", "-c", plain])
        assert status == 0, (where, said)


def made() -> set[str]:
    words = (shlex.split(EXPRESSION.sub("1", line)) for _, line in LINES if "make " in line)
    return {shlex.join(some[some.index("make") :]) for some in words if "make" in some}


def test_every_make_line_is_one_that_make_knows() -> None:
    lines = made()
    assert len(lines) > 8
    for line in lines:
        status, said = told(["make", "-n", *shlex.split(line)[1:]])
        assert status == 0, (line, said)
        text = (ROOT / "Makefile").read_text()
        for word in shlex.split(line)[1:]:
            name, separator, _ = word.partition("=")
            assert not separator or f"({name})" in text, f"{line}: make takes no {name}"


def test_every_harness_line_has_options_that_there_are() -> None:
    found = 0
    for where, line in LINES:
        words = re.split(r"\s+", line)
        at = next(
            (n for n, word in enumerate(words) if re.fullmatch(r"(\S*/)?harness", word)), None
        )
        if at is None:
            continue
        found += 1
        unknown = _unknown(words[at + 1 :])
        assert not unknown, (where, line, unknown)
    assert found >= 4
    assert _unknown(["gate", "--moon"]) == {"--moon"}


def _unknown(words: list[str]) -> set[str]:
    """The options of a line that its command does not take."""
    from harness.cli.main import cli

    command: click.Command = cli
    if isinstance(command, click.Group) and words[0] in command.commands:
        command = command.commands[words[0]]
    known = {name for parameter in command.params for name in parameter.opts} | {"--version"}
    return {match for word in words for match in re.findall(r"--[a-z-]+", word)} - known
