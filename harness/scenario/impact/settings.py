"""What an impact run is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.subject.protocol import Subject


@dataclass(frozen=True)
class ImpactSettings:
    """What to look at, what to write, and on which databases it is proven."""

    subject: Subject
    paths: Sequence[Path]
    write: bool = False
    out: Path | None = None
    map_path: Path | None = None
    back: bool = False
    role: str | None = None
    rows: int = 1000
    seed: int = 1
    server: str = "embedded"
    pg_version: int | None = None
    timeout: float = 10.0
    inside: bool = True
    """Whether what names the schema in the database is looked at, too."""

    @property
    def looks_inside(self) -> bool:
        """Whether it is: on the way back everything is what it was."""
        return self.inside and not self.back
