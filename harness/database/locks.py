"""The modes of table locks: their names and order, what they stop, what they conflict with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

LockWords = Literal[
    "access share",
    "row share",
    "row exclusive",
    "share update exclusive",
    "share",
    "share row exclusive",
    "exclusive",
    "access exclusive",
]
"""A mode as LOCK TABLE and the manual write it."""


@dataclass(frozen=True)
class LockMode:
    """A mode of table locks.

    `name` is that of pg_locks. `blocks` is what the lock stops users from doing; empty when they
    notice nothing. `rival` is the weakest mode in which another session's lock conflicts with it.
    """

    name: str
    words: LockWords
    rival: LockWords
    blocks: str = ""


MODES: Final = (
    LockMode("AccessShareLock", "access share", "access exclusive"),
    LockMode("RowShareLock", "row share", "exclusive"),
    LockMode("RowExclusiveLock", "row exclusive", "share"),
    LockMode("ShareUpdateExclusiveLock", "share update exclusive", "share update exclusive"),
    LockMode("ShareLock", "share", "row exclusive", "writes"),
    LockMode("ShareRowExclusiveLock", "share row exclusive", "row exclusive", "writes"),
    LockMode("ExclusiveLock", "exclusive", "row share", "writes"),
    LockMode("AccessExclusiveLock", "access exclusive", "access share", "reads and writes"),
)
"""Every mode, the weakest first."""
BY_NAME: Final = {mode.name: mode for mode in MODES}
ROW_EXCLUSIVE: Final = "RowExclusiveLock"
SHARE_UPDATE_EXCLUSIVE: Final = "ShareUpdateExclusiveLock"


def words_of_mode(name: str) -> str:
    """A mode of pg_locks as the manual writes it; what is not a table lock's mode as it is."""
    return BY_NAME[name].words if name in BY_NAME else name


def strength_of_mode(name: str) -> int:
    """The place of a mode in their order, 0 for the weakest; -1 for what is not a mode."""
    return MODES.index(BY_NAME[name]) if name in BY_NAME else -1


def blocked_by_mode(name: str) -> str:
    """What a lock in this mode stops users from doing; empty when they notice nothing."""
    return BY_NAME[name].blocks if name in BY_NAME else ""
