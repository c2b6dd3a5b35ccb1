"""How many rows: the command line over the environment over the project file over the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import cli
from harness.core.errors import UsageError
from harness.subject.amounts import default_rows, default_seed

PLAN = 'format = 1\nname = "shop"\nversion = "1"\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, the working directory, whose file says how many rows."""
    for name in ("HARNESS_ROWS", "HARNESS_SEED", "HARNESS_PLAN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "harness.toml").write_text("[rows]\ncount = 77\nseed = 0\n")
    return tmp_path


def amounts(command: str, *arguments: str) -> tuple[int, int]:
    """Rows and seed that a command would take."""
    context = cli.commands[command].make_context(command, list(arguments))
    return context.params["rows"], context.params["seed"]


@pytest.mark.parametrize("command", ["seed", "gate", "crash"])
def test_the_project_says_how_many(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    assert amounts(command) == (77, 0)
    monkeypatch.setenv("HARNESS_ROWS", "88")
    assert amounts(command) == (88, 0)
    assert amounts(command, "--rows", "99", "--seed", "5") == (99, 5)


@pytest.mark.parametrize(("command", "rows"), [("seed", 90_000), ("gate", 90_000), ("crash", 1000)])
def test_an_exploration_takes_no_more_than_it_needs(home: Path, command: str, rows: int) -> None:
    (home / "harness.toml").write_text("[rows]\ncount = 90000\n")
    assert amounts(command) == (rows, 1)


@pytest.mark.parametrize(("command", "rows"), [("seed", 10_000), ("gate", 10_000), ("crash", 1000)])
def test_without_a_word_of_the_project_it_is_the_default(
    home: Path, command: str, rows: int
) -> None:
    (home / "harness.toml").unlink()
    assert amounts(command) == (rows, 1)
    assert (default_rows(5), default_seed()) == (5, 1)


def test_a_mistake_in_the_project_file_is_not_passed_over(home: Path) -> None:
    (home / "harness.toml").write_text("[rows]\ncount = 0\n")
    with pytest.raises(UsageError, match=r"harness.toml:2: rows.count"):
        amounts("seed")
