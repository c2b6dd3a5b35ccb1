"""A run under traffic from its shards: counts add up, histograms are laid over each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from harness.document.base import Word
from harness.document.live import (
    UNSET,
    LatenciesDocument,
    LatencyDocument,
    LiveDocument,
    LiveStepDocument,
)
from harness.traffic.latency import merge_histograms

WORST: Final[tuple[Word, ...]] = ("fail", "unknown", "pass")
SHOWN: Final = 200  # victims, the longest waits first


def merge_live(shards: Sequence[LiveDocument]) -> LiveDocument:
    """One document. Each history was checked by itself, and stays where it is."""
    first = shards[0]
    if len(shards) == 1:
        return first
    victims = [victim for shard in shards for victim in shard.victims]
    counts: Counter[str] = Counter()
    for shard in shards:
        counts.update(shard.history.counts)
    history = msgspec.structs.replace(
        first.history,
        verdict=_worst([shard.history.verdict for shard in shards]),
        file=", ".join(shard.history.file for shard in shards),
        elle=", ".join(shard.history.elle for shard in shards),
        counts=dict(counts),
        tables=sorted({table for shard in shards for table in shard.history.tables}),
    )
    return msgspec.structs.replace(
        first,
        verdict=_worst([shard.verdict for shard in shards]),
        history=history,
        victims=sorted(victims, key=lambda victim: -victim.waited_ms)[:SHOWN],
        latency=_latencies([shard.latency for shard in shards]),
        findings=[finding for shard in shards for finding in shard.findings],
        unknowns=list(dict.fromkeys(why for shard in shards for why in shard.unknowns)),
        steps=_steps(shards),
        kills=[kill for shard in shards for kill in shard.kills],
        rounds=sum(shard.rounds for shard in shards),
        seconds=round(sum(shard.seconds for shard in shards), 1),
        series=None,
        shard=UNSET,
    )


def _worst(words: Sequence[Word]) -> Word:
    return min(words, key=WORST.index)


def _latencies(found: Sequence[LatenciesDocument]) -> LatenciesDocument:
    spans: dict[str, Any] = {
        name: _latency([one for part in found if (one := getattr(part, name)) is not None])
        for name in ("control", "forward", "rollback", "batches")
    }
    whys = list(dict.fromkeys(part.why for part in found if part.why))
    verdict = _worst([part.verdict for part in found])
    return LatenciesDocument(verdict=verdict, why="; ".join(whys), **spans)


def _latency(parts: Sequence[LatencyDocument]) -> LatencyDocument | None:
    """All operations together; without histograms the worst of the shards stands for all."""
    if not parts:
        return None
    whole = all(part.histogram for part in parts)
    merged = merge_histograms([part.histogram for part in parts]) if whole else None
    return LatencyDocument(
        n=sum(part.n for part in parts),
        p50=merged.p50 if merged else max(part.p50 for part in parts),
        p99=merged.p99 if merged else max(part.p99 for part in parts),
        longest=max(part.longest for part in parts),
        lag_p99=max(part.lag_p99 for part in parts),
        rate=round(sum(part.rate for part in parts) / len(parts), 1),
        histogram=merged.histogram if merged else "",
    )


def _steps(shards: Sequence[LiveDocument]) -> list[LiveStepDocument]:
    found: dict[tuple[str, str], LiveStepDocument] = {}
    for step in (step for shard in shards for step in shard.steps):
        key = (step.direction, step.step)
        found[key] = _both(found[key], step) if key in found else step
    return list(found.values())


def _both(one: LiveStepDocument, other: LiveStepDocument) -> LiveStepDocument:
    return msgspec.structs.replace(
        one,
        seconds=round(one.seconds + other.seconds, 3),
        operations=one.operations + other.operations,
        loaded=one.loaded and other.loaded,
        refused=dict(Counter(one.refused) + Counter(other.refused)),
        victims=one.victims + other.victims,
        waited_ms=max(one.waited_ms, other.waited_ms),
        killed=one.killed or other.killed,
    )
