"""What a kind of evidence is: its document, what it proves, what it counts and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.finding import Finding
from harness.document.base import FlawedDocument
from harness.document.counted import EvidenceDocument
from harness.document.verdict import EvidenceCount


@dataclass(frozen=True)
class Claim:
    """A sentence, and what must pass for it to be true; without counts it is not told at all.

    `own` are those of its suites that only some projects have: where one did not run, nothing is
    said of it.
    """

    text: str
    suites: tuple[str, ...]
    evidence: tuple[str, ...]
    own: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """How a section looks. `view` makes of the document what the template shows.

    The template sees `piece`, `document`, `view`, and the names of `context`. The `appendix` is
    put behind the page's last section; `menu` is a shorter title.
    """

    title: str
    path: Path
    anchor: str
    view: Callable[[Any], Any] = field(default=lambda document: document)
    context: Mapping[str, Any] = field(default_factory=dict)
    appendix: Path | None = None
    menu: str = ""


def only_document(documents: Sequence[Any]) -> Any:
    """The one document of a kind of which there must be one."""
    if len(documents) > 1:
        raise FlawedDocument("several files say it twice")
    return documents[0]


def own_findings(document: Any) -> Sequence[Finding]:
    """The findings that a document carries."""
    return tuple(document.findings)


def own_counts(document: Any) -> Iterable[EvidenceCount]:
    """The counts that a document carries."""
    return tuple(getattr(document, "counts", ()))


def no_figures(_document: Any) -> Mapping[str, Any]:
    """Of a kind without figures."""
    return {}


def nothing_fuller(_build: Path, _document: Any) -> Any:
    """Of a kind of which a gate's document is all that there is."""
    return None


@dataclass(frozen=True)
class Section:
    """One kind of evidence, by the stem of the files that the suites leave.

    `document` is the type of a file; several files are put together by `merge`. A gate without a
    `required` kind is NO-GO. `figures` go into the verdict for people to read. `find_fuller` looks
    in a build directory for a document of the same that says more than the gate's; the page then
    shows that one.
    """

    name: str
    document: Any = EvidenceDocument
    claim: Claim | None = None
    template: Template | None = None
    required: bool = False
    merge: Callable[[Sequence[Any]], Any] = only_document
    findings: Callable[[Any], Sequence[Finding]] = own_findings
    counts: Callable[[Any], Iterable[EvidenceCount]] = own_counts
    figures: Callable[[Any], Mapping[str, Any]] = no_figures
    find_fuller: Callable[[Path, Any], Any] = nothing_fuller


def count_every(what: str, number: int) -> EvidenceCount:
    """All of so many things."""
    return EvidenceCount(what, number, number)
