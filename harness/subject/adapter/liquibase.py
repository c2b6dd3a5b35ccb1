"""Liquibase's formatted SQL: changesets, `--rollback` lines; its row in a later transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.subject.adapter.files import below, read_sql, walk
from harness.subject.adapter.marks import FILE, Mark
from harness.subject.adapter.model import (
    ForeignRevision,
    ForeignScript,
    ForeignTree,
    TreeLayout,
    VersionAccount,
)

_FIRST: Final = re.compile(r"^\s*--\s*liquibase\s+formatted\s+sql", re.I)
_CHANGESET: Final = re.compile(
    r"^[ \t]*--[ \t]*changeset[ \t]+(?P<author>[^:\n]+):(?P<id>\"[^\"\n]+\"|\S+)"
    r"(?P<options>[^\n]*)$",
    re.M | re.I,
)
_ROLLBACK: Final = re.compile(r"^[ \t]*--[ \t]*rollback\b[ \t]?([^\n]*)$", re.M | re.I)
_INCLUDE: Final = re.compile(r"file\s*[=:]\s*[\"']?([^\"'\s>]+\.sql)")
_ACCOUNT: Final = VersionAccount(
    names=("databasechangelog", "databasechangeloglock"),
    create="create table if not exists databasechangelog (id varchar(255) not null,"
    " author varchar(255) not null, filename varchar(255) not null,"
    " dateexecuted timestamp not null, orderexecuted integer not null,"
    " exectype varchar(10) not null)",
    record="insert into databasechangelog"
    " values (%(id)s, %(author)s, %(name)s, now(), 1, 'EXECUTED')",
    erase="delete from databasechangelog where id = %(id)s and author = %(author)s",
)


def read_tree(root: Path) -> ForeignTree:
    """The tree as Liquibase reads it."""
    paths, assumed = _ordered(root)
    found = [one for path in paths for one in _changesets(path, root)]
    return ForeignTree("liquibase", root, tuple(found), _ACCOUNT, assumed)


def _ordered(root: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The files in the order of a master changelog that names them, else in that of their names."""
    files = [path for path in walk(root) if path.suffix == ".sql" and _is_formatted(path)]
    for master in walk(root):
        if master.suffix in (".xml", ".yaml", ".yml", ".json"):
            named = _INCLUDE.findall(read_sql(master))
            places = {path: _place(path, named) for path in files}
            listed = sorted((p for p in files if places[p] >= 0), key=lambda path: places[path])
            if listed:
                return listed, (f"the order is that of {below(master, root)}",)
    several = len(files) > 1
    return files, ("no master changelog names the files: in the order of names",) if several else ()


def _place(path: Path, named: list[str]) -> int:
    return next(
        (n for n, one in enumerate(named) if path.as_posix().endswith(one.lstrip("./"))), -1
    )


def _changesets(path: Path, root: Path) -> Iterator[ForeignRevision]:
    text, name = read_sql(path), below(path, root)
    places = list(_CHANGESET.finditer(text))
    for index, place in enumerate(places):
        options = place["options"]
        if _option(options, "dbms") not in ("", "postgresql", "all"):
            continue
        end = places[index + 1].start() if index + 1 < len(places) else len(text)
        body = text[place.end() : end]
        line = text.count("\n", 0, place.end()) + 1
        identity = place["id"].strip('"')
        back = list(_ROLLBACK.finditer(body))
        yield ForeignRevision(
            name=f"{place['author'].strip()}:{identity}",
            path=name,
            up=_script(name, body, line, options),
            down=_back(name, body, back, line, options),
            values={"id": identity, "author": place["author"].strip(), "name": name},
        )


def _back(
    name: str, body: str, found: list[re.Match[str]], line: int, options: str
) -> ForeignScript | None:
    if not found or found[0][1].strip().lower() == "empty":
        return None
    first = line + body.count("\n", 0, found[0].start(1))
    return _script(name, "\n".join(one[1] for one in found), first, options)


def _script(name: str, text: str, line: int, options: str) -> ForeignScript:
    return ForeignScript(
        path=name,
        text=text,
        line=line,
        transaction=_option(options, "runInTransaction") != "false",
        sending="whole" if _option(options, "splitStatements") == "false" else "split",
        recording="after",
    )


def _option(options: str, name: str) -> str:
    found = re.search(rf"\b{name}:(\S+)", options, re.I)
    return found[1].lower().strip('"') if found else ""


def _is_formatted(path: Path) -> bool:
    return _FIRST.match(path.read_text("utf-8", errors="replace")) is not None


def _marks(root: Path) -> Mark | None:
    for path in list(walk(root))[:400]:
        if path.suffix == ".sql" and _is_formatted(path):
            return f"{below(path, root)} begins with --liquibase formatted sql", FILE
    return None


LAYOUT: Final = TreeLayout("liquibase", _marks, read_tree)
