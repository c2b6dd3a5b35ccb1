"""Whether two definitions are one to the server, though it writes them differently.

`name IN ('a', 'b')` on a varchar column is written out as
`(ARRAY['a'::varchar, 'b'::varchar])::text[]`. Read again, as every restore does, the parser hands
the array's cast to its elements, and writes `ARRAY[('a'::varchar)::text, ('b'::varchar)::text]`
from then on. That rule of the parser is followed here; nothing else is forgiven, and what cannot be
parsed is different.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pglast import parser

_FRAMES: Final = ("{}", "ALTER TABLE t ADD {}", "SELECT {}")
"""A definition is a statement, a constraint, or an expression."""
_PLACES: Final = frozenset(
    ("location", "stmt_location", "stmt_len", "list_start", "list_end")
)  # where in the text it stands, not what it is


def same(before: str, after: str) -> bool:
    """Whether the server makes the same of both texts."""
    for old, new in zip(_trees(before), _trees(after), strict=True):
        if old is not None and new is not None:
            return bool(old == new)
    return False


def _trees(text: str) -> Iterator[Any]:
    """The text as each kind of definition, None where it is not of that kind."""
    for frame in _FRAMES:
        try:
            yield _as_read(json.loads(parser.parse_sql_json(frame.format(text))))
        except parser.ParseError:
            yield None


def _as_read(node: Any) -> Any:
    if isinstance(node, list):
        return [_as_read(item) for item in node]
    if not isinstance(node, dict):
        return node
    read = {key: _as_read(value) for key, value in node.items() if key not in _PLACES}
    return _handed_down(read["TypeCast"]) or read if "TypeCast" in read else read


def _handed_down(cast: dict[str, Any]) -> dict[str, Any] | None:
    """An array of cast elements for a cast array of them; None where it is another cast."""
    kind, array = cast["typeName"], cast["arg"].get("A_ArrayExpr")
    elements = (array or {}).get("elements", [])
    if not elements or len(kind.get("arrayBounds", ())) != 1:
        return None
    if any("A_ArrayExpr" in element for element in elements):
        return None
    of_one = {key: value for key, value in kind.items() if key != "arrayBounds"}
    casts = [{"TypeCast": {"arg": element, "typeName": of_one}} for element in elements]
    return {"A_ArrayExpr": {**array, "elements": casts}}
