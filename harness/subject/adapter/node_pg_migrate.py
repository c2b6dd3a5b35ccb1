"""node-pg-migrate's SQL files: `-- Up Migration` and `-- Down Migration`, each sent whole."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.subject.adapter.marked import Marked, read_marked
from harness.subject.adapter.marks import marked_files
from harness.subject.adapter.model import ForeignTree, TreeLayout, VersionAccount

_MARKER: Final = re.compile(
    r"^\s*--[\s-]*(?P<way>up|down)\s+migration(?P<options>[^\n]*)", re.M | re.I
)
_KIND: Final = Marked(
    marker=_MARKER,
    up="up",
    down="down",
    version=re.compile(r"(\d.*)\.sql$"),
    sending="whole",
    opted_out=lambda _text, _section: False,  # a file of SQL cannot opt out
)
_ACCOUNT: Final = VersionAccount(
    names=("pgmigrations",),
    create="create table if not exists pgmigrations (id serial primary key,"
    " name varchar(255) not null, run_on timestamp not null)",
    record="insert into pgmigrations (name, run_on) values (%(name)s, now())",
    erase="delete from pgmigrations where name = %(name)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as node-pg-migrate reads its SQL files."""
    code = sorted(path.name for path in root.glob("[0-9]*.[jt]s"))
    assumed = (f"revisions in JavaScript are not run: {', '.join(code)}",) if code else ()
    return ForeignTree("node-pg-migrate", root, tuple(read_marked(root, _KIND)), _ACCOUNT, assumed)


LAYOUT: Final = TreeLayout("node-pg-migrate", marked_files(_MARKER, "-- Up Migration"), read_tree)
