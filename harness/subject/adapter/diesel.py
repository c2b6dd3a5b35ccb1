"""diesel: a directory a revision; its version stands before the first `_`, without dashes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.subject.adapter.files import below, read_sql, refuse_twice
from harness.subject.adapter.folders import folders_named, in_transaction, list_folders, revision_of
from harness.subject.adapter.marks import FILE
from harness.subject.adapter.model import ForeignScript, ForeignTree, TreeLayout, VersionAccount

_ACCOUNT: Final = VersionAccount(
    names=("__diesel_schema_migrations",),
    create="create table if not exists __diesel_schema_migrations (version varchar(50) primary key"
    " not null, run_on timestamp not null default current_timestamp)",
    record="insert into __diesel_schema_migrations (version) values (%(version)s)",
    erase="delete from __diesel_schema_migrations where version = %(version)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as diesel reads it."""
    folders = sorted(list_folders(root, "up.sql"), key=_version)  # its text, not the folder's
    refuse_twice(root, ((_version(one), one.name) for one in folders))
    found = [
        revision_of(one, root, _script, "up.sql", "down.sql", version=_version(one))
        for one in folders
    ]
    return ForeignTree("diesel", root, tuple(found), _ACCOUNT)


def _version(folder: Path) -> str:
    return folder.name.split("_")[0].replace("-", "")


def _script(path: Path, root: Path) -> ForeignScript:
    inside = in_transaction(path.parent)
    return ForeignScript(
        below(path, root), read_sql(path), transaction=inside,
        recording="with" if inside else "after",
    )  # fmt: skip


LAYOUT: Final = TreeLayout("diesel", folders_named(r"[\d-]+_", "up.sql", FILE), read_tree)
