"""Where a place inside a document, such as $.suites[3].seconds, stands in the document's text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

_STEP: Final = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<number>\d+)\]|\[(?P<quoted>'.*?')\]")
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()
_ANY: Final = "[...]"  # msgspec's word for some key of an object
_TRIED: Final = 5000  # keys of one object

Step = str | int


def line_of(text: str, place: str) -> int:
    """The line of a place in the text of a JSON document; of what holds it, where it is absent."""
    at = _skip(text, 0)
    try:
        for step in _steps(place):
            at = _member(text, at, step) if isinstance(step, str) else _item(text, at, step)
    except (ValueError, IndexError):
        pass  # the place is not there: what was reached holds it
    return text.count("\n", 0, at) + 1


def spelled_out(place: str, value: Any, flawed: Callable[[Any], bool]) -> str:
    """A place in which every [...] is the key that is meant: the one that is `flawed` alone."""
    while _ANY in place:
        before, _, after = place.partition(_ANY)
        steps = list(_steps(before))
        key = next((key for key in _keys(value, steps) if flawed(_only(value, steps, key))), None)
        if key is None:
            return before  # several keys are flawed only together
        place = f"{before}[{key!r}]{after}"
    return place


def _steps(place: str) -> Iterator[Step]:
    for found in _STEP.finditer(place):
        if found["number"] is not None:
            yield int(found["number"])
        else:
            yield found["key"] if found["key"] is not None else found["quoted"][1:-1]


def _keys(value: Any, steps: list[Step]) -> list[Any]:
    for step in steps:
        value = value[step]
    return list(value)[:_TRIED] if isinstance(value, dict) else []


def _only(value: Any, steps: list[Step], key: str) -> Any:
    """The value with one key alone in the object that the steps lead to."""
    if not steps:
        return {key: value[key]}
    first, *rest = steps
    inner = _only(value[first], rest, key)
    if isinstance(first, int):
        return [*value[:first], inner, *value[first + 1 :]]
    return {**value, first: inner}


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _past(text: str, at: int) -> int:
    """Behind the value at a position, and behind the comma after it."""
    _, end = _DECODER.raw_decode(text, at)
    end = _skip(text, end)
    if text[end] != ",":
        raise ValueError("there is no further one")
    return _skip(text, end + 1)


def _member(text: str, at: int, key: str) -> int:
    """The position of the value of a key of the object at a position."""
    if text[at] != "{":
        raise ValueError("not an object")
    at = _skip(text, at + 1)
    while True:
        name, end = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, end) + 1)
        if name == key:
            return at
        at = _past(text, at)


def _item(text: str, at: int, number: int) -> int:
    """The position of an item of the list at a position."""
    if text[at] != "[":
        raise ValueError("not a list")
    at = _skip(text, at + 1)
    for _ in range(number):
        at = _past(text, at)
    return at
