"""Whether the packages of this environment are those that a ref's lock asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Final

PIN: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
NAME: Final = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)")


def differs_from_lock(lock: Path, dependencies: Iterable[str]) -> bool:
    """Whether a ref needs packages of its own: one of its lock has another version here, or one of
    its dependencies is not here.

    What is in the lock and not here is for other platforms, or for who develops it.
    """
    needed = [found[1] for one in dependencies if (found := NAME.match(one))]
    if any(_installed(name) is None for name in needed):
        return True
    text = lock.read_text("utf-8", errors="replace") if lock.is_file() else ""
    pins = PIN.findall(text)
    return any(_installed(name) not in (None, version) for name, version in pins)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
