"""The verdict for a pull request: short Markdown that GitHub and GitLab show as meant."""

from __future__ import annotations

import re
from typing import Any

from harness.core.quantity import count, duration
from harness.document.verdict import VerdictDocument
from harness.report.claims import judged

LISTED = 10  # findings, the worst first
LONGEST = 300  # characters of one cell or line
SIGNS = {"pass": "✅", "fail": "❌", "unknown": "❔"}
SEVERITIES = ("critical", "warning", "info")


def markdown(document: VerdictDocument) -> str:
    """The verdict in some forty lines; never longer than a comment may be."""
    plan, go = document.plan, document.verdict == "GO"
    title = f"{plain(plan.name)} {plain(plan.version)}"
    lines = [f"## {'✅ GO' if go else '❌ NO-GO'}: migration {title}", ""]
    lines += _causes(document)
    lines += [f"- {plain(reason)}" for reason in document.reasons[:LISTED]]
    lines += [""] if document.reasons else []
    lines += _table(document)
    lines += _findings(document)
    lines += _open(document)
    lines += ["", _figures(document), "", _judged(document), ""]
    return "\n".join(lines)


def _table(document: VerdictDocument) -> list[str]:
    lines = ["| suite | verdict | tests | time |", "| --- | --- | ---: | ---: |"]
    for suite in document.suites:
        total = suite.passed + suite.failed + suite.skipped
        lines.append(
            f"| {plain(suite.name)} | {SIGNS[suite.verdict]} {suite.verdict}"
            f" | {suite.passed} of {total} | {duration(suite.seconds)} |"
        )
    for exhibit in document.evidence:
        if exhibit.verdict != "pass":
            word = f"{SIGNS[exhibit.verdict]} {exhibit.verdict}"
            lines.append(f"| evidence {plain(exhibit.name)} | {word} | | |")
    return lines


def _causes(document: VerdictDocument) -> list[str]:
    causes = document.causes
    if not causes:
        return []
    lines = ["### Why", ""]
    for cause in causes[:LISTED]:
        where = f" ({plain(cause.file)})" if cause.file else ""
        lines.append(f"- **{plain(cause.sentence)}**{where}")
        row = cause.row
        if row:
            name = plain(f"{row.relation} {row.key} {row.column}")
            lines.append(f"  - {name}: {plain(row.before)} → {plain(row.after)}")
        lines.append(f"  - {len(cause.findings)} findings beneath; again: {_code(cause.replay)}")
    if len(causes) > LISTED:
        lines.append(f"- and {len(causes) - LISTED} more in the report")
    return [*lines, ""]


def _findings(document: VerdictDocument) -> list[str]:
    beneath = {name for cause in document.causes for name in cause.findings}
    told = [one for one in document.findings if one.severity != "info" and one.id not in beneath]
    if not told:
        return []
    told = sorted(told, key=lambda finding: SEVERITIES.index(finding.severity))
    lines = ["", "### Findings", ""]
    for finding in told[:LISTED]:
        where = f" ({plain(finding.where)})" if finding.where else ""
        said = f"{plain(finding.id)}{where}: {plain(finding.message)}"
        lines.append(f"- **{finding.severity}** {said}")
    if len(told) > LISTED:
        lines.append(f"- and {len(told) - LISTED} more in the report")
    return lines


def _open(document: VerdictDocument) -> list[str]:
    claims = [claim for claim in judged(document) if claim.standing != "proven"]
    if not claims:
        return []
    return ["", "### Not proven", ""] + [f"- {plain(claim.text)}" for claim in claims]


def _figures(document: VerdictDocument) -> str:
    figures, told = document.figures, []
    told.append(f"{count(document.seed.rows)} rows")
    if "tests" in figures:
        told.append(f"{figures['tests']} tests")
    if "seconds" in figures:
        told.append(f"gate {duration(figures['seconds'])}")
    if figures.get("estimate_seconds"):
        told.append(f"estimate of the run {duration(figures['estimate_seconds'])}")
    if "crash_points" in figures:
        told.append(f"{figures['crash_points']} crash points")
    return " · ".join(told)


def _judged(document: VerdictDocument) -> str:
    around = document.environment
    return (
        f"Judged {plain(document.judged_at)} on Postgres {plain(around.get('postgres', '?'))}:"
        f" plan `{document.plan.hash[:12]}`, seed `{document.seed.hash[:12]}`,"
        f" tool `{document.tool.hash[:12]}`. The whole report: `build/report/index.html`."
    )


def _code(text: str) -> str:
    """A line to be copied."""
    return "`" + " ".join(text.split()).replace("`", "'") + "`"


def plain(value: Any) -> str:
    """Text on one line that is neither Markdown nor HTML, and mentions nobody."""
    text = " ".join(str(value).split())
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    text = re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text)
    return text.replace("@", "@\u200b")
