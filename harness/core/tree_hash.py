"""One hash of many files, by which a verdict knows what it was given for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import harness

IGNORED = {"__pycache__", ".mypy_cache", ".ruff_cache"}


def tree_hash(roots: Iterable[Path], salt: str = "") -> str:
    """One hash of every file below the roots: its path there and its contents."""
    whole = hashlib.sha256(salt.encode())
    for root in roots:
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            inner = path.relative_to(root.parent if path == root else root)
            if path.is_file() and not IGNORED.intersection(inner.parts) and path.suffix != ".pyc":
                name = inner.as_posix()
                whole.update(f"\n{name} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return whole.hexdigest()


def tool_hash() -> str:
    """The hash of this harness: its version and all of its files."""
    return tree_hash([Path(harness.__file__).parent], harness.__version__)
