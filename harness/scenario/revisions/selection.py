"""Which revisions of a tree are judged: what a git ref lacks, the last few, or all."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.adapter.model import ForeignRevision, ForeignTree

_BRANCHES: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


@dataclass(frozen=True)
class Selection:
    """The earlier revisions, which are the baseline; those under test; and why these."""

    baseline: tuple[ForeignRevision, ...]
    judged: tuple[ForeignRevision, ...]
    why: str


def select_revisions(
    tree: ForeignTree,
    *,
    since: str | None = None,
    last: int | None = None,
    all_of_them: bool = False,
) -> Selection:
    """The revisions under test; by default those that the default branch lacks, or all.

    Raises UsageError for a ref that is not there, and for two answers at once.
    """
    if sum((since is not None, last is not None, all_of_them)) > 1:
        raise UsageError(
            "--since, --last and --all are three answers to one question", hint="give one"
        )
    every = tree.revisions
    if all_of_them:
        return Selection((), every, f"all {len(every)} revisions, as was said")
    if last is not None:
        return _split(
            every, every[-last:], f"the last {min(last, len(every))} of {len(every)} revisions"
        )
    if since is not None:
        return _since(tree, since, f"that {since} lacks")
    base = _merge_base(tree.root)
    if base is None:
        return Selection(
            (), every, f"all {len(every)} revisions: there is no other branch to hold them against"
        )
    found = _since(tree, base, "that the default branch lacks")
    if found.judged:
        return found
    return Selection((), every, f"all {len(every)} revisions: none is new")


def _since(tree: ForeignTree, ref: str, words: str) -> Selection:
    known = _content(tree.root, ref)
    new = [
        one for one in tree.revisions if any(_is_new(tree.root, name, known) for name in one.files)
    ]
    return _split(tree.revisions, new, f"{len(new)} of {len(tree.revisions)} revisions {words}")


def _split(every: Sequence[ForeignRevision], new: Sequence[ForeignRevision], why: str) -> Selection:
    """From the first one under test on, every revision is: each is the server of the next."""
    first = min((every.index(one) for one in new), default=len(every))
    return Selection(tuple(every[:first]), tuple(every[first:]), why)


def _is_new(root: Path, name: str, known: dict[str, str]) -> bool:
    return known.get(name) != _git(root, "hash-object", "--", name)


def _content(root: Path, ref: str) -> dict[str, str]:
    """The files that a ref has below the tree's root, with their hashes."""
    listed = _git(root, "ls-tree", "-r", "-z", ref, "--", ".")
    if listed is None:
        raise UsageError(
            f"git knows no {ref!r} here", where=str(root), hint="name a commit, a branch or a tag"
        )
    lines = (line for line in listed.split("\0") if line)
    return {path: words.split()[2] for words, _, path in (line.partition("\t") for line in lines)}


def _merge_base(root: Path) -> str | None:
    for branch in _BRANCHES:
        found = _git(root, "merge-base", "HEAD", branch)
        if found:
            return found
    return None


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None where it refuses, and where there is none."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(
        [git, *arguments], cwd=root, capture_output=True, text=True, check=False
    )  # fmt: skip
    return done.stdout.strip("\n") if done.returncode == 0 else None
