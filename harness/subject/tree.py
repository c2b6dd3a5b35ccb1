"""What a command is made of: the files of its directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

_NOT_SOURCE: Final = frozenset({"__pycache__", "node_modules", "build", "target"})


def tree_of(root: Path, besides: Sequence[Path] = ()) -> dict[str, str]:
    """The sha256 of each file below a directory, by its name from there, and of those `besides`.

    Files that git ignores are left out; without git, hidden directories and virtual environments.
    """
    found = [*(_listed_by_git(root) or _walked(root)), *besides]
    return {_name(path, root): _sha256(path) for path in sorted(set(found)) if path.is_file()}


def _listed_by_git(root: Path) -> list[Path]:
    """Files that are, or may be, under version control; none outside of a repository."""
    git = shutil.which("git")
    if git is None:
        return []
    done = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=False,
    )  # fmt: skip
    names = done.stdout.split(b"\0") if done.returncode == 0 else []
    return [root / os.fsdecode(name) for name in names if name]


def _walked(root: Path) -> Iterable[Path]:
    for directory, below, files in os.walk(root):
        here = Path(directory)
        below[:] = [
            name
            for name in below
            if not name.startswith(".")
            and name not in _NOT_SOURCE
            and not (here / name / "pyvenv.cfg").exists()
        ]
        yield from (here / name for name in files)


def _name(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # not ours to read, so not ours to run
        return ""
