"""yoyo: `name.sql` and `name.rollback.sql`, ordered by `-- depends:` and name; row after it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.adapter.files import list_sql, mentions, read_sql
from harness.subject.adapter.marks import MARKER, NEIGHBOUR, Mark
from harness.subject.adapter.model import ForeignRevision, ForeignTree, TreeLayout, VersionAccount
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(r"(?P<version>(?P<rest>[^.]+))\.sql$")
_DEPENDS: Final = re.compile(r"^--\s*depends:[ \t]*([^\n]*)$", re.M)
_ALONE: Final = re.compile(r"^--\s*transactional:\s*false\b", re.M | re.I)
_ACCOUNT: Final = VersionAccount(
    names=("_yoyo_migration", "_yoyo_log", "_yoyo_version", "yoyo_lock"),
    create="create table if not exists _yoyo_migration (migration_hash varchar(64) primary key,"
    " migration_id varchar(255), applied_at_utc timestamp)",
    record="insert into _yoyo_migration values (md5(%(name)s), %(rest)s, now())",
    erase="delete from _yoyo_migration where migration_id = %(rest)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as yoyo reads it; UsageError for a circle, and for what is not there."""
    kind = NamedFiles(
        _NAME, "split", lambda _path, text: _ALONE.search(text) is not None, _back, later_row=True
    )
    found = {one.name: one for one in sorted(read_named(root, kind), key=lambda one: one.name)}
    code = sorted(path.name for path in root.glob("*.py") if path.name != "__init__.py")
    assumed = (f"revisions in Python are not run: {', '.join(code)}",) if code else ()
    return ForeignTree("yoyo", root, tuple(_ordered(found, root)), _ACCOUNT, assumed)


def _back(path: Path) -> Path:
    return path.with_name(f"{path.stem}.rollback.sql")


def _ordered(found: dict[str, ForeignRevision], root: Path) -> list[ForeignRevision]:
    needs = {name: _needs(one, found, root) for name, one in found.items()}
    done: list[ForeignRevision] = []
    left = dict(found)
    while left:
        ready = [name for name in left if not any(need in left for need in needs[name])]
        if not ready:
            raise UsageError(
                f"depend on each other: {', '.join(left)}", where=str(root), hint="break the circle"
            )
        done.append(replace(left.pop(ready[0])))
    return done


def _needs(one: ForeignRevision, found: dict[str, ForeignRevision], root: Path) -> list[str]:
    said = _DEPENDS.search(read_sql(root / one.path))
    names = said[1].split() if said else []
    for name in names:
        if name not in found and not (root / f"{name}.py").is_file():
            raise UsageError(
                f"depends on {name}, which is not there", where=str(root / one.path),
                hint="correct the line -- depends:",
            )  # fmt: skip
    return [name for name in names if name in found]


def _marks(root: Path) -> Mark | None:
    if (root / "yoyo.ini").is_file() or (root.parent / "yoyo.ini").is_file():
        return "yoyo.ini is there", NEIGHBOUR
    for path in list_sql(root)[:50]:
        if _DEPENDS.search(path.read_text("utf-8", errors="replace")):
            return f"{path.name} has -- depends:", MARKER
    if any(root.glob("*.rollback.sql")) or (
        list_sql(root) and mentions(root, "pyproject.toml", "yoyo-migrations")
    ):
        return "files are named .rollback.sql, or pyproject.toml names yoyo", NEIGHBOUR
    return None


LAYOUT: Final = TreeLayout("yoyo", _marks, read_tree, tried=True)
