"""Evidence of acceptance: who walked through which workflow, when, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.finding import Finding
from harness.document.base import Document, Word


class SignOffDocument(Document, frozen=True, kw_only=True):
    """A workflow that a role walked through at a moment: its end, and when it was signed off."""

    workflow: str
    role: str
    moment: str
    steps: int
    end: str
    accepted: bool
    seconds: float
    at: str


class AcceptanceDocument(Document, frozen=True, kw_only=True):
    """Every sign-off; `moments` are before, the ends of phases, and after, in order."""

    verdict: Word
    findings: Sequence[Finding]
    moments: Sequence[str]
    sign_offs: Sequence[SignOffDocument]
