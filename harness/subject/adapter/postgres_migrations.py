"""postgres-migrations: `N_name.sql` or `N-name.sql` without a gap; there is no way back."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.adapter.files import mentions
from harness.subject.adapter.marks import NEIGHBOUR, Mark
from harness.subject.adapter.model import ForeignTree, TreeLayout, VersionAccount
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(r"(?P<version>\d+)[-_](?P<rest>.*)\.sql$")
_ALONE: Final = "-- postgres-migrations disable-transaction"
_ACCOUNT: Final = VersionAccount(
    names=("migrations",),
    create="create table if not exists migrations (id integer primary key, name varchar(100) unique"
    " not null, hash varchar(40) not null, executed_at timestamp default current_timestamp)",
    record="insert into migrations (id, name, hash) values (%(number)s, %(rest)s, %(hash)s)",
    erase="delete from migrations where id = %(number)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as postgres-migrations reads it; UsageError where a number is missing."""
    kind = NamedFiles(_NAME, "whole", lambda _path, text: _ALONE in text)
    found = []
    for wanted, one in enumerate(read_named(root, kind), 1):
        if one.values["number"] != wanted:
            raise UsageError(
                f"the numbers have no gap here, and {wanted} is missing",
                where=str(root / one.path),
                hint="number the files anew",
            )
        digest = hashlib.sha1(one.up.text.encode(), usedforsecurity=False).hexdigest()
        found.append(replace(one, values={**one.values, "hash": digest}))
    return ForeignTree("postgres-migrations", root, tuple(found), _ACCOUNT)


def _marks(root: Path) -> Mark | None:
    named = any(_NAME.match(path.name) for path in root.glob("*.sql"))
    if named and mentions(root, "package.json", '"postgres-migrations"'):
        return "package.json names postgres-migrations", NEIGHBOUR
    return None


LAYOUT: Final = TreeLayout("postgres-migrations", _marks, read_tree)
