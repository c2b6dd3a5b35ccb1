"""Two refs compared for real: one with a planted slowdown, and refs that are none."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.scenario.bench.compare import ComparisonSettings, comparison_lines, run_comparison
from harness.scenario.bench.compare.rule import DecisionRule
from tests.harness.support.people import STEPS, make_people, write

QUICK = DecisionRule(pairs=2, inner=1, servers=1, warm=1, confidence=0.5)
"""The whole way in seconds; what the real rule catches is known by simulation and by night."""
GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", "-c", "commit.gpgsign=false"]
PROJECT = '[subject]\nkind = "plan"\npath = "sql/plan.toml"\n'


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run([*GIT, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root: Path) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of another team's, with one commit."""
    root = make_people(tmp_path / "people")
    write(root, "harness.toml", PROJECT)
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit(root)
    return root


def settings(
    root: Path, *only: str, base: str = "HEAD~1", head: str = "HEAD"
) -> ComparisonSettings:
    return ComparisonSettings(base, head, 20, 1, only=only, directory=root, rule=QUICK)


def test_a_planted_slowdown_is_caught_and_confirmed_and_nothing_is_left(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, back = STEPS["010_nick"]
    make_people(project, _010_nick=(f"select pg_sleep(0.5);\n{forward}", back))
    head = commit(project)
    place = Path(tempfile.mkdtemp(prefix="compare-", dir=tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    document, rounds = run_comparison(settings(project, "migrate"))
    (found,) = document.benchmarks
    assert (document.verdict, found.verdict, found.confirmed) == ("fail", "slower", True)
    assert (found.name, len(rounds["migrate"]), document.head.commit) == ("migrate", 2, head)
    assert found.low is not None
    assert found.low > 1.05
    assert any("slower, confirmed" in line for line in comparison_lines(document))
    assert list(place.iterdir()) == []
    assert git(project, "status", "--porcelain") == ""
    assert len(git(project, "worktree", "list").splitlines()) == 1


def test_a_ref_that_is_none_is_named(project: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no commit 'nowhere'"):
        run_comparison(settings(project, head="nowhere", base="HEAD"))
    with pytest.raises(UsageError, match="two refs of a git repository are compared"):
        run_comparison(settings(tmp_path))


BROKEN = """
[project]
name = "migration-harness"
version = "1"
[build-system]
requires = []
build-backend = "nowhere"
"""


def test_a_ref_that_does_not_install_is_named_with_the_reason(project: Path) -> None:
    write(project, "pyproject.toml", BROKEN)
    commit(project)
    git(project, "branch", "broken")
    with pytest.raises(UsageError, match=r"broken does not install: .*'nowhere'"):
        run_comparison(settings(project, "clone", head="broken"))
