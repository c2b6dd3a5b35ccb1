"""Two files a revision, `NAME.up.sql` and `NAME.down.sql`: found, paired, and in their order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.adapter.files import below, list_sql, numbers, refuse_twice

_UP: Final = re.compile(r"(?P<version>\d+)(?P<rest>.*)\.up\.sql$")


@dataclass(frozen=True)
class FilePair:
    """A revision's files; `number` is its version as a number."""

    name: str
    version: str
    number: int
    up: Path
    down: Path | None


def list_pairs(root: Path) -> list[FilePair]:
    """The pairs of a directory by number; UsageError for a version twice and a down without up."""
    found = []
    for path in list_sql(root, "*.up.sql"):
        named = _UP.match(path.name)
        if named is None:
            continue
        name = path.name.removesuffix(".up.sql")
        down = path.with_name(f"{name}.down.sql")
        there = down if down.is_file() else None
        version = named["version"]
        found.append(FilePair(name, version, numbers(version)[0], path, there))
    _refuse_lonely(root, {pair.name for pair in found})
    refuse_twice(root, ((str(pair.number), below(pair.up, root)) for pair in found))
    return sorted(found, key=lambda pair: pair.number)


def _refuse_lonely(root: Path, names: set[str]) -> None:
    for path in list_sql(root, "*.down.sql"):
        name = path.name.removesuffix(".down.sql")
        if name not in names and name[:1].isdigit():
            raise UsageError(
                "is a way back without a way up",
                where=str(path),
                hint=f"add {name}.up.sql, or remove this file",
            )


def pairs_there(
    says: Callable[[Path], tuple[str, int] | None],
) -> Callable[[Path], tuple[str, int] | None]:
    """What `says` says of a directory that has such pairs; nothing of others."""

    def look(root: Path) -> tuple[str, int] | None:
        return says(root) if any(root.glob("*.up.sql")) else None

    return look
