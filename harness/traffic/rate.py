"""The rate that a machine bears: the asked one, halved until the clients send in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.traffic.latency import Latency

LATEST: Final = 5.0  # milliseconds that 99 of 100 operations may be sent late
EASED: Final = (1.0, 0.5, 0.25)
SOON: Final = 50.0  # milliseconds
LEAST: Final = 20.0  # operations a second


@dataclass(frozen=True)
class BorneRate:
    """How much of the asked rate was borne, what was measured there, and what was tried before.

    `factor` is None where not even the least rate was borne.
    """

    factor: float | None
    control: Latency
    tried: tuple[tuple[float, float], ...]

    @property
    def why(self) -> str:
        """Why no rate was borne; empty where one was."""
        if self.factor is not None:
            return ""
        rate, lag = self.tried[-1]
        return (
            f"the machine does not bear {LEAST:g} operations a second: at {rate:g} a second,"
            f" 1 in 100 was sent {lag:.1f} ms late or more"
        )


def ease_rate(asked: float, measure: Callable[[float], Latency]) -> BorneRate:
    """The rate, halved at most twice until the control is answered soon; it never fails to be one.

    For a run whose counts decide: a busy machine gets fewer clients, and no queue that grows.
    """
    tried: list[tuple[float, float]] = []
    for factor in EASED:
        control = measure(factor)
        tried.append((round(asked * factor, 1), control.lag_p99))
        if control.n and control.p99 <= SOON:
            break
    return BorneRate(factor, control, tuple(tried))


def find_rate(asked: float, measure: Callable[[float], Latency], late: float = LATEST) -> BorneRate:
    """Halve the rate until the control's sending lag is low; `measure` is told the factor."""
    factor = 1.0
    tried: list[tuple[float, float]] = []
    while True:
        control = measure(factor)
        tried.append((round(asked * factor, 1), control.lag_p99))
        if control.n and control.lag_p99 <= late:
            return BorneRate(factor, control, tuple(tried))
        if asked * factor / 2 < LEAST:
            return BorneRate(None, control, tuple(tried))
        factor /= 2
