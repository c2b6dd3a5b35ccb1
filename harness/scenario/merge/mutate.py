"""A whole run of mutants from those of its shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from harness.document.base import Word
from harness.document.mutate import UNSET, MutateDocument, ShownMutant
from harness.scenario.mutate.run import score_of


def merge_mutate(shards: Sequence[MutateDocument]) -> MutateDocument:
    """One run: counted again from every mutant that was judged."""
    first = shards[0]
    if len(shards) == 1 and not first.shard:
        return first
    place = {name: number for number, name in enumerate(first.shard.whole if first.shard else ())}

    def order(name: str) -> int:
        return place.get(name, len(place))

    rows = sorted((row for shard in shards for row in shard.rows), key=lambda row: order(row.id))
    refuted = [one for shard in shards for one in shard.refuted or ()]
    count = Counter(row.outcome for row in rows)
    on_trial = first.refuted is not UNSET
    score = None if on_trial else score_of(count)
    counted = len(rows) - count["equivalent"]
    return msgspec.structs.replace(
        first,
        verdict=_verdict(first, score, count, len(refuted), whole=len(rows) == len(place)),
        score=score,
        mutants=len(rows),
        killed=count["killed"],
        equivalent=len(rows) if on_trial else count["equivalent"],
        survivors=_sorted(shards, "survivors", order),
        unknowns=_sorted(shards, "unknowns", order),
        killed_by=dict(Counter(row.by for row in rows if row.outcome == "killed").most_common()),
        seconds=round(sum(shard.seconds for shard in shards), 2),
        seconds_per_mutant=round(sum(row.seconds for row in rows) / max(counted, 1), 3),
        refuted=sorted(refuted, key=lambda one: order(one.id)) if on_trial else UNSET,
        rows=rows,
        shard=UNSET,
    )


def _verdict(
    first: MutateDocument,
    score: float | None,
    count: Mapping[Any, int],
    refuted: int,
    *,
    whole: bool,
) -> Word:
    """As one run over all of them would say; unknown where some were not judged."""
    if refuted or (score is not None and score < first.least):
        return "fail"
    if count["unknown"] or not whole or (score is None and first.refuted is UNSET):
        return "unknown"
    return "pass" if sum(count.values()) else "unknown"


def _sorted(
    shards: Sequence[MutateDocument], name: str, order: Callable[[str], int]
) -> list[ShownMutant]:
    found: list[ShownMutant] = [one for shard in shards for one in getattr(shard, name)]
    return sorted(found, key=lambda one: order(one.id))
