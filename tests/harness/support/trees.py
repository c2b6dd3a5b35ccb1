"""Small trees of migrations, written for a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.document.check import CheckDocument, RevisionDocument
from harness.scenario.revisions import CheckSettings
from harness.scenario.revisions.check_server import CheckServer
from harness.scenario.revisions.run import check_on
from harness.scenario.revisions.selection import select_revisions
from harness.server import Server
from harness.subject.adapter.recognition import read_tree


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """The directory with the files in it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def dbmate(up: str, down: str = "", options: str = "") -> str:
    """A file of dbmate."""
    return f"-- migrate:up{options}\n{up}\n-- migrate:down{options}\n{down}\n"


def check_here(
    started: Server,
    path: Path,
    *,
    rows: int = 40,
    like: int | None = None,
    layout: str | None = None,
    superuser: bool = False,
) -> CheckDocument:
    """Check all of a tree on a server that is there."""
    tree = read_tree(path, layout)
    chosen = select_revisions(tree, all_of_them=True)
    server = CheckServer(started, superuser=superuser)
    settings = CheckSettings(path, rows=rows, like=like, superuser=superuser)
    try:
        return check_on(server, tree, chosen, settings, _nothing, lambda _line: None)
    finally:
        server.close()


def _nothing(_name: str, _done: int, _total: int) -> None:
    """Nobody wants to know."""


def revision(document: CheckDocument, name: str) -> RevisionDocument:
    """The revision of that name."""
    return next(one for one in document.revisions if one.name == name)
