"""Evidence: JSON documents that the suites leave for the verdict, read back and judged.

A suite calls `keep`; outside a gate that does nothing. What is absent, unreadable or misshapen is
unknown, and says why: no evidence is no proof.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from harness.core.finding import Finding, Severity
from harness.core.jsonfile import PARTIAL, write_json
from harness.report import crash_rows, matrix, samples, tally, timeline
from harness.report.shape import MisshapenError, document, objects, text
from harness.report.verdict import Exhibit, Word

VARIABLE = "HARNESS_EVIDENCE"  # the directory, during a gate

READERS: Mapping[str, Callable[[Any], Any]] = {
    "dry_run": timeline.read,
    "security": matrix.read,
    "verify": samples.read,
    "crash": crash_rows.read,
}
"""By name: what makes a document something to look at. Others are judged by their words alone."""


@dataclass(frozen=True)
class Piece:
    """One document of evidence. `view` is what the page shows of it, None when it is not there."""

    name: str
    verdict: Word
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    view: Any = None
    counts: tuple[tally.Count, ...] = ()

    @property
    def exhibit(self) -> Exhibit:
        """As the verdict lists it."""
        return Exhibit(self.name, self.verdict, self.reason, self.counts)


def keep(name: str, found: Mapping[str, Any]) -> None:
    """Leave a document for the verdict; nothing happens outside a gate."""
    directory = os.environ.get(VARIABLE)
    if not directory:
        return
    write_json(Path(directory) / f"{name}.json", found)


def count(
    name: str, what: str, done: Iterable[str], of: Iterable[str], *, sample: bool = False
) -> None:
    """Leave word of what a suite did, each thing by its name; to be called when it went well.

    Parts that several tests tell are put together: evidence `name` passes when `done` has all that
    is in `of`. Of a `sample` that is not asked, and pages say that it is one.
    """
    told = tally.entry(what, done, of, sample)
    keep(tally.stem(name, told), told)


def forget(directory: Path) -> None:
    """Remove what an earlier gate left, so that it cannot speak for this one."""
    for pattern in ("*.json", f"*{PARTIAL}"):
        for path in directory.glob(pattern):
            path.unlink()


def gather(directory: Path, names: Iterable[str]) -> tuple[Piece, ...]:
    """Every expected piece in order, then those that nobody expected."""
    expected = list(names)
    there = {_stem(path) for path in directory.glob("*.json")}
    return tuple(_gathered(directory, name) for name in [*expected, *sorted(there - {*expected})])


def _stem(path: Path) -> str:
    """The name of a piece: crash.forward.json is a part of crash."""
    return path.name.split(".")[0]


def _gathered(directory: Path, name: str) -> Piece:
    paths = sorted(path for path in directory.glob(f"{name}*.json") if _stem(path) == name)
    if not paths:
        return Piece(name, "unknown", "no evidence was left")
    try:
        found = [_parsed(path) for path in paths]
        return _judged(name, _whole(name, found, paths))
    except MisshapenError as error:
        return Piece(name, "unknown", str(error))


def _whole(
    name: str, found: Sequence[Mapping[str, Any]], paths: Sequence[Path]
) -> Mapping[str, Any]:
    if name == "crash":
        return crash_rows.merged(found)
    if all("counted" in part for part in found):
        return tally.merged(found)
    return _only(found, paths)


def _only(found: Sequence[Mapping[str, Any]], paths: Sequence[Path]) -> Mapping[str, Any]:
    if len(found) > 1:
        raise MisshapenError(f"{' and '.join(path.name for path in paths)} say it twice")
    return found[0]


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        return document(json.loads(path.read_text("utf-8")), path.name)
    except json.JSONDecodeError as error:
        raise MisshapenError(f"{path.name}:{error.lineno} is not JSON: {error.msg}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MisshapenError(f"{path.name} cannot be read: {error}") from None


def _judged(name: str, found: Mapping[str, Any]) -> Piece:
    word = text(found, "verdict")
    if word not in get_args(Word):
        raise MisshapenError(f"its verdict is {word!r}, not pass, fail or unknown")
    findings = tuple(_finding(item) for item in objects(found, "findings"))
    reader = READERS.get(name)
    view = reader(found) if reader else found
    critical = [finding.id for finding in findings if finding.severity == "critical"]
    if word == "pass" and critical:
        raise MisshapenError(f"it says pass but found {critical[0]}")
    reason = "" if word == "pass" else str(found.get("reason") or _first_of(findings))
    counts = tally.counts(name, found)
    return Piece(name, word, reason, findings, found, view, counts)  # type: ignore[arg-type]


def _first_of(findings: Sequence[Finding]) -> str:
    worst = sorted(findings, key=lambda finding: get_args(Severity).index(finding.severity))
    return f"{worst[0].where}: {worst[0].message}" if worst else ""


def _finding(item: Mapping[str, Any]) -> Finding:
    severity = text(item, "severity")
    if severity not in get_args(Severity):
        raise MisshapenError(f"severity {severity!r} is none of {', '.join(get_args(Severity))}")
    evidence = item.get("evidence") or ""
    return Finding(
        id=text(item, "id"),
        severity=severity,  # type: ignore[arg-type]
        where=text(item, "where"),
        message=text(item, "message"),
        hint=str(item.get("hint") or ""),
        evidence=evidence if isinstance(evidence, str) else json.dumps(evidence, default=str),
    )
