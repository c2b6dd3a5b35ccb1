"""What one value is made for: its type, its hints, its column's name."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from harness.rows.hints import NOTHING, Hints
from harness.rows.model import Type
from harness.rows.profile import Profile


@dataclass(frozen=True)
class ValueField:
    """A place for a value. `guides` are what the CHECKs of each domain say of its values."""

    type: Type
    modifier: int
    name: str
    profile: Profile
    types: Mapping[int, Type]
    hints: Hints = NOTHING
    guides: Mapping[int, Sequence[Hints]] = field(default_factory=dict, repr=False)

    def at(
        self, oid: int, modifier: int = -1, hints: Hints = NOTHING, name: str = ""
    ) -> ValueField:
        """A place within this one."""
        return replace(
            self, type=self.types[oid], modifier=modifier, hints=hints, name=name or self.name
        )

    def edge(self, rng: random.Random) -> bool:
        """Whether a value at the edge of the type is wanted this time."""
        return self.profile.edge > 0 and rng.random() < self.profile.edge


Sampler: TypeAlias = Callable[[ValueField, random.Random], str]
