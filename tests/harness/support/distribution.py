"""A distribution that registers something by an entry point, as an installed one leaves it."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "planted-kinds"


def plant(directory: Path, code: str, group: str, target: str) -> dict[str, str]:
    """Put a package's module and metadata below a directory; the environment that finds them.

    `target` is the object of the module that the entry point of `group` names.
    """
    site = directory / "site"
    information = site / "planted_kinds-1.0.dist-info"
    information.mkdir(parents=True)
    (site / "planted_kinds.py").write_text(code)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[{group}]\nplanted = planted_kinds:{target}\n")
    return {**os.environ, "PYTHONPATH": str(site)}
