"""Every signal that batches may be held back by."""

from __future__ import annotations

from harness.observe.host import FreeDisk, HostLoad
from harness.observe.load_signals import (
    ActiveSessions,
    ArchiveBacklog,
    CommitLatency,
    LoadSignal,
    ReplicationLag,
    SlotBacklog,
    WalRate,
)


def all_signals() -> tuple[LoadSignal, ...]:
    """Every signal, with nothing seen yet: one set lasts as long as a run."""
    return (
        *(ReplicationLag(), ActiveSessions(), WalRate()),
        *(ArchiveBacklog(), SlotBacklog(), CommitLatency(), FreeDisk(), HostLoad()),
    )


def is_crossed(key: str, value: float, limit: float) -> bool:
    """Whether a value is beyond its limit: below it for a least, above it for a most."""
    return value < limit if key.startswith("min_") else value > limit
