"""refinery: `V1__name.sql`; `U` says that a file may come late, and is no way back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.subject.adapter.files import mentions
from harness.subject.adapter.marks import NEIGHBOUR, Mark
from harness.subject.adapter.model import ForeignTree, TreeLayout, VersionAccount
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(r"[VU](?P<version>\d+)__(?P<rest>.*)\.sql$")
_ACCOUNT: Final = VersionAccount(
    names=("refinery_schema_history",),
    create="create table if not exists refinery_schema_history (version integer primary key,"
    " name varchar(255), applied_on varchar(255), checksum varchar(255))",
    record="insert into refinery_schema_history (version, name, applied_on)"
    " values (%(number)s, %(rest)s, now()::text)",
    erase="delete from refinery_schema_history where version = %(number)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as refinery reads it."""
    kind = NamedFiles(_NAME, "whole", lambda _path, _text: False)
    code = sorted(path.name for path in root.glob("[VU]*__*.rs"))
    assumed = (f"revisions in Rust are not run: {', '.join(code)}",) if code else ()
    return ForeignTree("refinery", root, tuple(read_named(root, kind)), _ACCOUNT, assumed)


def _marks(root: Path) -> Mark | None:
    named = any(_NAME.match(path.name) for path in root.glob("*.sql"))
    if named and mentions(root, "Cargo.toml", "refinery"):
        return "Cargo.toml names refinery", NEIGHBOUR
    return None


LAYOUT: Final = TreeLayout("refinery", _marks, read_tree)
