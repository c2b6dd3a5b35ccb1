"""Reading documents that others wrote: what is asked for is there with its type, or a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


class MisshapenError(ValueError):
    """A document is not what it should be; the message says where and why."""


def document(value: Any, where: str) -> Document:
    """An object."""
    if not isinstance(value, dict):
        raise MisshapenError(f"{where} is not an object")
    return value


def objects(value: Document, key: str) -> list[Document]:
    """A list of objects; an absent one is a reason, an empty one is not."""
    found = value.get(key)
    if not isinstance(found, list):
        raise MisshapenError(f"{key} is not a list")
    return [document(item, f"{key}[{number}]") for number, item in enumerate(found)]


def text(value: Document, key: str) -> str:
    """A text that must be there."""
    found = value.get(key)
    if not isinstance(found, str):
        raise MisshapenError(f"{key} is not a text")
    return found


def number(value: Document, key: str) -> float:
    """A number, 0 where it is absent or null."""
    found = value.get(key)
    if found is None:
        return 0.0
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise MisshapenError(f"{key} is not a number")
    return float(found)


def shown(value: Any) -> str:
    """Any value as a person reads it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(item)}" for name, item in value.items())
    return str(value)
