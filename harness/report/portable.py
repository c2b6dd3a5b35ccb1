"""Text that says the same on another machine: without the absolute paths of this one."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_PATH = re.compile(r"(?<![\w:/.<>&-])/([\w.+-]+)((?:/[\w.+@%-]+)+)/?")
_KEPT = 2  # the last parts of a path that lies outside of the project


def portable(text: str, root: Path) -> str:
    """The text with paths below `root` relative to it, and of others their last parts alone."""
    text = text.replace(f"{root}/", "").replace(str(root), ".")
    for prefix in dict.fromkeys((sys.prefix, sys.base_prefix)):
        text = text.replace(f"{prefix}/", "python/")
    return _PATH.sub(_shortened, text)


def portable_document(document: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """A JSON document with every text of it made portable."""
    return {name: _portable(part, root) for name, part in document.items()}


def _portable(value: Any, root: Path) -> Any:
    if isinstance(value, str):
        return portable(value, root)
    if isinstance(value, dict):
        return portable_document(value, root)
    if isinstance(value, list | tuple):
        return [_portable(part, root) for part in value]
    return value


def _shortened(match: re.Match[str]) -> str:
    if match[1] not in _top():
        return match[0]  # no path of this machine
    parts = match[2].strip("/").split("/")
    return "…/" + "/".join(parts[-_KEPT:])


@cache
def _top() -> frozenset[str]:
    """What lies at the root of this machine's file system."""
    return frozenset(path.name for path in Path("/").iterdir())
