"""tern: up above `---- create above / drop below ----`, down below it; numbered from 1."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.adapter.files import below, declared_irreversible, list_sql, read_sql
from harness.subject.adapter.marks import marked_files
from harness.subject.adapter.model import (
    ForeignRevision,
    ForeignScript,
    ForeignTree,
    TreeLayout,
    VersionAccount,
)

_BORDER: Final = re.compile(r"^---- create above / drop below ----[^\n]*$", re.M)
_ALONE: Final = re.compile(r"^---- tern: disable-tx ----", re.M)
_NAME: Final = re.compile(r"(\d+)_.*\.sql$")
_ACCOUNT: Final = VersionAccount(
    names=("schema_version",),
    create="create table if not exists schema_version (version integer not null);"
    " insert into schema_version select 0 where not exists (select from schema_version)",
    record="update schema_version set version = %(number)s",
    erase="update schema_version set version = %(previous)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as tern reads it; UsageError where a number is missing."""
    paths = [path for path in list_sql(root) if _NAME.match(path.name)]
    paths.sort(key=lambda path: int(path.name.split("_")[0]))
    return ForeignTree("tern", root, tuple(_each(paths, root)), _ACCOUNT)


def _each(paths: list[Path], root: Path) -> list[ForeignRevision]:
    found = []
    for wanted, path in enumerate(paths, 1):
        if int(path.name.split("_")[0]) != wanted:
            raise UsageError(
                f"tern numbers its files from 1 without a gap, and {wanted} is missing",
                where=str(path),
                hint="number the files anew",
            )
        found.append(_revision(path, root, wanted))
    return found


def _revision(path: Path, root: Path, number: int) -> ForeignRevision:
    text, name = read_sql(path), below(path, root)
    border = _BORDER.search(text)
    alone = _ALONE.search(text) is not None
    way = {"transaction": not alone, "recording": "after" if alone else "with"}
    down = text[border.end() :] if border else ""
    line = text.count("\n", 0, border.end()) + 1 if border else 1
    flaw = f"{name}: is a template of Go, and its values are not known here" if "{{" in text else ""
    return ForeignRevision(
        name=path.stem,
        path=name,
        up=ForeignScript(name, text[: border.start()] if border else text, **way),  # type: ignore[arg-type] # two literals
        down=ForeignScript(name, down, line, **way) if down.strip() else None,  # type: ignore[arg-type] # likewise
        values={"number": number, "previous": number - 1},
        irreversible=declared_irreversible(text),
        flaw=flaw,
    )


LAYOUT: Final = TreeLayout("tern", marked_files(_BORDER, "---- create above"), read_tree)
