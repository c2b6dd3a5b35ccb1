"""golang-migrate: pairs; a file is one simple query, and the account says `dirty` meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.subject.adapter.files import below, declared_irreversible, mentions, read_sql
from harness.subject.adapter.marks import NAMES, Mark
from harness.subject.adapter.model import (
    ForeignRevision,
    ForeignScript,
    ForeignTree,
    TreeLayout,
    VersionAccount,
)
from harness.subject.adapter.pairs import FilePair, list_pairs, pairs_there

_ACCOUNT: Final = VersionAccount(
    names=("schema_migrations",),
    create="create table if not exists schema_migrations (version bigint not null primary key,"
    " dirty boolean not null)",
    begin="truncate schema_migrations; insert into schema_migrations values (%(number)s, true)",
    record="truncate schema_migrations; insert into schema_migrations values (%(number)s, false)",
    erase="truncate schema_migrations; insert into schema_migrations"
    " select %(previous)s, false where %(previous)s is not null",
    blocked="Dirty database version {version}. Fix and force version.",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as golang-migrate reads it."""
    previous: int | None = None
    found = []
    for pair in list_pairs(root):
        found.append(_revision(pair, root, previous))
        previous = pair.number
    return ForeignTree("golang-migrate", root, tuple(found), _ACCOUNT)


def _revision(pair: FilePair, root: Path, previous: int | None) -> ForeignRevision:
    text = read_sql(pair.up)
    return ForeignRevision(
        name=pair.name,
        path=below(pair.up, root),
        up=_script(pair.up, root),
        down=_script(pair.down, root) if pair.down else None,
        values={"version": pair.version, "number": pair.number, "previous": previous},
        irreversible=declared_irreversible(text),
    )


def _script(path: Path, root: Path) -> ForeignScript:
    return ForeignScript(below(path, root), read_sql(path), transaction=False, recording="after")


def _named(root: Path) -> Mark | None:
    if mentions(root, "Cargo.toml", "sqlx") or mentions(root, "package.json", "node-pg-migrate"):
        return None
    return (
        "pairs of .up.sql and .down.sql, and neither Cargo.toml nor package.json says else",
        NAMES,
    )


LAYOUT: Final = TreeLayout("golang-migrate", pairs_there(_named), read_tree)
