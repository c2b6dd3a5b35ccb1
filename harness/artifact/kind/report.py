"""Reports in plain SQL: a file with one query or several."""

from __future__ import annotations

from typing import Final

from harness.artifact.kind.model import ArtifactKind, Found, FoundQuery
from harness.artifact.text.spot import Spot
from harness.artifact.text.tree import TextTree


def read_sql(text: str) -> TextTree:
    """A file of SQL as a tree of one string."""
    offsets = range(len(text) + 1)
    return TextTree(text, lambda: {(): Spot(text, 0, len(text), lambda: offsets, lambda put: put)})


def read_report(tree: TextTree) -> Found | None:
    """The text as a query; none in a file without a statement."""
    text = tree.value
    if not isinstance(text, str):
        return None
    return Found((FoundQuery((), text),)) if text.strip() else Found()


REPORT: Final = ArtifactKind("report", (".sql",), read_report)
