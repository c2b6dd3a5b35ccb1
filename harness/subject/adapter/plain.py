"""Numbered SQL without a tool: run by psql, statement by statement, without an account."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.subject.adapter.marks import NAMES, Mark
from harness.subject.adapter.model import ForeignTree, TreeLayout
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(
    r"(?!.*[._-](?:down|rollback|undo|revert)\.sql$)[Vv]?(?P<version>\d[\d._]*?)(?:[-_.](?P<rest>.*?))?"
    r"(?:[._-]up)?\.sql$"
)
_ASSUMED: Final = (
    "no tool's layout: psql runs the files in the order of their numbers, each statement by itself,"
    " and nothing records what was run"
)
_BACK: Final = ("down", "rollback", "undo", "revert", "downgrade")


def read_tree(root: Path) -> ForeignTree:
    """The tree as a person would run it: in the order of numbers, by psql."""
    kind = NamedFiles(_NAME, "psql", lambda _path, _text: True, _back)
    found = tuple(replace(one, name=one.name.removesuffix(".up")) for one in read_named(root, kind))
    return ForeignTree("plain", root, found, assumed=(_ASSUMED,))


def _back(path: Path) -> Path | None:
    """A file of the way back: NAME.down.sql, NAME_down.sql …, or the same name in a folder."""
    stem = re.sub(r"[._-]up$", "", path.stem)
    for word in _BACK:
        for near in (f"{stem}.{word}.sql", f"{stem}_{word}.sql", f"{stem}-{word}.sql"):
            if path.with_name(near).is_file():
                return path.with_name(near)
        for folder in (path.parent / word, path.parent.parent / word):
            if (folder / path.name).is_file():
                return folder / path.name
    return None


def _marks(root: Path) -> Mark | None:
    if any(_NAME.match(path.name) for path in root.glob("*.sql")):
        return "files of SQL begin with a number", NAMES - 1
    return None


LAYOUT: Final = TreeLayout("plain", _marks, read_tree)
