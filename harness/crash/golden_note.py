"""What undisturbed runs showed, before anything was struck: said first, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from harness.core.direction import Direction

GOLDEN = "golden"


@dataclass(frozen=True)
class Note:
    """A finding about runs that nothing disturbs; `outcome` info holds nothing back."""

    name: str
    outcome: Literal["info", "failed", "unknown"]
    direction: Direction
    step: str
    reason: str
    file: str = ""

    def document(self, replay: str) -> dict[str, Any]:
        """As JSON, in the shape of what is told of points."""
        return {
            "id": f"{GOLDEN}:{self.direction}:{self.step}:{self.name}:undisturbed",
            "domain": GOLDEN,
            "direction": self.direction,
            "step": self.step,
            "boundary": self.name,
            "fault": "undisturbed",
            "outcome": self.outcome,
            "reason": self.reason,
            "file": self.file,
            "state": "",
            "evidence": "",
            "replay": replay,
            "points": 1,
            "others": 0,
            "steps": 1,
            "domains": [GOLDEN],
            "faults": ["undisturbed"],
        }
