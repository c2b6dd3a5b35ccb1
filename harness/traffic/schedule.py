"""When operations are due: an open loop, which waits for no answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal, TypeAlias

Arrivals: TypeAlias = Literal["poisson", "even"]


def planned_times(
    rate: float, begin: float, seed: str, arrivals: Arrivals = "poisson"
) -> Iterator[float]:
    """The moments at which operations are due, `rate` a second, without end.

    Same arguments, same moments. Raises ValueError for a rate that is not positive.
    """
    if not rate > 0:
        raise ValueError(f"a rate must be positive, not {rate}")
    chance = random.Random(seed)  # noqa: S311 - a schedule wants a seed, not a secret
    moment = begin
    while True:
        yield moment
        moment += chance.expovariate(rate) if arrivals == "poisson" else 1 / rate
