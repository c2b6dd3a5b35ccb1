"""Flyway: `V1_2__name.sql`, undo `U…`, and repeatable `R__name.sql` after all of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.subject.adapter.concurrent import has_concurrent
from harness.subject.adapter.files import below, list_sql, mentions, read_sql
from harness.subject.adapter.marks import NAMES, Mark
from harness.subject.adapter.model import (
    ForeignRevision,
    ForeignScript,
    ForeignTree,
    TreeLayout,
    VersionAccount,
)
from harness.subject.adapter.named_files import NamedFiles, read_named

_NAME: Final = re.compile(r"V(?P<version>[\d._]+?)__(?P<rest>.*)\.sql$")
_PLACEHOLDER: Final = re.compile(r"\$\{[^}\s]+\}")
_OUTSIDE: Final = re.compile(r"^\s*executeInTransaction\s*=\s*false\s*$", re.M | re.I)
_ACCOUNT: Final = VersionAccount(
    names=("flyway_schema_history",),
    create="create table if not exists flyway_schema_history (installed_rank serial primary key,"
    " version varchar(50), description varchar(200) not null, type varchar(20) not null,"
    " script varchar(1000) not null, checksum integer, installed_by varchar(100) not null,"
    " installed_on timestamp not null default now(), execution_time integer not null,"
    " success boolean not null)",
    record="insert into flyway_schema_history (version, description, type, script, installed_by,"
    " execution_time, success)"
    " values (%(version)s, %(rest)s, 'SQL', %(name)s, current_user, 0, true)",
    erase="delete from flyway_schema_history where script = %(name)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as Flyway reads it."""
    kind = NamedFiles(_NAME, "split", _is_alone, _undo)
    versioned = [_plain(one) for one in read_named(root, kind)]
    again = [_plain(_repeatable(path, root)) for path in list_sql(root, "R__*.sql")]
    assumed = ("repeatable scripts run once, after all versions",) if again else ()
    return ForeignTree("flyway", root, (*versioned, *again), _ACCOUNT, assumed)


def _is_alone(path: Path, text: str) -> bool:
    """By its .conf; and Flyway sees for itself what cannot run in a transaction."""
    conf = path.with_name(f"{path.name}.conf")
    return (conf.is_file() and _OUTSIDE.search(read_sql(conf)) is not None) or has_concurrent(text)


def _undo(path: Path) -> Path:
    return path.with_name(f"U{path.name[1:]}")


def _repeatable(path: Path, root: Path) -> ForeignRevision:
    text = read_sql(path)
    values = {"version": None, "rest": path.stem.removeprefix("R__"), "name": path.name}
    script = ForeignScript(below(path, root), text, sending="split")
    return ForeignRevision(path.stem, below(path, root), script, values=values)


def _plain(one: ForeignRevision) -> ForeignRevision:
    found = _PLACEHOLDER.search(one.up.text)
    if found is None:
        return one
    line = one.up.text.count("\n", 0, found.start()) + 1
    return replace(one, flaw=f"{one.path}:{line}: {found[0]} has no value that is known here")


def _marks(root: Path) -> Mark | None:
    named = any(re.match(r"(V[\d._]+|R)__.*\.sql$", path.name) for path in root.glob("*.sql"))
    if (
        not named
        or (root.parent / "migrations.yml").is_file()
        or mentions(root, "Cargo.toml", "refinery")
    ):
        return None
    return "files are named V…__….sql, and neither migrations.yml nor Cargo.toml says else", NAMES


LAYOUT: Final = TreeLayout("flyway", _marks, read_tree)
