"""Prisma: a directory a revision, its migration.sql one simple query; there is no way back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from harness.subject.adapter.files import below, read_sql
from harness.subject.adapter.folders import folders_named, list_folders, revision_of
from harness.subject.adapter.marks import FILE
from harness.subject.adapter.model import ForeignScript, ForeignTree, TreeLayout, VersionAccount

_ACCOUNT: Final = VersionAccount(
    names=("_prisma_migrations",),
    create="create table if not exists _prisma_migrations (id varchar(36) primary key not null,"
    " checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,"
    " logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(),"
    " applied_steps_count integer not null default 0)",
    begin="insert into _prisma_migrations (id, checksum, migration_name)"
    " values (gen_random_uuid(), %(checksum)s, %(name)s)",
    record="update _prisma_migrations set finished_at = now(), applied_steps_count = 1"
    " where migration_name = %(name)s",
    erase="delete from _prisma_migrations where migration_name = %(name)s",
    blocked="P3009: migrate found a failed migration; run prisma migrate resolve",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as Prisma reads it."""
    found = [
        revision_of(
            one, root, _script, "migration.sql", None,
            name=one.name, checksum=_checksum(one / "migration.sql"),
        )
        for one in list_folders(root, "migration.sql")
    ]  # fmt: skip
    return ForeignTree("prisma", root, tuple(found), _ACCOUNT)


def _checksum(path: Path) -> str:
    return hashlib.sha256(read_sql(path).encode()).hexdigest()


def _script(path: Path, root: Path) -> ForeignScript:
    return ForeignScript(below(path, root), read_sql(path), transaction=False, recording="after")


def _marks(root: Path) -> tuple[str, int] | None:
    if any(root.glob("*/snapshot.json")):
        return None  # Drizzle's own newer form
    return folders_named(r"\d+", "migration.sql", FILE)(root)


LAYOUT: Final = TreeLayout("prisma", _marks, read_tree)
