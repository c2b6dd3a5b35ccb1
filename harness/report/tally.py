"""What a suite did, counted: how many of how many. A claim on a page stands on these."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from harness.document.base import to_builtins
from harness.document.counted import CountedPart, EvidenceDocument, PartDocument
from harness.document.verdict import EvidenceCount

NAMED = 3  # of those that are missing


def make_part(what: str, done: Iterable[str], of: Iterable[str], sample: bool) -> PartDocument:
    """A document that tells of some things done; several of one suite are put together."""
    counted = CountedPart(what=what, done=sorted(set(done)), of=sorted(set(of)), sample=sample)
    return PartDocument(verdict="pass", findings=(), counted=(counted,))


def name_part(name: str, part: PartDocument) -> str:
    """A name of its own for each part; the same part told twice is one."""
    text = json.dumps(to_builtins(part.counted), sort_keys=True)
    return f"{name}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def merge_parts(parts: Sequence[PartDocument]) -> EvidenceDocument:
    """One document of all parts: unknown when something that was to be done was not."""
    done: dict[str, set[str]] = {}
    of: dict[str, set[str]] = {}
    sampled: dict[str, bool] = {}
    for item in (item for part in parts for item in part.counted):
        done.setdefault(item.what, set()).update(item.done)
        of.setdefault(item.what, set()).update(item.of)
        sampled[item.what] = item.sample
    missing = {what: sorted(of[what] - done[what]) for what in of if not sampled[what]}
    short = [_short(what, len(of[what]), lost) for what, lost in missing.items() if lost]
    short += [f"none of {what}" for what in of if not done[what]]
    return EvidenceDocument(
        verdict="unknown" if short or not of else "pass",
        findings=(),
        reason="; ".join(short),
        counts=[
            EvidenceCount(what, len(done[what]), len(of[what] | done[what]), sampled[what])
            for what in sorted(of)
        ],
    )


def _short(what: str, of: int, lost: list[str]) -> str:
    names = ", ".join(lost[:NAMED]) + (" and more" if len(lost) > NAMED else "")
    return f"{of - len(lost):,} of {of:,} {what}, without {names}"
