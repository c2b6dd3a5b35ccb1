"""Named queries of a .sql file: `-- name: word` begins one, up to the next."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def named(path: Path) -> dict[str, str]:
    """The queries of a file by name."""
    parts = re.split(r"^-- name: (\S+)\n", path.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
