"""Atlas: `VERSION_name.sql` beside atlas.sum; its way back is computed, not written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.subject.adapter.marks import file_there
from harness.subject.adapter.model import ForeignTree, TreeLayout, VersionAccount
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(r"(?P<version>\d+)_?(?P<rest>.*?)(?:\.up)?(?<!\.down)\.sql$")
_ALONE: Final = re.compile(r"^--\s*atlas:txmode\s+none\b", re.M)
_ACCOUNT: Final = VersionAccount(
    names=("atlas_schema_revisions.atlas_schema_revisions",),
    create="create schema if not exists atlas_schema_revisions; create table if not exists"
    " atlas_schema_revisions.atlas_schema_revisions (version varchar primary key,"
    " description varchar, executed_at timestamptz not null)",
    record="insert into atlas_schema_revisions.atlas_schema_revisions"
    " values (%(version)s, %(rest)s, now())",
    erase="delete from atlas_schema_revisions.atlas_schema_revisions where version = %(version)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as Atlas reads it, with --tx-mode file."""
    kind = NamedFiles(_NAME, "split", lambda _path, text: _ALONE.search(text) is not None, _back)
    found = tuple(read_named(root, kind))
    assumed = ("each file runs in a transaction of its own (--tx-mode file)",)
    return ForeignTree("atlas", root, found, _ACCOUNT, assumed)


def _back(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix('.sql').removesuffix('.up')}.down.sql")


LAYOUT: Final = TreeLayout("atlas", file_there("atlas.sum"), read_tree)
