"""The files of a tree: listed, ordered by their numbers, and read as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError

LOOKED_AT: Final = 400
"""Files that are opened at most to find out whose tree it is."""
_NOT_SOURCE: Final = frozenset({"node_modules", "vendor", "target", ".git", ".venv", "__pycache__"})
_IRREVERSIBLE: Final = re.compile(r"^\s*--\s*harness:\s*irreversible\b[ \t]*(.*)$", re.M | re.I)


def read_sql(path: Path) -> str:
    """The text of a file; a UsageError that names it where it is none."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"is not UTF-8 from byte {error.start} on", where=str(path), hint="save it as UTF-8"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None


def list_sql(root: Path, pattern: str = "*.sql") -> list[Path]:
    """The files of a directory itself, by name."""
    return sorted(path for path in root.glob(pattern) if path.is_file())


def walk(root: Path) -> Iterator[Path]:
    """Every file below, without what is no source, in the order of names."""
    for path in sorted(root.iterdir()):
        if path.is_dir():
            if path.name not in _NOT_SOURCE and not path.is_symlink():
                yield from walk(path)
        elif path.is_file():
            yield path


def numbers(version: str) -> tuple[int, ...]:
    """A version's parts as numbers, so that 2 comes before 10."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def below(path: Path, root: Path) -> str:
    """A path as messages and documents name it: from the tree's root."""
    return path.relative_to(root).as_posix()


def declared_irreversible(text: str) -> str:
    """The reason that a script gives for having no way back; empty where it says nothing."""
    found = _IRREVERSIBLE.search(text)
    return (found[1].strip() or "no reason is given") if found else ""


def refuse_twice(root: Path, versions: Iterable[tuple[str, str]]) -> None:
    """Raise a UsageError when two files claim one version."""
    seen: dict[str, str] = {}
    for version, path in versions:
        if version in seen:
            raise UsageError(
                f"version {version} is claimed by {seen[version]} too",
                where=str(root / path),
                hint="give one of them another version",
            )
        seen[version] = path


def mentions(root: Path, name: str, word: str) -> bool:
    """Whether a file of this name, in the directory or above it, holds a word."""
    for place in (root, *root.resolve().parents):
        path = place / name
        if path.is_file():
            return word in path.read_text("utf-8", errors="replace")
        if (place / ".git").exists():
            break
    return False
