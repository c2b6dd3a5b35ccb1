"""Which share of a whole a document is, and what the whole has: merging holds the shares to it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.document.base import Document


class ShardDocument(Document, frozen=True, kw_only=True):
    """Share `index` of `of`.

    `whole` names every part of the whole in its order, those of the other shares too. `costs` is
    the digest of the measured costs by which it was cut; empty where it was cut by kind.
    """

    index: int
    of: int
    whole: Sequence[str] = ()
    costs: str = ""

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"
