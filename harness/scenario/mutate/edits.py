"""Parse trees: every place in one, and a change to one place that can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pglast import ast
from pglast.stream import IndentedStream, RawStream


@dataclass(frozen=True)
class NodeEdit:
    """Another value for an attribute of one node."""

    operator: str
    node: Any
    attribute: str
    value: Any

    @contextmanager
    def made(self) -> Iterator[None]:
        """The tree is changed inside the block, and what it was after it."""
        held = getattr(self.node, self.attribute)
        setattr(self.node, self.attribute, self.value)
        try:
            yield
        finally:
            setattr(self.node, self.attribute, held)


@dataclass(frozen=True)
class NodePlace:
    """A node of a tree and where its parent keeps it."""

    node: Any
    parent: Any
    attribute: str
    index: int | None = None

    def replaced(self, operator: str, value: Any) -> NodeEdit:
        """An edit that puts another node here."""
        if self.index is None:
            return NodeEdit(operator, self.parent, self.attribute, value)
        items = list(getattr(self.parent, self.attribute))
        items[self.index] = value
        return NodeEdit(operator, self.parent, self.attribute, tuple(items))


def places(root: Any) -> Iterator[NodePlace]:
    """Every node below `root`, parents first, in the order in which it is written."""
    for attribute in type(root).__slots__:
        value = getattr(root, attribute, None)
        if isinstance(value, ast.Node):
            yield NodePlace(value, root, attribute)
            yield from places(value)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, ast.Node):
                    yield NodePlace(item, root, attribute, index)
                    yield from places(item)
                elif isinstance(item, tuple):
                    yield from _in_list(item)


def _in_list(items: tuple[Any, ...]) -> Iterator[NodePlace]:
    """A list in a list, as VALUES has it: its nodes are changed from inside only."""
    for item in items:
        if isinstance(item, ast.Node):
            yield from places(item)


def without(operator: str, node: Any, attribute: str, least: int = 1) -> Iterator[NodeEdit]:
    """Edits that take one item each out of a list that keeps `least` of them."""
    items = getattr(node, attribute) or ()
    if len(items) <= least:
        return
    for index in range(len(items)):
        rest = (*items[:index], *items[index + 1 :])
        yield NodeEdit(operator, node, attribute, rest or None)


def written(tree: Any) -> str:
    """The statement of a tree on one line, for the server."""
    return str(RawStream()(tree))


def laid_out(tree: Any) -> str:
    """The statement of a tree, one clause a line, for a diff."""
    return str(IndentedStream(comma_at_eoln=True)(tree))
