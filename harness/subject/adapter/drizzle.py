"""Drizzle: files in the order of meta/_journal.json, or folders; everything pending in one
transaction, parted at `--> statement-breakpoint`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from harness.core.errors import UsageError
from harness.core.jsonfile import FlawedJSON, parse_json
from harness.subject.adapter.files import below, declared_irreversible, read_sql
from harness.subject.adapter.folders import list_folders
from harness.subject.adapter.marks import FILE
from harness.subject.adapter.model import (
    ForeignRevision,
    ForeignScript,
    ForeignTree,
    TreeLayout,
    VersionAccount,
)

_ACCOUNT: Final = VersionAccount(
    names=("drizzle.__drizzle_migrations",),
    create="create schema if not exists drizzle; create table if not exists"
    " drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
    record="insert into drizzle.__drizzle_migrations (hash, created_at)"
    " values (%(name)s, %(number)s)",
    erase="delete from drizzle.__drizzle_migrations where hash = %(name)s",
)
_ALL: Final = (
    "all pending revisions run in one transaction, so an index cannot be made concurrently"
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as Drizzle reads it; UsageError for a journal that names what is not there."""
    if (root / "meta" / "_journal.json").is_file():
        paths = list(_journal(root))
    else:
        paths = [(one.name, one / "migration.sql") for one in list_folders(root, "migration.sql")]
    found = tuple(_revision(name, path, root, place) for place, (name, path) in enumerate(paths))
    return ForeignTree("drizzle", root, found, _ACCOUNT, (_ALL,))


def _journal(root: Path) -> list[tuple[str, Path]]:
    path = root / "meta" / "_journal.json"
    try:
        entries: list[dict[str, Any]] = parse_json(read_sql(path))["entries"]
        tags = [str(one["tag"]) for one in entries]
    except FlawedJSON as error:
        raise UsageError(error.reason, where=f"{path}:{error.line}", hint="restore it") from None
    except (KeyError, TypeError, json.JSONDecodeError):
        raise UsageError(
            "is not a journal of Drizzle", where=str(path), hint="restore it"
        ) from None
    for tag in tags:
        if not (root / f"{tag}.sql").is_file():
            raise UsageError(
                f"names {tag}, and {tag}.sql is not there", where=str(path), hint="restore the file"
            )
    return [(tag, root / f"{tag}.sql") for tag in tags]


def _revision(name: str, path: Path, root: Path, place: int) -> ForeignRevision:
    text = read_sql(path)
    return ForeignRevision(
        name=name,
        path=below(path, root),
        up=ForeignScript(below(path, root), text, sending="split"),
        values={"name": name, "number": place},
        irreversible=declared_irreversible(text),
    )


def _marks(root: Path) -> tuple[str, int] | None:
    if (root / "meta" / "_journal.json").is_file():
        return "meta/_journal.json is there", FILE
    if any(root.glob("*/snapshot.json")) and any(root.glob("*/migration.sql")):
        return "folders with migration.sql and snapshot.json are there", FILE
    return None


LAYOUT: Final = TreeLayout("drizzle", _marks, read_tree)
