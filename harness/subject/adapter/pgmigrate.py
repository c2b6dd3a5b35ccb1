"""yandex-pgmigrate: `migrations/V0001__name.sql` beside migrations.yml; there is no way back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.subject.adapter.marks import NEIGHBOUR, Mark
from harness.subject.adapter.model import ForeignTree, TreeLayout, VersionAccount
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(r"V(?P<version>\d+)__(?P<rest>.*)\.sql$")
_ACCOUNT: Final = VersionAccount(
    names=("schema_version",),
    create="create table if not exists schema_version (version bigint primary key,"
    " description text not null, type text not null default 'auto', installed_by text not null,"
    " installed_on timestamptz not null default now())",
    record="insert into schema_version (version, description, installed_by)"
    " values (%(number)s, %(rest)s, current_user)",
    erase="delete from schema_version where version = %(number)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as pgmigrate reads it."""
    kind = NamedFiles(_NAME, "whole", lambda path, _text: "NONTRANSACTIONAL" in path.name)
    assumed = (
        "each revision is a run of its own; in one run pgmigrate takes all in one transaction",
    )
    return ForeignTree("pgmigrate", root, tuple(read_named(root, kind)), _ACCOUNT, assumed)


def _marks(root: Path) -> Mark | None:
    named = any(_NAME.match(path.name) for path in root.glob("*.sql"))
    beside = any((place / "migrations.yml").is_file() for place in (root, root.parent))
    return ("migrations.yml is there", NEIGHBOUR) if named and beside else None


LAYOUT: Final = TreeLayout("pgmigrate", _marks, read_tree, tried=True)
