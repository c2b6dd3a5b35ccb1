"""The page of a gate: the answer first, then what it rests on; one file that needs no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.jsonfile import write_whole
from harness.report import claims, crash_page, matrix
from harness.report.evidence import READERS, Piece
from harness.report.pages import environment
from harness.report.portable import portable

SHOWN = 200  # findings on the page; verdict.json has them all
LONGEST = 6000  # characters of evidence shown with a finding
SEVERITIES = ("critical", "warning", "info")
STANDINGS = {"proven": ("p", "✓"), "refuted": ("f", "✗"), "not proven": ("u", "?")}
WORDS = {"pass": ("p", "✓"), "fail": ("f", "✗"), "unknown": ("u", "?")}


def render(
    document: Mapping[str, Any],
    pieces: Sequence[Piece],
    path: Path,
    logs: Sequence[str] = (),
) -> None:
    """Write the page of a verdict and its evidence. `logs` are links, relative to the page."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = portable(html(document, pieces, logs), Path.cwd())  # crash.json keeps its paths
        write_whole(path, text)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error


def html(document: Mapping[str, Any], pieces: Sequence[Piece], logs: Sequence[str] = ()) -> str:
    """The page; the same for the same verdict and evidence."""
    template = environment().get_template("report.html.j2")
    there: dict[str, Piece | None] = dict.fromkeys(READERS)
    there |= {piece.name: piece for piece in pieces if piece.view is not None}
    crash = there["crash"]
    findings = sorted(document["findings"], key=_severity)
    causes = document.get("causes") or []
    beneath = {name for cause in causes for name in cause["findings"]}
    alone = [one for one in findings if one["id"] not in beneath]
    return template.render(
        d=document,
        go=document["verdict"] == "GO",
        claims=claims.judged(document),
        beyond=claims.beyond(document),
        there=there,
        pieces={piece.name: piece for piece in pieces},
        crash=crash.document if crash else None,
        maps=crash.view if crash else [],
        findings=alone[:SHOWN],
        unshown=len(alone[SHOWN:]),
        causes=[cause | {"beneath": _beneath(cause, findings)} for cause in causes],
        counts={name: _number(findings, name) for name in SEVERITIES},
        environment=_environment(document),
        logs=logs,
        longest=LONGEST,
        standings=STANDINGS,
        words=WORDS,
        letters=matrix.LETTERS,
        symbols=crash_page.SYMBOLS,
        classes=crash_page.CLASSES,
        shortened=False,
        whole=True,
    )


def _beneath(
    cause: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The findings of a cause, those of evidence first: they say more than a test does."""
    found = [one for one in findings if one["id"] in cause["findings"]]
    return sorted(found, key=lambda one: "::" in one["where"])[:SHOWN]


def _severity(finding: Mapping[str, Any]) -> int:
    return SEVERITIES.index(finding["severity"])


def _number(findings: Sequence[Mapping[str, Any]], severity: str) -> int:
    return sum(finding["severity"] == severity for finding in findings)


def _environment(document: Mapping[str, Any]) -> dict[str, str]:
    """What was judged, on what, and the hashes that say exactly which."""
    plan, seed, tool = document["plan"], document["seed"], document["tool"]
    told = {
        "plan": f"{plan.get('name', '')} {plan.get('version', '')}",
        "plan hash": plan["hash"],
        "rows": f"{seed.get('rows', 0):,}, seed {seed.get('seed')}",
        "seed hash": seed["hash"],
        "tool": f"{tool.get('name', '')} {tool.get('version', '')}",
        "tool hash": tool["hash"],
    }
    around = document.get("environment", {})
    told |= {name.replace("_", " "): str(value) for name, value in around.items()}
    memory = around.get("memory_bytes")
    if memory:
        del told["memory bytes"]
        told["memory"] = f"{memory / 2**30:.1f} GiB"
    return told
