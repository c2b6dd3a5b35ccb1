"""What `harness verify` found of one run: the page is at 100% only where this says pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.core.jsonfile import write_json
from harness.document.base import Document, Word, read_document

FILE: Final = "verified.json"


class VerifiedDocument(Document, frozen=True, kw_only=True):
    """The file beside the page; `run` is the key of the run that it is about."""

    verdict: Word
    run: str
    at: str


@dataclass(frozen=True)
class VerifiedRun:
    """A verdict of `harness verify` on a run, and when it was given."""

    verdict: Word
    run: str
    at: datetime

    def passes(self, run: str) -> bool:
        """Whether it says that this very run is as it should be."""
        return self.verdict == "pass" and self.run == run

    def fails(self, run: str) -> bool:
        """Whether it could not say so of this very run."""
        return self.verdict != "pass" and self.run == run


def keep_verdict(directory: Path, verdict: Word, run: str, at: datetime) -> None:
    """Write the verdict of a run beside the page; UsageError where that cannot be done."""
    document = {"verdict": verdict, "run": run, "at": at.astimezone(UTC).isoformat()}
    write_json(directory / FILE, document, durable=True)


def read_verdict(directory: Path) -> VerifiedRun | None:
    """The verdict that lies beside the page, None where there is none yet.

    Raises UsageError where the file is not one that `harness verify` wrote.
    """
    file = directory / FILE
    if not file.exists():
        return None
    hint = "run harness verify with --page again"
    found = read_document(file, VerifiedDocument, what="a verdict of harness verify", hint=hint)
    try:
        at = datetime.fromisoformat(found.at)
    except ValueError:
        at = datetime.fromtimestamp(0, UTC)
    return VerifiedRun(found.verdict, found.run, at.astimezone(UTC))
