"""What `harness migrate`, `rollback` and `cleanup` print: how a run ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from harness.document.base import Document, Word
from harness.document.verify import UnmadeDocument, VerifyDocument

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class AcceptedEditDocument(Document, frozen=True, kw_only=True):
    """A file that was edited between runs, with which the run went on, and why."""

    what: str
    file: str
    step: str | None
    reason: str | None


class IrreversibleDocument(Document, frozen=True, kw_only=True):
    """A step that is declared irreversible: why, and what its way back leaves behind."""

    step: str
    reason: str | None
    stays: str | None


class PriorValidationDocument(Document, frozen=True, kw_only=True):
    """The validation that a migration asked for before it began."""

    verdict: Word | Literal["not applicable"]
    waived: str | None
    objections: Sequence[str]


class HookDocument(Document, frozen=True, kw_only=True):
    """What became of a hook that a run owed, after a phase or at its end."""

    name: str
    state: str
    occasion: str
    reason: str | None


class RunDocument(Document, frozen=True, kw_only=True):
    """How a run ended; the last four stand there when the plan or an option asks for them.

    `eta_error_percent` is the median error of the times said to be left, None where none was said.
    """

    state: str
    resumed: bool
    steps_run: Sequence[str]
    steps_skipped: Sequence[str]
    rows: int
    seconds: float
    archived: Mapping[str, int]
    accepted: Sequence[AcceptedEditDocument]
    irreversible: Sequence[IrreversibleDocument]
    eta_error_percent: float | Unset | None = UNSET
    validate: PriorValidationDocument | Unset = UNSET
    verify: VerifyDocument | UnmadeDocument | Unset = UNSET
    hooks: Sequence[HookDocument] | Unset = UNSET
    maintenance: Mapping[str, Any] | Unset = UNSET


class CleanupDocument(Document, frozen=True, kw_only=True):
    """What a clean-up dropped, in order."""

    dropped: Sequence[str]
