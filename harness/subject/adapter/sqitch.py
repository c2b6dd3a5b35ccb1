"""sqitch: sqitch.plan orders, psql runs; the account is written by another session afterwards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.adapter.files import below, declared_irreversible, read_sql
from harness.subject.adapter.marks import FILE, Mark
from harness.subject.adapter.model import (
    ForeignRevision,
    ForeignScript,
    ForeignTree,
    TreeLayout,
    VersionAccount,
)

_LINE: Final = re.compile(r"^\s*(?P<mark>@?)(?P<name>[^\s%#\[]+)")
_TOP: Final = re.compile(r"^\s*top_dir\s*=\s*(\S+)", re.M)
_ACCOUNT: Final = VersionAccount(
    names=("sqitch.changes",),
    create="create schema if not exists sqitch; create table if not exists sqitch.changes"
    " (change_id text primary key, change text not null, committed_at timestamptz not null)",
    record="insert into sqitch.changes values (%(name)s, %(name)s, now())",
    erase="delete from sqitch.changes where change_id = %(name)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as sqitch reads it; UsageError for a change whose script is not there."""
    found: list[ForeignRevision] = []
    for number, name, tag in _changes(root):
        stem = f"{name}@{tag}" if tag else name
        path = _top(root) / "deploy" / f"{stem}.sql"
        if not path.is_file():
            raise UsageError(
                f"names {name}, and {below(path, root)} is not there",
                where=f"{root / 'sqitch.plan'}:{number}",
                hint="add the script",
            )
        found.append(_revision(name, path, root))
    return ForeignTree("sqitch", root, tuple(found), _ACCOUNT)


def _changes(root: Path) -> list[tuple[int, str, str]]:
    """Line, name and, where the change was reworked later, the tag that ends its first form."""
    entries: list[tuple[int, str, str]] = []
    last: dict[str, int] = {}
    tags: list[tuple[int, str]] = []
    for number, line in enumerate(read_sql(root / "sqitch.plan").splitlines(), 1):
        named = _LINE.match(line)
        if named is None or line.startswith("%"):
            continue
        if named["mark"]:
            tags.append((len(entries), named["name"].removeprefix("@")))
            continue
        name = named["name"]
        if name in last:  # reworked: the earlier form lies in files named after the tag between
            before = last[name]
            tag = next((tag for place, tag in tags if place > before), "")
            entries[before] = (entries[before][0], name, tag)
        last[name] = len(entries)
        entries.append((number, name, ""))
    return entries


def _revision(name: str, path: Path, root: Path) -> ForeignRevision:
    back = path.parent.parent / "revert" / path.name
    return ForeignRevision(
        name=path.stem,
        path=below(path, root),
        up=_script(path, root),
        down=_script(back, root) if back.is_file() else None,
        values={"name": name},
        irreversible=declared_irreversible(read_sql(path)),
    )


def _script(path: Path, root: Path) -> ForeignScript:
    return ForeignScript(
        below(path, root), read_sql(path), transaction=False, sending="psql", recording="after"
    )


def _top(root: Path) -> Path:
    conf = root / "sqitch.conf"
    found = _TOP.search(read_sql(conf)) if conf.is_file() else None
    return root / found[1] if found else root


def _marks(root: Path) -> Mark | None:
    return ("sqitch.plan is there", FILE) if (root / "sqitch.plan").is_file() else None


LAYOUT: Final = TreeLayout("sqitch", _marks, read_tree, tried=True)
