"""Whose tree a directory is: by what only one tool has, or by what is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.adapter import (
    atlas,
    db_migrate,
    dbmate,
    diesel,
    drizzle,
    flyway,
    golang_migrate,
    goose,
    graphile_migrate,
    liquibase,
    node_pg_migrate,
    pgmigrate,
    plain,
    postgres_migrations,
    prisma,
    refinery,
    sqitch,
    sql_migrate,
    sqlx,
    supabase,
    tern,
    yoyo,
)  # fmt: skip
from harness.subject.adapter.code import find_code
from harness.subject.adapter.model import ForeignTree, TreeLayout

LAYOUTS: Final[dict[str, TreeLayout]] = {
    module.LAYOUT.name: module.LAYOUT
    for module in (
        atlas, db_migrate, dbmate, diesel, drizzle, flyway, golang_migrate, goose, graphile_migrate,
        liquibase, node_pg_migrate, pgmigrate, plain, postgres_migrations, prisma, refinery,
        sql_migrate, sqitch, sqlx, supabase, tern, yoyo,
    )
}  # fmt: skip
_DEEP: Final = 4
_SKIPPED: Final = frozenset({"node_modules", "vendor", "target", "build", "dist", "__pycache__"})


def read_tree(path: Path, layout: str | None = None) -> ForeignTree:
    """The tree at a path or below it; what was assumed is said first.

    Raises UsageError where there is none, where there are two, and where it is code.
    """
    if not path.is_dir():
        raise UsageError("is not a directory", where=str(path), hint="name the tree of migrations")
    if layout is not None and layout not in LAYOUTS:
        raise UsageError(
            f"there is no layout {layout!r}", hint="known are " + ", ".join(sorted(LAYOUTS))
        )
    root, kind, why = _found(path.resolve(), layout)
    tree = kind.read(root)
    if not tree.revisions:
        raise UsageError(
            f"no revision is there, read as {kind.name}", where=str(root),
            hint="name its directory, or another --layout",
        )  # fmt: skip
    modelled = "" if kind.tried else "; modelled after its documentation, never run beside it"
    return replace(tree, assumed=(f"read as {kind.name}: {why}{modelled}", *tree.assumed))


def _found(path: Path, layout: str | None) -> tuple[Path, TreeLayout, str]:
    here = _speaking(path, layout)
    if here is not None:
        return path, *here
    if layout is not None and any(path.glob("*.sql")):
        return path, LAYOUTS[layout], "as was said"
    below = [(root, *mark) for root in _directories(path) if (mark := _speaking(root, layout))]
    nested = [one for one in below if not any(_is_above(other[0], one[0]) for other in below)]
    if len(nested) == 1:
        return nested[0]
    if nested:
        listed = ", ".join(f"{root.relative_to(path)} ({kind.name})" for root, kind, _ in nested)
        raise UsageError(
            f"there are {len(nested)} trees: {listed}", where=str(path), hint="name one of them"
        )
    _refuse_code(path)
    if layout is not None:
        return path, LAYOUTS[layout], "as was said"
    raise UsageError(
        "no tree of migrations is there", where=str(path),
        hint="name its directory, and its tool by --layout; for code give crash --up and --down",
    )  # fmt: skip


def _is_above(other: Path, path: Path) -> bool:
    return other != path and path.is_relative_to(other)


def _refuse_code(path: Path) -> None:
    for root in (path, *_directories(path)):
        code = find_code(root)
        if code is not None:
            raise UsageError(
                f"is a tree of {code.tool}, whose revisions are code that only it can run",
                where=str(root),
                hint=f'harness crash --up "{code.up}" --down "{code.down}"',
            )


def _speaking(root: Path, layout: str | None) -> tuple[TreeLayout, str] | None:
    """The layout whose mark is the strongest; UsageError where two are as strong."""
    kinds = [LAYOUTS[layout]] if layout else list(LAYOUTS.values())
    marked = [(kind, *mark) for kind in kinds if (mark := kind.marks(root)) is not None]
    if not marked:
        return None
    most = max(strength for _, _, strength in marked)
    strongest = [(kind, why) for kind, why, strength in marked if strength == most]
    if len(strongest) > 1:
        both = " or ".join(f"{kind.name} ({why})" for kind, why in strongest)
        raise UsageError(
            f"may be {both}", where=str(root),
            hint=" or ".join(f"--layout {kind.name}" for kind, _ in strongest),
        )  # fmt: skip
    return strongest[0]


def _directories(path: Path, depth: int = _DEEP) -> Iterator[Path]:
    for below in sorted(path.iterdir()):
        if below.is_dir() and below.name not in _SKIPPED and not below.name.startswith("."):
            yield below
            if depth:
                yield from _directories(below, depth - 1)
