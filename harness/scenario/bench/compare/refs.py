"""The two refs: which commits they are, and their trees, checked out beside the repository."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError


@dataclass(frozen=True)
class GitRef:
    """A ref as it was named, and the commit that it is."""

    name: str
    commit: str


@dataclass(frozen=True)
class GitRepository:
    """A repository, and where in it the project stands."""

    root: Path
    prefix: str


def find_repository(directory: Path) -> GitRepository:
    """The repository that a directory is in; raises UsageError where there is none."""
    done = _git(directory, "rev-parse", "--show-toplevel", "--show-prefix")
    if done.returncode:
        raise UsageError(
            f"two refs of a git repository are compared: {_last(done.stderr)}",
            where=str(directory), hint="run it inside of one, or name two saved JSON files",
        )  # fmt: skip
    root, prefix, *_ = [*done.stdout.splitlines(), ""]
    return GitRepository(Path(root), prefix)


def resolve_ref(repository: GitRepository, name: str) -> GitRef:
    """The commit of a ref; raises UsageError where there is none."""
    done = _git(
        repository.root, "rev-parse", "--verify", "--quiet", "--end-of-options",
        f"{name}^{{commit}}",
    )  # fmt: skip
    if done.returncode:
        raise UsageError(
            f"there is no commit {name!r} in this repository",
            where=str(repository.root), hint="see git log, or git fetch what is missing",
        )  # fmt: skip
    return GitRef(name, done.stdout.strip())


def is_changed(repository: GitRepository) -> bool:
    """Whether tracked files have changes that are in no commit."""
    done = _git(repository.root, "status", "--porcelain", "--untracked-files=no")
    return bool(done.stdout.strip())


def check_out(repository: GitRepository, ref: GitRef, tree: Path) -> None:
    """Write the files of a commit below a directory; raises UsageError where that fails.

    By an index of its own: a work tree of git's would have to be taken back, and HEAD is not moved.
    """
    tree.mkdir(parents=True)
    index = {"GIT_INDEX_FILE": str(tree.parent / "index")}
    for arguments in (
        ("read-tree", ref.commit),
        ("checkout-index", "--all", "--quiet", f"--prefix={tree}/"),
    ):
        done = _git(repository.root, *arguments, **index)
        if done.returncode:
            raise UsageError(
                f"the files of {ref.name} cannot be checked out: {_last(done.stderr)}",
                where=str(repository.root), hint="see git fsck, and whether the disk is full",
            )  # fmt: skip


def _git(directory: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=directory, capture_output=True, text=True, check=False, errors="replace",
            env={**os.environ, "LC_ALL": "C", **more},
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError(
            "git is not installed, which knows the refs", hint="install it, or name two saved files"
        ) from None


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["git says nothing"])[-1]
