"""What a look at an API leaves: every change with the requests that show it, and the findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from harness.core.finding import Finding
from harness.document.base import Document, Word

ApiOutcome = Literal["breaks", "declared", "kept", "opens", "unknown"]


class ApiLine(Document, frozen=True, kw_only=True):
    """A change: what is described otherwise, for which roles, and what requests show of it.

    `breaks`: what was answered is not any more, or otherwise; `kept`: it is as before, whatever the
    description says; `opens`: it is answered since; `declared`: it breaks, and the contract says
    why it may. `before` and `after` are what came back.
    """

    kind: str
    path: str
    change: str
    roles: Sequence[str]
    outcome: ApiOutcome
    request: str
    before: str
    after: str
    name: str = ""
    reason: str = ""


class ApiDocument(Document, frozen=True, kw_only=True):
    """A whole look: `relations` and `required` are counts of the descriptions, before and after."""

    verdict: Word
    schema: str
    roles: Sequence[str]
    relations: Mapping[str, tuple[int, int]]
    counts: Mapping[str, int]
    changes: Sequence[ApiLine]
    findings: Sequence[Finding]
