"""sql-migrate: `-- +migrate Up` and `Down` in one file, in the order of names, split."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.subject.adapter.marked import Marked, read_marked
from harness.subject.adapter.marks import marked_files
from harness.subject.adapter.model import ForeignTree, TreeLayout, VersionAccount

_MARKER: Final = re.compile(
    r"^--[ \t]*\+migrate[ \t]+(?P<way>up|down)\b(?P<options>[^\n]*)", re.M | re.I
)
_KIND: Final = Marked(
    marker=_MARKER,
    up="up",
    down="down",
    version=re.compile(r"(.+\.sql)$"),
    sending="split",
    opted_out=lambda _text, section: "notransaction" in section.options,
)
_ACCOUNT: Final = VersionAccount(
    names=("gorp_migrations",),
    create="create table if not exists gorp_migrations (id text not null primary key,"
    " applied_at timestamptz)",
    record="insert into gorp_migrations (id, applied_at) values (%(name)s, now())",
    erase="delete from gorp_migrations where id = %(name)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as sql-migrate reads it."""
    return ForeignTree("sql-migrate", root, tuple(read_marked(root, _KIND)), _ACCOUNT)


LAYOUT: Final = TreeLayout("sql-migrate", marked_files(_MARKER, "-- +migrate Up"), read_tree)
