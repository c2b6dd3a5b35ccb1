"""dbmate: `-- migrate:up` and `-- migrate:down` in one file; each block is one simple query."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.subject.adapter.marked import Marked, read_marked
from harness.subject.adapter.marks import marked_files
from harness.subject.adapter.model import ForeignTree, TreeLayout, VersionAccount

_MARKER: Final = re.compile(r"^--[ \t]*migrate:(?P<way>up|down)(?P<options>[^\n]*)", re.M)
_KIND: Final = Marked(
    marker=_MARKER,
    up="up",
    down="down",
    version=re.compile(r"(\d+).*\.sql$"),
    sending="whole",
    opted_out=lambda _text, section: (
        re.search(r"\btransaction:\s*false\b", section.options) is not None
    ),
)
_ACCOUNT: Final = VersionAccount(
    names=("schema_migrations",),
    create="create table if not exists schema_migrations (version varchar primary key)",
    record="insert into schema_migrations (version) values (%(version)s)",
    erase="delete from schema_migrations where version = %(version)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as dbmate reads it."""
    return ForeignTree("dbmate", root, tuple(read_marked(root, _KIND)), _ACCOUNT)


LAYOUT: Final = TreeLayout("dbmate", marked_files(_MARKER, "-- migrate:up"), read_tree, tried=True)
