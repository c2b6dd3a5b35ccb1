"""Supabase: `supabase/migrations/14digits_name.sql`, split, one implicit transaction a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.subject.adapter.concurrent import has_concurrent
from harness.subject.adapter.marks import FILE, Mark
from harness.subject.adapter.model import ForeignTree, TreeLayout, VersionAccount
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(r"(?P<version>\d{14})_(?P<rest>.*)\.sql$")
_ACCOUNT: Final = VersionAccount(
    names=("supabase_migrations.schema_migrations",),
    create="create schema if not exists supabase_migrations; create table if not exists"
    " supabase_migrations.schema_migrations (version text primary key,"
    " statements text[], name text)",
    record="insert into supabase_migrations.schema_migrations (version, name)"
    " values (%(version)s, %(rest)s)",
    erase="delete from supabase_migrations.schema_migrations where version = %(version)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as Supabase's command line reads it."""
    kind = NamedFiles(_NAME, "split", lambda _path, text: has_concurrent(text))
    return ForeignTree("supabase", root, tuple(read_named(root, kind)), _ACCOUNT)


def _marks(root: Path) -> Mark | None:
    if (root.parent / "config.toml").is_file() and root.parent.name == "supabase":
        return "it lies beside supabase/config.toml", FILE
    return None


LAYOUT: Final = TreeLayout("supabase", _marks, read_tree)
