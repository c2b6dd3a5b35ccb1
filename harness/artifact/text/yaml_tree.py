"""YAML with the place of every string, in each of its spellings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import yaml

from harness.artifact.text.json_tree import BOM
from harness.artifact.text.spot import Spot, UnreadSpot
from harness.artifact.text.tree import KEY, Path, TextTree, UnreadTree

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


def read_yaml(text: str) -> TextTree:
    """Parse a YAML text; of several documents a list. Raises UnreadTree."""
    try:
        nodes = list(yaml.compose_all(text.removeprefix(BOM), Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UnreadTree(f"is not YAML: {error.problem or error.context}", line) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadTree(f"is not YAML: {' '.join(str(error).split())}") from None
    spots: dict[Path, Spot] = {}
    shift = len(text) - len(text.removeprefix(BOM))
    try:
        values = [
            _value(node, (n,) if len(nodes) > 1 else (), text, shift, spots)
            for n, node in enumerate(nodes)
        ]
    except RecursionError:
        raise UnreadTree("an alias names what it stands in") from None
    return TextTree(values[0] if len(values) == 1 else values, lambda: spots)


def _value(node: Any, path: Path, text: str, shift: int, spots: dict[Path, Spot]) -> Any:
    if isinstance(node, yaml.MappingNode):
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode):
                spots[*path, name.value, KEY] = _spot(name, text, shift)
        return {
            _key(name): _value(one, (*path, _key(name)), text, shift, spots)
            for name, one in node.value
        }
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*path, n), text, shift, spots) for n, one in enumerate(node.value)]
    if node is None:
        return None
    if node.tag != "tag:yaml.org,2002:str":
        return None if node.tag == "tag:yaml.org,2002:null" else YamlScalar(node.value)
    spots[path] = _spot(node, text, shift)
    return node.value


def _spot(node: Any, text: str, shift: int) -> Spot:
    start, end = node.start_mark.index + shift, node.end_mark.index + shift
    offsets = partial(_offsets, node.value, text[start:end], start, node.style)
    return Spot(node.value, start, end, offsets, partial(_spell, node.style))


@dataclass(frozen=True)
class YamlScalar:
    """A number, a date, a truth: as it is spelled, and never edited."""

    spelled: str

    def __str__(self) -> str:
        return self.spelled


def _key(node: Any) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else "?"


def _offsets(value: str, raw: str, start: int, style: str | None) -> Sequence[int]:
    """The place of every character: both spellings are read side by side."""
    if style == '"':
        return _double(value, raw, start)
    position = 1 if style == "'" else 0
    if style in ("|", ">"):
        position = raw.index("\n") + 1
    found = []
    for character in value:
        position = _reach(character, raw, position)
        found.append(start + position)
        position += 2 if style == "'" and character == "'" else 1
    return [*found, start + position]


def _reach(character: str, raw: str, position: int) -> int:
    """The place of the next character, behind breaks and indents that are none of the value."""
    while position < len(raw) and raw[position] != character:
        if character in "\n " and raw[position] in "\r\n":
            return position
        if raw[position] not in " \t\r\n":
            break
        position += 1
    if position >= len(raw) and character != "\n":
        raise UnreadSpot("a text of YAML that is folded in a way that is not read here")
    if position < len(raw) and raw[position] != character:
        raise UnreadSpot("a text of YAML that is folded in a way that is not read here")
    return position


def _double(value: str, raw: str, start: int) -> Sequence[int]:
    found, position = [], 1
    for character in value:
        match = _ESCAPE.match(raw, position)
        if match is not None:
            width = len(match[0])
            if match[0][1] in "\r\n":
                raise UnreadSpot("a text of YAML that is broken over lines")
        elif raw[position] == character:
            width = 1
        else:
            raise UnreadSpot("a text of YAML that is broken over lines")
        found.append(start + position)
        position += width
    return [*found, start + position]


def _spell(style: str | None, text: str) -> str:
    if style == '"':
        return text.replace("\\", "\\\\").replace('"', '\\"')
    if style == "'":
        return text.replace("'", "''")
    return text
