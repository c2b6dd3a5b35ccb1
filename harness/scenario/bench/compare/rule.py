"""The numbers of the decision rule, fixed before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class DecisionRule:
    """How much is measured, and what counts as a change.

    A value is the median of `inner` runs; `servers` is how many fresh servers each arm gets, and
    `warm` how many runs of each come before the first pair there: the first loads what it needs.
    """

    pairs: int = 20
    inner: int = 5
    servers: int = 4
    warm: int = 2
    confidence: float = 0.99
    band: float = 0.05


RULE: Final = DecisionRule()
