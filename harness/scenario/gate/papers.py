"""The papers of a gate: the report page, and the Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.check import judgement
from harness.core.errors import UsageError
from harness.core.jsonfile import write_whole
from harness.crash import coverage_file
from harness.crash.asked import incomplete
from harness.report import crash_rows, page, pull_request, tally
from harness.report.document.base import to_builtins
from harness.report.evidence import READERS, Piece, gather

EVIDENCE = (
    *("validate", "dry_run", "forward", "verify", "security", "contract", "compatibility"),
    *("meanwhile", "rollback", "cleanup", "resume", "crash"),
)
"""What the suites must leave: a suite that passes and counts nothing has shown nothing."""
SAME = ("plan hash", "tool hash", "postgres", "rows", "seed")
"""What an exploration must have in common with the gate's sample, to be of the same migration."""
LOGS = ("verdict.json", "pytest.log", "junit.xml", "crash.json", "report/crash.html")


def again(build: Path) -> Path:
    """Write the papers of the verdict that stands in a build directory; the page's path."""
    found = judgement.read(build / "verdict.json")
    return write(build, to_builtins(found.document), gather(build / "evidence", EVIDENCE))


def write(build: Path, document: Mapping[str, Any], pieces: Sequence[Piece]) -> Path:
    """Write build/report/index.html and build/report/pull-request.md; the page's path."""
    report = build / "report"
    pieces = [_whole(piece, build) for piece in pieces]
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


def _whole(piece: Piece, build: Path) -> Piece:
    """For the page, the whole exploration of what was judged instead of the gate's sample of it."""
    if piece.name != "crash" or piece.verdict != "pass":
        return piece
    try:
        found = coverage_file.read(build / "crash.json")
    except UsageError:
        return piece  # there is none, or none that can be read: the sample stands
    sampled, explored = piece.document["environment"], found["environment"]
    same = all(name in sampled and sampled[name] == explored.get(name) for name in SAME)
    if not same or incomplete(found):
        return piece
    merged = crash_rows.merged([found])
    return Piece(
        "crash",
        merged["verdict"],
        "",
        (),
        merged,
        READERS["crash"](merged),
        tally.counts("crash", merged),
    )


def _logs(build: Path) -> list[str]:
    """Links from the page to what lies beside it."""
    evidence = sorted(path.name for path in (build / "evidence").glob("*.json"))
    there = [name for name in LOGS if (build / name).exists()]
    return [
        name.removeprefix("report/") if name.startswith("report/") else f"../{name}"
        for name in [*there, *(f"evidence/{name}" for name in evidence)]
    ]
