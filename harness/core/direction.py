"""Which way a run goes."""

from __future__ import annotations

from typing import Literal, get_args

Direction = Literal["forward", "rollback", "cleanup"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

StepDirection = Literal["forward", "rollback"]
"""The directions in which a run takes steps."""
STEP_DIRECTIONS: tuple[StepDirection, ...] = get_args(StepDirection)
