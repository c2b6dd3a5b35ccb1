"""JSON with the place of every string: read by the standard parser, located by a scan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
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
_DECODER: Final = json.JSONDecoder(strict=False)


def read_json(text: str) -> TextTree:
    """Parse a JSON text, with a mark of byte order or not. Raises UnreadTree."""
    try:
        value = parse_json(text.removeprefix(BOM))
    except FlawedJSON as error:
        raise UnreadTree(error.reason, error.line) from None
    return TextTree(value, partial(_locate, text))


class JsonSpots(Mapping[Path, Spot]):
    """The spot of every string; each is made when it is asked for, and few are."""

    def __init__(self, places: Mapping[Path, tuple[int, int]], text: str) -> None:
        self._places = places
        self._text = text

    def __getitem__(self, path: Path) -> Spot:
        start, end = self._places[path]
        raw = self._text[start:end]
        value = _decoded(f'"{raw}"')
        return Spot(value, start, end, partial(_offsets, raw, start), _spell)

    def __iter__(self) -> Iterator[Path]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _decoded(token: str) -> str:
    return token[1:-1] if "\\" not in token else str(_DECODER.decode(token))


def _locate(text: str) -> JsonSpots:
    found: dict[Path, tuple[int, int]] = {}
    stack: list[str | int] = []
    key = True  # whether the next string of an object is a key
    opened: list[bool] = []  # whether each open bracket is an object's
    for match in _TOKEN.finditer(text):
        token = match[0]
        sign = token[0]
        if sign == '"':
            if opened and opened[-1] and key:
                stack[-1] = _decoded(token)
                found[(*stack, KEY)] = match.start() + 1, match.end() - 1
            else:
                found[tuple(stack)] = match.start() + 1, match.end() - 1
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
    return JsonSpots(found, text)


def _offsets(raw: str, start: int) -> Sequence[int]:
    places = [start + match.start() for match in _PART.finditer(raw)]
    return [*places, start + len(raw)]


def _spell(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
