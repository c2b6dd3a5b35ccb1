"""What validation leaves: findings with their figures, and whether the rows may migrate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from harness.core.finding import Severity
from harness.document.base import Document, Word

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class CheckedFinding(Document, frozen=True, kw_only=True):
    """A finding, and the figures of the check that found it."""

    id: str
    severity: Severity
    where: str
    message: str
    hint: str = ""
    evidence: str = ""
    verdict: Word | Unset = UNSET
    count: int | Unset = UNSET
    rows: int | Unset | None = UNSET
    percent: float | Unset | None = UNSET
    tolerated: bool | Unset = UNSET
    keys: Sequence[str] | Unset = UNSET
    details: Sequence[str] | Unset = UNSET
    cleanup: str | Unset | None = UNSET


class UnknownCheck(Document, frozen=True, kw_only=True):
    """A check that could not be judged."""

    check: str
    where: str
    reason: str
    next: str


class NotApplicableCheck(Document, frozen=True, kw_only=True):
    """A part that the plan says it does not have."""

    check: str
    reason: str


class WarnedRelation(Document, frozen=True, kw_only=True):
    """A relation: its rows, and how many of them carry a warning."""

    name: str
    rows: int
    warned: int
    percent: float


class ValidateDocument(Document, frozen=True, kw_only=True):
    """A whole validation."""

    verdict: Word
    warning_percent: float
    findings: Sequence[CheckedFinding]
    unknowns: Sequence[UnknownCheck]
    not_applicable: Sequence[NotApplicableCheck]
    relations: Sequence[WarnedRelation]
    thresholds: Mapping[str, float]
    checks: Mapping[str, str]
    preflight: Mapping[str, Any]
