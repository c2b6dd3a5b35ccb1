"""sqlx: `N_name.sql`, or pairs; one transaction a file with its row, unless its first line says."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from harness.subject.adapter.files import (
    below,
    declared_irreversible,
    list_sql,
    mentions,
    numbers,
    read_sql,
    refuse_twice,
)  # fmt: skip
from harness.subject.adapter.marks import NEIGHBOUR, Mark
from harness.subject.adapter.model import (
    ForeignRevision,
    ForeignScript,
    ForeignTree,
    TreeLayout,
    VersionAccount,
)

_NAME: Final = re.compile(r"(\d+)_(.+?)(\.up)?\.sql$")
_ACCOUNT: Final = VersionAccount(
    names=("_sqlx_migrations",),
    create="create table if not exists _sqlx_migrations (version bigint primary key,"
    " description text not null, installed_on timestamptz not null default now(),"
    " success boolean not null, checksum bytea not null, execution_time bigint not null)",
    record="insert into _sqlx_migrations (version, description, success, checksum, execution_time)"
    " values (%(number)s, %(name)s, true, decode(%(checksum)s, 'hex'), 0)",
    erase="delete from _sqlx_migrations where version = %(number)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as sqlx reads it."""
    ups = [path for path in list_sql(root) if not path.name.endswith(".down.sql")]
    found = [_revision(path, root) for path in ups if _NAME.match(path.name)]
    refuse_twice(root, ((str(one.values["number"]), one.path) for one in found))
    found.sort(key=lambda one: int(one.values["number"] or 0))
    return ForeignTree("sqlx", root, tuple(found), _ACCOUNT)


def _revision(path: Path, root: Path) -> ForeignRevision:
    text, named = read_sql(path), _NAME.match(path.name)
    assert named is not None, "only files that are named so are read"
    stem = path.name.removesuffix(".sql").removesuffix(".up")
    down = path.with_name(f"{stem}.down.sql")
    checksum = hashlib.sha384(text.encode()).hexdigest()
    return ForeignRevision(
        name=stem,
        path=below(path, root),
        up=_script(path, root),
        down=_script(down, root) if down.is_file() else None,
        values={"number": numbers(named[1])[0], "name": named[2], "checksum": checksum},
        irreversible=declared_irreversible(text),
    )


def _script(path: Path, root: Path) -> ForeignScript:
    text = read_sql(path)
    alone = text.startswith("-- no-transaction")
    return ForeignScript(
        below(path, root), text, transaction=not alone, recording="after" if alone else "with"
    )


def _named(root: Path) -> Mark | None:
    if any(_NAME.match(path.name) for path in root.glob("*.sql")):
        return (
            ("Cargo.toml names sqlx", NEIGHBOUR) if mentions(root, "Cargo.toml", "sqlx") else None
        )
    return None


LAYOUT: Final = TreeLayout("sqlx", _named, read_tree)
