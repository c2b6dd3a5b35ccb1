"""What the text of a foreign statement says by itself: its kind, and the relations it names."""

from __future__ import annotations

import re
from typing import Any, Final

from pglast import ast, parse_sql
from pglast.parser import ParseError

from harness.scenario.dry_run.facts import CatalogFacts
from harness.scenario.dry_run.reach import outward_reach
from harness.scenario.dry_run.shared import shared_of

REWRITING: Final = (
    "AlterTableStmt", "TruncateStmt", "ClusterStmt", "VacuumStmt", "RefreshMatViewStmt",
    "AlterTypeStmt", "AlterDomainStmt",
)  # fmt: skip
"""What may write a relation anew."""
CHANGES: Final = re.compile(r"^(UPDATE|DELETE|MERGE) (\d+)$")
WRITES: Final = re.compile(r"^(?:UPDATE|DELETE|MERGE|COPY|INSERT \d+) (\d+)$")


def trees(text: str) -> list[Any]:
    """The parse trees of a text; none where it cannot be read."""
    try:
        return [raw.stmt for raw in parse_sql(text)]
    except ParseError:
        return []


def tag_of(text: str) -> str:
    """The kind of a statement; of several that of the one that may do most."""
    names = [type(node).__name__ for node in trees(text)]
    telling = [name for name in names if name in (*REWRITING, "IndexStmt")]
    return (telling or names or [""])[0]


def is_concurrent(text: str) -> bool:
    """Whether it is one of those that Postgres forbids within a transaction."""
    found = trees(text)
    concurrent = any(getattr(node, "concurrent", False) for node in found)
    return concurrent or any(isinstance(node, ast.VacuumStmt) for node in found)


def builds_index_under_lock(text: str) -> bool:
    """Whether it reads a whole table to build an index, and its writers wait."""
    return any(isinstance(node, ast.IndexStmt) and not node.concurrent for node in trees(text))


def mentions(text: str, relation: str) -> bool:
    """Whether a text names a relation, by its name without the schema."""
    name = re.escape(relation.rpartition(".")[2])
    return re.search(rf"(?<!\w){name}(?!\w)", text) is not None


def rows_changed(tags: tuple[str, ...]) -> int:
    """How many rows were updated, deleted or merged, by the server's word."""
    return sum(int(found[2]) for tag in tags if (found := CHANGES.match(tag)))


def rows_written(tags: tuple[str, ...]) -> int:
    """How many rows were written in whatever way, by the server's word."""
    return sum(int(found[1]) for tag in tags if (found := WRITES.match(tag)))


def leaves_copy(text: str, facts: CatalogFacts, *, alone: bool) -> str:
    """Why a statement must not reach the server of a copy; empty when it may.

    `alone`: the server is our own, so what all of its databases share is nobody else's.
    """
    for node in trees(text):
        if not alone and shared_of(node) is not None:
            return "changes what all databases of the server share"
        reach = outward_reach(node, text, facts)
        if reach is not None:
            return reach
    return ""
