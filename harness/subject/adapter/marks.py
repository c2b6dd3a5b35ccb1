"""What speaks for a directory being the tree of one tool: a file that only it has, a first marker,
names; each with how strong it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final

FILE: Final = 4  # a file that no other tool has
MARKER: Final = 3  # a line inside the files
NEIGHBOUR: Final = 2  # names that several tools share, and a file beside that decides
NAMES: Final = 1  # names alone
_OPENED: Final = 50

Mark = tuple[str, int]


def marked_files(marker: re.Pattern[str], words: str) -> Callable[[Path], Mark | None]:
    """Says whether one of a directory's SQL files has the marker."""

    def look(root: Path) -> Mark | None:
        for path in islice(sorted(root.glob("*.sql")), _OPENED):
            if marker.search(path.read_text("utf-8", errors="replace")):
                return f"{path.name} has {words}", MARKER
        return None

    return look


def file_there(name: str) -> Callable[[Path], Mark | None]:
    """Says whether a directory has a file."""

    def look(root: Path) -> Mark | None:
        return (f"{name} is there", FILE) if (root / name).is_file() else None

    return look


def names_like(pattern: str, strength: int = NAMES) -> Callable[[Path], Mark | None]:
    """Says whether an entry of a directory has such a name."""
    wanted = re.compile(pattern)

    def look(root: Path) -> Mark | None:
        for path in sorted(root.iterdir()):
            if wanted.fullmatch(path.name):
                return f"{path.name} is named so", strength
        return None

    return look
