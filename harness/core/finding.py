"""What a check found, in one shape for every checker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """What a check found: a stable id, how bad, where, what, what to do, and the evidence."""

    id: str
    severity: Severity
    where: str
    message: str
    hint: str = ""
    evidence: str = ""
