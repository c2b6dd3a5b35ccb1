"""`harness init`: what is made, for which tree; nothing is overwritten, and all or none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.subject.project import find_project
from harness.subject.scaffold import make_start
from harness.subject.scaffold.origin import origin_of
from harness.subject.scaffold.write import SUITE, WORKFLOW

PLAN = 'format = 1\nname = "shop"\nversion = "1"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The root of an empty repository."""
    (tmp_path / ".git").mkdir()
    return tmp_path


def contents(root: Path) -> dict[str, str]:
    """Every file below a directory, with its text."""
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_an_empty_directory_gets_three_files_and_is_told_what_to_write(home: Path) -> None:
    made = make_start(home)
    assert set(contents(home)) == {"harness.toml", SUITE, WORKFLOW}
    assert [path.relative_to(home).as_posix() for path in made.files] == [
        "harness.toml",
        SUITE,
        WORKFLOW,
    ]
    assert made.next[0] == "write sql/plan.toml:"
    with pytest.raises(UsageError, match=r"harness.toml:\d+: there is no plan here"):
        find_project(home)


def test_what_it_says_to_write_is_a_plan(home: Path) -> None:
    made = make_start(home)
    text = "\n".join(made.next).split("write sql/plan.toml:\n")[1].split("\nwrite ")[0]
    assert tomllib.loads(text)["phase"] == [{"id": "1", "name": "first"}]


@pytest.mark.parametrize("name", ["plan.toml", "sql/plan.toml"])
def test_a_plan_is_recognised(home: Path, name: str) -> None:
    (home / name).parent.mkdir(exist_ok=True)
    (home / name).write_text(PLAN)
    made = make_start(home)
    found = find_project(home)
    assert found is not None
    assert (found.file, found.path) == (home / "harness.toml", home / name)
    assert found.suites.path == home / "tests" / "migration"
    assert not any(line.startswith("write") for line in made.next)


@pytest.mark.parametrize(
    ("kind", "file", "up", "down"),
    [
        ("alembic", "alembic.ini", "alembic upgrade head", "alembic downgrade base"),
        ("django", "manage.py", "python manage.py migrate", None),
    ],
)
def test_a_tree_of_another_tool_is_a_command(
    home: Path, kind: str, file: str, up: str, down: str | None
) -> None:
    (home / file).touch()
    for asked in (None, kind):
        made = make_start(home, asked)
        assert made.kind == "command"
    found = find_project(home)
    assert found is not None
    assert found.command is not None
    assert (found.command.up, found.command.down) == (up, down)
    assert "harness gate --server embedded" in (home / WORKFLOW).read_text()


@pytest.mark.parametrize(
    ("file", "installed"),
    [
        (None, 'alembic "psycopg[binary]"'),
        ("requirements.txt", "-r requirements.txt"),
        ("pyproject.toml", "."),
    ],
)
def test_ci_installs_what_the_command_of_a_tree_needs(
    home: Path, file: str | None, installed: str
) -> None:
    (home / "alembic.ini").touch()
    if file is not None:
        (home / file).touch()
    make_start(home)
    lines = (home / WORKFLOW).read_text().splitlines()
    (line,) = [one for one in lines if "pip install" in one]
    assert line.endswith(f'" {installed}')


def test_a_plan_comes_before_another_tree_unless_one_is_named(home: Path) -> None:
    (home / "plan.toml").write_text(PLAN)
    (home / "alembic.ini").touch()
    assert make_start(home, "alembic").kind == "command"
    (home / "harness.toml").unlink()
    assert make_start(home).kind == "plan"


def test_nothing_is_overwritten_and_a_second_time_nothing_is_made(home: Path) -> None:
    for name in ("harness.toml", SUITE, WORKFLOW):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("# mine\n")
    before = contents(home)
    made = make_start(home)
    assert contents(home) == before
    assert made.files == ()
    assert len(made.kept) == 3


def test_what_lacks_is_made_beside_what_is_there(home: Path) -> None:
    (home / "pyproject.toml").write_text('[tool.harness.subject]\npath = "db"\n')
    (home / "tests" / "migration").mkdir(parents=True)
    (home / "tests" / "migration" / "test_mine.py").touch()
    made = make_start(home)
    assert made.files == (home / WORKFLOW,)
    assert not (home / "harness.toml").exists()


def test_a_link_that_leads_nowhere_is_kept(home: Path) -> None:
    (home / "harness.toml").symlink_to(home / "gone")
    make_start(home)
    assert (home / "harness.toml").is_symlink()
    assert not (home / "gone").exists()


def test_where_a_file_cannot_be_written_none_is(home: Path) -> None:
    (home / ".github").write_text("a file, not a directory")
    with pytest.raises(UsageError, match="nothing was made"):
        make_start(home)
    left = {path.name for path in home.iterdir()}
    assert left == {".git", ".github"}  # and no empty directory


def test_below_the_root_of_a_repository_the_workflow_still_stands_at_the_root(home: Path) -> None:
    below = home / "services" / "shop"
    below.mkdir(parents=True)
    make_start(below)
    text = (home / WORKFLOW).read_text()
    assert 'working-directory: "services/shop"' in text
    assert 'path: "services/shop/build"' in text
    assert (below / "harness.toml").is_file()


def test_within_a_project_its_root_gets_the_files(home: Path) -> None:
    make_start(home)
    (home / WORKFLOW).unlink()
    below = home / "src"
    below.mkdir()
    assert make_start(below).files == (home / WORKFLOW,)
    assert list(below.iterdir()) == []


def test_a_kind_that_the_tree_is_not_is_refused(home: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no alembic.ini here"):
        make_start(home, "alembic")
    assert set(contents(home)) == set()
    make_start(home)
    (home / "alembic.ini").touch()
    with pytest.raises(UsageError, match=r"the project is of kind plan already"):
        make_start(home, "alembic")


@pytest.mark.parametrize(
    ("record", "requirement"),
    [
        (None, "migration-harness==1.2"),
        ({"url": "file:///a/b"}, "./wheels/migration_harness-1.2-py3-none-any.whl"),
        (
            {"url": "https://example.org/h.git", "vcs_info": {"commit_id": "abc"}},
            "migration-harness @ git+https://example.org/h.git@abc",
        ),
        ({"url": "https://example.org/h.whl"}, "migration-harness @ https://example.org/h.whl"),
    ],
)
def test_ci_installs_the_harness_from_where_it_came(
    record: dict[str, object] | None, requirement: str
) -> None:
    assert origin_of("1.2", json.dumps(record) if record else None).requirement == requirement


def run(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """`harness init`: status, what it said, what it complained of."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "init", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_answers_in_one_document(home: Path) -> None:
    status, said, _ = run("--json", cwd=home)
    document = json.loads(said)
    assert status == 0
    assert document["files"] == ["harness.toml", SUITE, WORKFLOW]
    assert (document["kept"], document["subject"]) == ([], "plan")


def test_an_unknown_kind_is_a_usage_error(home: Path) -> None:
    status, said, complaint = run("--from", "cobol", cwd=home)
    assert (status, said) == (2, "")
    assert "'cobol' is not one of plan, alembic, django" in complaint
