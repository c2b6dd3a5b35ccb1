"""A directory a revision: its up, its down, and what says how it is run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from harness.subject.adapter.files import below, declared_irreversible, read_sql
from harness.subject.adapter.model import ForeignRevision, ForeignScript


def list_folders(root: Path, holding: str) -> list[Path]:
    """The directories of a tree that hold a file, by name."""
    return sorted(path for path in root.iterdir() if (path / holding).is_file())


def folders_named(
    pattern: str, holding: str, strength: int
) -> Callable[[Path], tuple[str, int] | None]:
    """Says whether a directory of such a name holds such a file."""
    wanted = re.compile(pattern)

    def look(root: Path) -> tuple[str, int] | None:
        for path in list_folders(root, holding):
            if wanted.match(path.name):
                return f"{path.name}/{holding} is there", strength
        return None

    return look


def in_transaction(folder: Path) -> bool:
    """What diesel's metadata.toml says of a revision; true without one, and of one without it."""
    path = folder / "metadata.toml"
    if not path.is_file():
        return True
    try:
        return bool(tomllib.loads(read_sql(path)).get("run_in_transaction", True))
    except tomllib.TOMLDecodeError:
        return True


def revision_of(
    folder: Path,
    root: Path,
    make: Callable[[Path, Path], ForeignScript],
    up: str,
    down: str | None,
    **values: str,
) -> ForeignRevision:
    """The revision of a folder, named like it."""
    back = folder / down if down else None
    return ForeignRevision(
        name=folder.name,
        path=below(folder / up, root),
        up=make(folder / up, root),
        down=make(back, root) if back and back.is_file() else None,
        values=values,
        irreversible=declared_irreversible(read_sql(folder / up)),
    )
