"""Text that matches a regular expression of Postgres, drawn at random."""

from __future__ import annotations

import importlib
import random
import re
import string
from typing import Any, Final

_FEW: Final = 6
"""A repetition without an upper bound adds at most so many."""
_CLASSES: Final = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "lower": "a-z", "upper": "A-Z",
    "space": " ", "blank": " ", "punct": "!-/:-@", "xdigit": "0-9a-f", "word": "a-zA-Z0-9_",
}  # fmt: skip
_ESCAPES: Final = {r"\y": r"\b", r"\Y": r"\B", r"\m": r"\b", r"\M": r"\b", r"\A": "^", r"\Z": "$"}
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_letters + string.digits + "_",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": string.ascii_letters,
    "CATEGORY_NOT_WORD": "-. ",
    "CATEGORY_NOT_SPACE": string.ascii_lowercase,
}
_LIKELY: Final = string.ascii_lowercase + string.digits + string.ascii_uppercase + "-_. "


def parse_pattern(pattern: str) -> Any:
    """The parsed expression, None when it is beyond Python's own syntax."""
    text = re.sub(r"^\*\*\*[:=]|^\(\?[a-z]+\)", "", pattern)
    text = re.sub(r"\[:(\w+):\]", lambda match: _CLASSES.get(match[1], ""), text)
    text = re.sub(r"\\[yYmMAZ]", lambda match: _ESCAPES[match[0]], text)
    try:
        # the standard library's own parser, which has no public name since 3.11
        return importlib.import_module("re._parser").parse(text)
    except (re.error, OverflowError, RecursionError):
        return None


def match_pattern(parsed: Any, rng: random.Random) -> str:
    """A text that the parsed expression matches as a whole."""
    return "".join(_part(str(kind), value, rng) for kind, value in parsed)


def _part(kind: str, value: Any, rng: random.Random) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind == "ANY":
        return rng.choice(string.ascii_lowercase)
    if kind == "IN":
        return rng.choice(_members(value))
    if kind == "NOT_LITERAL":
        return rng.choice([char for char in _LIKELY if ord(char) != value])
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _repeat(value[0], value[1], value[2], rng)
    if kind == "SUBPATTERN":
        return match_pattern(value[-1], rng)
    if kind == "ATOMIC_GROUP":
        return match_pattern(value, rng)
    if kind == "BRANCH":
        return match_pattern(rng.choice(value[1]), rng)
    return ""  # an anchor, a look around: the server says whether it holds


def _repeat(least: int, most: Any, parsed: Any, rng: random.Random) -> str:
    upper = min(int(most), least + _FEW)
    return "".join(match_pattern(parsed, rng) for _ in range(rng.randint(least, upper)))


def _members(parts: Any) -> str:
    negated, found = False, ""
    for kind, value in parts:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found += chr(value)
        elif name == "RANGE":
            found += "".join(map(chr, range(value[0], min(value[1], value[0] + 200) + 1)))
        elif name == "CATEGORY":
            found += _CATEGORIES.get(str(value), "a")
    if negated:
        return "".join(char for char in _LIKELY if char not in found) or "~"
    return found
