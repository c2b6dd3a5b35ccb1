"""Which revisions are judged: those a ref lacks, the last few, or all; and that it is said."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.scenario.revisions.selection import Selection, select_revisions
from harness.subject.adapter.recognition import read_tree
from tests.harness.support.trees import dbmate, write_files

Git = Callable[..., None]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    def run(*arguments: str) -> None:
        said = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *said, *arguments], cwd=tmp_path, check=True, capture_output=True)

    run("init", "-b", "main")
    return run


@pytest.fixture
def tree(tmp_path: Path, git: Git) -> Path:
    """Two revisions on the default branch, a third on a branch of its own."""
    below = write_files(tmp_path / "m", {f"{n}.sql": dbmate(f"select {n};") for n in (1, 2)})
    git("add", ".")
    git("commit", "-m", "two")
    git("checkout", "-b", "topic")
    write_files(below, {"3.sql": dbmate("select 3;")})
    git("add", ".")
    git("commit", "-m", "three")
    return below


def named(found: Selection) -> tuple[list[str], list[str]]:
    return [one.name for one in found.baseline], [one.name for one in found.judged]


def test_what_the_default_branch_lacks_is_judged(tree: Path) -> None:
    assert named(select_revisions(read_tree(tree))) == (["1", "2"], ["3"])


def test_a_revision_that_is_in_no_commit_yet_is_new(tree: Path) -> None:
    write_files(tree, {"4.sql": dbmate("select 4;")})
    assert named(select_revisions(read_tree(tree))) == (["1", "2"], ["3", "4"])


def test_an_edited_revision_is_judged_with_all_that_follow(tree: Path) -> None:
    write_files(tree, {"2.sql": dbmate("select 22;")})
    assert named(select_revisions(read_tree(tree))) == (["1"], ["2", "3"])


def test_where_nothing_is_new_all_are_judged_and_it_is_said(tree: Path, git: Git) -> None:
    git("checkout", "main")
    found = select_revisions(read_tree(tree))
    assert named(found) == ([], ["1", "2"])
    assert found.why == "all 2 revisions: none is new"


def test_a_ref_that_is_named_decides(tree: Path) -> None:
    assert named(select_revisions(read_tree(tree), since="HEAD"))[1] == []
    assert named(select_revisions(read_tree(tree), since="main"))[1] == ["3"]


def test_the_last_few_are_judged(tree: Path) -> None:
    assert named(select_revisions(read_tree(tree), last=2)) == (["1"], ["2", "3"])
    assert named(select_revisions(read_tree(tree), last=9)) == ([], ["1", "2", "3"])


def test_outside_of_a_repository_all_are_judged(tmp_path: Path) -> None:
    found = select_revisions(read_tree(write_files(tmp_path, {"1.sql": dbmate("select 1;")})))
    assert found.why == "all 1 revisions: there is no other branch to hold them against"


def test_a_ref_that_is_not_there_is_refused(tree: Path) -> None:
    with pytest.raises(UsageError, match="git knows no 'v0'"):
        select_revisions(read_tree(tree), since="v0")


def test_two_answers_are_refused(tree: Path) -> None:
    with pytest.raises(UsageError, match="three answers to one question"):
        select_revisions(read_tree(tree), last=1, all_of_them=True)
