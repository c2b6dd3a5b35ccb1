"""db-migrate's SQL files: `sqls/TS-name-up.sql` and `-down.sql` beside `TS-name.js`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.subject.adapter.files import below, declared_irreversible, list_sql, read_sql
from harness.subject.adapter.marks import FILE, Mark
from harness.subject.adapter.model import (
    ForeignRevision,
    ForeignScript,
    ForeignTree,
    TreeLayout,
    VersionAccount,
)

_ACCOUNT: Final = VersionAccount(
    names=("migrations",),
    create="create table if not exists migrations (id serial primary key,"
    " name varchar(255) not null, run_on timestamp not null)",
    record="insert into migrations (name, run_on) values (%(name)s, now())",
    erase="delete from migrations where name = %(name)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as db-migrate reads it, without --non-transactional."""
    found = [_revision(path, root) for path in list_sql(root / "sqls", "*-up.sql")]
    sql = {one.name for one in found}
    code = sorted(path.stem for path in root.glob("*.js") if path.stem not in sql)
    assumed = (f"revisions in JavaScript alone are not run: {', '.join(code)}",) if code else ()
    return ForeignTree("db-migrate", root, tuple(found), _ACCOUNT, assumed)


def _revision(path: Path, root: Path) -> ForeignRevision:
    name = path.name.removesuffix("-up.sql")
    down = path.with_name(f"{name}-down.sql")
    return ForeignRevision(
        name=name,
        path=below(path, root),
        up=_script(path, root),
        down=_script(down, root) if down.is_file() else None,
        values={"name": f"/{name}"},
        irreversible=declared_irreversible(read_sql(path)),
    )


def _script(path: Path, root: Path) -> ForeignScript:
    return ForeignScript(below(path, root), read_sql(path), recording="after")


def _marks(root: Path) -> Mark | None:
    if any((root / "sqls").glob("*-up.sql")) and any(root.glob("*.js")):
        return "sqls/…-up.sql and a .js beside it are there", FILE
    return None


LAYOUT: Final = TreeLayout("db-migrate", _marks, read_tree)
