"""The papers of a gate: the report page, and the Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.check import verdict_file
from harness.core.errors import UsageError
from harness.core.jsonfile import write_whole
from harness.document.verdict import VerdictDocument
from harness.report import page, pull_request
from harness.report.evidence import EvidencePiece, find_fuller, gather

LOGS = ("verdict.json", "pytest.log", "junit.xml", "crash.json", "report/crash.html")


def again(build: Path) -> Path:
    """Write the papers of the verdict that stands in a build directory; the page's path."""
    found = verdict_file.read(build / "verdict.json")
    names = [exhibit.name for exhibit in found.document.evidence]
    return write(build, found.document, gather(build / "evidence", names))


def write(build: Path, document: VerdictDocument, pieces: Sequence[EvidencePiece]) -> Path:
    """Write build/report/index.html and build/report/pull-request.md; the page's path."""
    report = build / "report"
    pieces = [find_fuller(piece, build) for piece in pieces]
    page.render(document, pieces, report / "index.html", _logs(build))
    path = report / "pull-request.md"
    try:
        write_whole(path, pull_request.markdown(document))
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error
    return report / "index.html"


def forget(build: Path) -> None:
    """Remove what an earlier gate wrote: an old GO must not outlive a crash of this one."""
    for name in ("verdict.json", "report/index.html", "report/pull-request.md"):
        (build / name).unlink(missing_ok=True)


def _logs(build: Path) -> list[str]:
    """Links from the page to what lies beside it."""
    evidence = sorted(path.name for path in (build / "evidence").glob("*.json"))
    there = [name for name in LOGS if (build / name).exists()]
    return [
        name.removeprefix("report/") if name.startswith("report/") else f"../{name}"
        for name in [*there, *(f"evidence/{name}" for name in evidence)]
    ]
