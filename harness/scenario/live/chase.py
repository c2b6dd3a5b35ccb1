"""Whether a step goes after what users insert, and so never ends where they insert fast enough.

A step that is at work for long has the clients' inserts held. One that ends soon then may have
ended by chance: it is asked again in a round without any inserts while it is at work.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.finding import Finding
from harness.scenario.live.evidence import LiveEvidence


def find_chases(evidence: LiveEvidence) -> Iterator[Finding]:
    """Steps that end only when nobody inserts any more."""
    alone = {(one.direction, one.step): one.after for one in evidence.unchased}
    for one in evidence.held:
        without = alone.get((one.direction, one.step))
        if one.chased and without is not None and without < one.before / 3:
            yield Finding(
                "live.chases_inserts", "critical", f"{one.direction} {one.step}",
                f"the step was still at work after {one.before:.1f} s while clients inserted; it"
                f" ended {one.after:.1f} s after they stopped, and takes {without:.1f} s without"
                " inserts",
                "go no further than the highest key there was at the beginning; what comes later is"
                " a trigger's, or is written to both places",
            )  # fmt: skip


def find_untold_chases(evidence: LiveEvidence) -> Iterator[str]:
    """Steps that may have chased inserts, where the round that would tell was not to be had."""
    alone = {(one.direction, one.step) for one in evidence.unchased}
    for one in evidence.held:
        if one.chased and (one.direction, one.step) not in alone:
            yield (
                f"{one.direction} {one.step} ended {one.after:.1f} s after clients inserted nothing"
                f" more, {one.before:.1f} s after it began; whether it chases inserts could not be"
                " asked, since a run did not come to its end"
            )
