"""The parser's tree, as its JSON has it: a node is one key, its type, with its fields below."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pglast.parser import ParseError, parse_sql_json

Node = Mapping[str, Any]
EXACT: Final = ("String", "A_Star")


class UnparsedSQL(Exception):  # noqa: N818 - reads as what it is
    """SQL that does not parse: what the parser says, and at which byte."""

    def __init__(self, reason: str, position: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def parse(text: str) -> list[Node]:
    """The statements of a text. Raises UnparsedSQL."""
    try:
        tree = json.loads(parse_sql_json(text))
    except ParseError as error:
        said, position = (*error.args, 0)[:2]
        offset = len(text[: int(position or 0)].encode()) if position else 0
        raise UnparsedSQL(str(said), offset) from None
    except (ValueError, RecursionError) as error:
        raise UnparsedSQL(" ".join(str(error).split()) or "nested too deeply") from None
    return [one["stmt"] for one in tree.get("stmts", ())]


def opened(node: Node) -> tuple[str, Any]:
    """The type of a node and its fields."""
    return next(iter(node.items()))


def fields_of(node: Node | None, kind: str) -> Any:
    """The fields of a node of this type; None for another one."""
    return node.get(kind) if node else None


def texts(names: list[Node] | None) -> list[str | None]:
    """The names in a list; None stands for a star."""
    return [(one.get("String") or {}).get("sval") for one in names or ()]


def constant(node: Node | None) -> tuple[str, int] | None:
    """The text of a string constant, cast or not, and where it stands."""
    while node and "TypeCast" in node:
        node = node["TypeCast"].get("arg")
    fields = fields_of(node, "A_Const")
    if not fields or "sval" not in fields:
        return None
    return fields["sval"].get("sval", ""), fields.get("location", 0)


def children(value: Any) -> Iterator[Node]:
    """The nodes directly below a value."""
    if isinstance(value, dict):
        for one in value.values():
            if isinstance(one, dict | list):
                yield from (one,) if isinstance(one, dict) else children(one)
    elif isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                yield one
