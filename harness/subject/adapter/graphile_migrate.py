"""graphile-migrate: `committed/NNNNNN[-message].sql`, a chain of hashes; there is no way back."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.subject.adapter.marks import Mark, marked_files
from harness.subject.adapter.model import ForeignRevision, ForeignTree, TreeLayout, VersionAccount
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(r"(?P<version>\d{6})(?P<rest>.*)\.sql$")
_PREVIOUS: Final = re.compile(r"^--!\s*Previous:\s*(\S+)", re.M)
_HASH: Final = re.compile(r"^--!\s*Hash:\s*(\S+)", re.M)
_ACCOUNT: Final = VersionAccount(
    names=("graphile_migrate.migrations", "graphile_migrate.current"),
    create="create schema if not exists graphile_migrate; create table if not exists"
    " graphile_migrate.migrations (hash text primary key, previous_hash text,"
    " filename text not null, date timestamptz not null default now())",
    record="insert into graphile_migrate.migrations (hash, filename) values (%(name)s, %(name)s)",
    erase="delete from graphile_migrate.migrations where filename = %(name)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as graphile-migrate reads it; a revision that breaks the chain is flawed."""
    kind = NamedFiles(
        _NAME,
        "whole",
        lambda _path, text: re.search(r"^--!\s*no-transaction", text, re.M) is not None,
    )
    found: list[ForeignRevision] = []
    before = "-"
    for one in read_named(root, kind):
        claimed, own = _PREVIOUS.search(one.up.text), _HASH.search(one.up.text)
        broken = claimed is not None and claimed[1] != before
        flaw = (
            f"{one.path}:1: follows {claimed[1]}, and {before} comes before it"
            if broken and claimed
            else ""
        )
        found.append(replace(one, flaw=flaw))
        before = own[1] if own else before
    return ForeignTree("graphile-migrate", root, tuple(found), _ACCOUNT)


def _marks(root: Path) -> Mark | None:
    return marked_files(re.compile(r"^--!\s*(Previous|Hash):", re.M), "--! Previous:")(root)


LAYOUT: Final = TreeLayout("graphile-migrate", _marks, read_tree)
