"""A package may register a kind of subject: a project file names it, and the commands take it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.support.distribution import plant

CODE = """
from harness.subject.command import CommandSubject
from harness.subject.kinds import SubjectKind

def shape(value):
    return None if isinstance(value, str) else "the name of a table"

def make(project, trusted):
    table = project.own["table"]
    if table == "boom":
        raise KeyError(table)
    there, back = (f"psql -qc '{verb} TABLE {table}{rest}' {{dsn}}"
                   for verb, rest in (("CREATE", " ()"), ("DROP", "")))
    return CommandSubject(up=there, down=back, probe="psql -c 'SELECT 1' {dsn}",
                          root=project.path, trusted=trusted, kind="one-table")

KIND = SubjectKind("one-table", make, {"table": shape}, required=("table",))
TAKEN = SubjectKind("command", make)
OTHER = make
"""


def harness(
    root: Path, text: str, target: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """A command in a project of a registered kind, where a package registers it."""
    (root / "harness.toml").write_text(f'[subject]\nkind = "one-table"\n{text}\n')
    around = plant(root, CODE, "harness.subjects", target)
    command = [sys.executable, "-m", "harness", *arguments, "--json"]
    return subprocess.run(
        command, cwd=root, env=around, capture_output=True, text=True, check=False
    )


def test_a_subject_of_a_registered_kind_is_rehearsed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    named = ("--clone", "template", "--dsn", harness_empty_database)
    done = harness(tmp_path, 'table = "made"', "KIND", "dry-run", *named)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["verdict"], document["way_back"]["equal"]) == ("pass", True)
    assert "CREATE TABLE made" in document["plan"]["name"]


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        ('table = "a"', "TAKEN", "of planted-kinds, entry point of harness.subjects: there is a"),
        ('table = "a"', "OTHER", "of planted-kinds, entry point of harness.subjects: it does not"),
        (
            'table = "boom"',
            "KIND",
            "of planted-kinds, entry point of harness.subjects: it makes no",
        ),
        ("table = 3", "KIND", "harness.toml:3: subject.table is the name of a table, not 3"),
        ("", "KIND", "harness.toml:2: a subject of kind one-table needs 'table'"),
        ('table = "a"\nup = "x"', "KIND", "harness.toml:4: subject.up belongs to kind command"),
        ('table = "a"\ntabel = "x"', "KIND", "harness.toml:4: unknown key 'tabel' in [subject]"),
    ],
)
def test_what_is_wrong_with_a_registered_kind_is_one_sentence(
    tmp_path: Path, text: str, target: str, said: str
) -> None:
    done = harness(tmp_path, text, target, "crash")
    assert done.returncode == 2
    assert said in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr


def test_a_kind_that_nobody_registered_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "harness.toml").write_text('[subject]\nkind = "diesl"\n')
    command = [sys.executable, "-m", "harness", "crash"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "subject.kind is one of plan, command, not 'diesl'" in done.stderr
