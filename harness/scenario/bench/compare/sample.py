"""What is measured: values of two arms, in pairs, with who gave them and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

Arm = Literal["base", "head"]
ARMS: Final[tuple[Arm, Arm]] = ("base", "head")


@dataclass(frozen=True)
class ArmSample:
    """One arm's share of a pair: its runs in seconds, and what the process said of itself.

    `server` names the data directory it worked on; `warmth` is how many runs of this benchmark the
    process had done there before, by its own count; `begun` is when each run began.
    """

    commit: str
    server: str
    warmth: int
    begun: Sequence[float]
    seconds: Sequence[float]

    @property
    def value(self) -> float:
        """The median of its runs: one slow run of five is not seen in it."""
        return median(self.seconds)


@dataclass(frozen=True)
class SamplePair:
    """Both arms, their runs taking turns."""

    base: ArmSample
    head: ArmSample

    @property
    def order(self) -> Sequence[Arm]:
        """The arms in the order of their runs."""
        runs = [(begun, arm) for arm in ARMS for begun in self.of(arm).begun]
        return [arm for _, arm in sorted(runs)]

    def of(self, arm: Arm) -> ArmSample:
        """The share of an arm."""
        return self.base if arm == "base" else self.head


def order_of(number: int, inner: int) -> Sequence[Arm]:
    """The order in which the runs of a pair, counted from 0, are due.

    Base head head base and so on, and in every second pair head base base head: what drifts or
    comes in waves meets both arms alike.
    """
    turns: tuple[Arm, ...] = ("base", "head", "head", "base")
    return [turns[(run + 2 * (number % 2)) % 4] for run in range(2 * inner)]
