"""How pages are made: templates of this package, and numbers as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined
from markupsafe import Markup

from harness.core.quantity import count, duration, per_second, rate, size, timing

TEMPLATES = Path(__file__).with_name("templates")


def environment(others: Mapping[str, Path] | None = None) -> Environment:
    """Templates that escape what they show and know of no undefined name.

    `others` are templates that lie elsewhere, by the names under which pages include them.
    """
    there = others or {}

    def load(name: str) -> str | None:
        return there[name].read_text("utf-8") if name in there else None

    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), FunctionLoader(load)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (breakable, count, duration, size, rate, per_second, timing)
    made.filters.update({one.__name__: one for one in filters})
    return made


def breakable(name: str) -> Markup:
    """A name that may be broken after its underscores, dots and slashes: it fits on a phone."""
    parts = re.split(r"(?<=[_./])", name)
    return Markup("<wbr>").join(parts)  # join escapes them
