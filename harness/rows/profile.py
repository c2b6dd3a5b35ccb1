"""The three profiles of made rows: how they differ from a plain good row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.core.errors import UsageError


@dataclass(frozen=True)
class Profile:
    """`empty` is the share of NULL where it is allowed, `foreign` that of names beyond ASCII,
    `edge` that of values at the edges of their types.
    """

    name: str
    empty: float
    foreign: float
    edge: float


PROFILES: Final = {
    profile.name: profile
    for profile in (
        Profile("real", 0.15, 0.03, 0.0),
        Profile("clean", 0.0, 0.0, 0.0),
        Profile("hostile", 0.3, 0.15, 0.2),
    )
}


def choose_profile(name: str) -> Profile:
    """The profile of this name; raises UsageError when there is none."""
    if name not in PROFILES:
        raise UsageError(
            f"unknown profile {name!r}", hint=f"choose one of {', '.join(PROFILES)}"
        )  # fmt: skip
    return PROFILES[name]
