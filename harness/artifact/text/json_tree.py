"""JSON with the place of every string: read by the standard parser, located by a scan."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from harness.artifact.text.spot import Spot
from harness.artifact.text.tree import KEY, Path, TextTree, UnreadTree
from harness.core.jsonfile import FlawedJSON, parse_json

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]')
_PART: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]",
    re.DOTALL,
)
BOM: Final = "\ufeff"


def read_json(text: str) -> TextTree:
    """Parse a JSON text, with a mark of byte order or not. Raises UnreadTree."""
    try:
        value = parse_json(text.removeprefix(BOM))
    except FlawedJSON as error:
        raise UnreadTree(error.reason, error.line) from None
    return TextTree(value, partial(_locate, text))


def _locate(text: str) -> Mapping[Path, Spot]:
    found: dict[Path, Spot] = {}
    stack: list[str | int] = []
    key = True  # whether the next string of an object is a key
    opened: list[bool] = []  # whether each open bracket is an object's
    for match in _TOKEN.finditer(text):
        token = match[0]
        sign = token[0]
        if sign == '"':
            if opened and opened[-1] and key:
                stack[-1] = json.loads(token, strict=False)
                found[(*stack, KEY)] = _spot(token, match.start() + 1, match.end() - 1)
            else:
                found[tuple(stack)] = _spot(token, match.start() + 1, match.end() - 1)
        elif sign in "{[":
            opened.append(sign == "{")
            stack.append("" if sign == "{" else 0)
            key = True
        elif sign in "}]":
            opened.pop()
            stack.pop()
        elif sign == ":":
            key = False
        else:
            last = stack[-1]
            if isinstance(last, int):
                stack[-1] = last + 1
            key = True
    return found


def _spot(token: str, start: int, end: int) -> Spot:
    return Spot(
        json.loads(token, strict=False), start, end, partial(_offsets, token[1:-1], start), _spell
    )


def _offsets(raw: str, start: int) -> Sequence[int]:
    places = [start + match.start() for match in _PART.finditer(raw)]
    return [*places, start + len(raw)]


def _spell(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
