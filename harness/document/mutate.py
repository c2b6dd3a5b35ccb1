"""What `harness mutate` prints: the score of the checks, and every mutant that they did not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from harness.document.base import Document, Word
from harness.document.shard import ShardDocument

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


class JudgedMutant(Document, frozen=True, kw_only=True):
    """A mutant and what became of it; `by` is the check that saw it."""

    id: str
    outcome: Literal["killed", "survived", "equivalent", "unknown"]
    by: str = ""
    seconds: float = 0.0


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
    rows: Sequence[JudgedMutant] = ()
    seed: int | Unset = UNSET
    postgres: int | Unset = UNSET
    tool_hash: str | Unset = UNSET
    judge: str | Unset = UNSET
    sample: int | Unset | None = UNSET
    shard: ShardDocument | Unset = UNSET
