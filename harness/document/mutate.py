"""What `harness mutate` prints: the score of the checks, and every mutant that they did not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from harness.document.base import Document, Word

Unset = msgspec.UnsetType
UNSET: Final = msgspec.UNSET


class ShownMutant(Document, frozen=True, kw_only=True):
    """A mutant that was not killed: where it is, what it changes, and why it is shown."""

    id: str
    where: str
    operator: str
    reason: str
    diff: str
    seconds: float


class RefutedMutant(Document, frozen=True, kw_only=True):
    """A declared equivalent that a check saw, with the check's words."""

    id: str
    declared: str
    by: str
    reason: str
    diff: str


class MutateDocument(Document, frozen=True, kw_only=True):
    """A whole run; `refuted` is there where the declared equivalents were put before the judge."""

    verdict: Word
    score: float | None
    least: float
    mutants: int
    of: int
    killed: int
    equivalent: int
    survivors: Sequence[ShownMutant]
    unknowns: Sequence[ShownMutant]
    killed_by: Mapping[str, int]
    seconds: float
    seconds_per_mutant: float
    plan_hash: str
    harness: str
    refuted: Sequence[RefutedMutant] | Unset = UNSET
