"""JSON, SARIF, GitHub's annotations and Markdown of a check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from harness import __version__
from harness.core.finding import Finding
from harness.document.base import to_builtins
from harness.document.check import CheckDocument, RevisionDocument

_LEVEL: Final = {"critical": "error", "warning": "warning", "info": "note"}
_COMMAND: Final = {"critical": "error", "warning": "warning", "info": "notice"}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(document: CheckDocument) -> str:
    """One JSON document."""
    return json.dumps(to_builtins(document), ensure_ascii=False) + "\n"


def as_sarif(document: CheckDocument) -> str:
    """SARIF 2.1.0, as code scanning takes it."""
    found = [(one, finding) for one in document.revisions for finding in one.findings]
    rules = sorted({finding.id for _, finding in found})
    run = {
        "tool": {
            "driver": {
                "name": "harness check",
                "version": __version__,
                "rules": [
                    {"id": rule, "shortDescription": {"text": _title(rule)}} for rule in rules
                ],
            }
        },
        "results": [_result(document, finding) for _, finding in found],
    }
    return (
        json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False)
        + "\n"
    )


def _title(rule: str) -> str:
    return rule.rpartition(".")[2].replace("_", " ")


def _result(document: CheckDocument, finding: Finding) -> dict[str, Any]:
    path, line = _place(finding.where)
    text = f"{finding.message}. {finding.hint}" if finding.hint else finding.message
    return {
        "ruleId": finding.id,
        "level": _LEVEL[finding.severity],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _from_here(document, path)},
                    "region": {"startLine": line},
                }
            }
        ],
    }


def _from_here(document: CheckDocument, path: str) -> str:
    return str(PurePosixPath(document.root) / path).removeprefix("./")


def _place(where: str) -> tuple[str, int]:
    path, _, line = where.rpartition(":")
    return (path, int(line)) if path and line.isdigit() else (where, 1)


def as_github(document: CheckDocument) -> str:
    """Workflow commands, which GitHub shows at the lines of a pull request."""
    return "".join(f"{line}\n" for line in _commands(document))


def _commands(document: CheckDocument) -> Iterator[str]:
    for one in document.revisions:
        for finding in one.findings:
            path, line = _place(finding.where)
            file = _escape(_from_here(document, path), ",:")
            text = _escape(
                f"{finding.message} → {finding.hint}" if finding.hint else finding.message
            )
            place = f"file={file},line={line},title={finding.id}"
            yield f"::{_COMMAND[finding.severity]} {place}::{text}"
    yield f"harness check: {document.verdict}"


def _escape(text: str, besides: str = "") -> str:
    """As workflow commands want a value: percent signs, line breaks and separators by number."""
    for sign in ("%", "\r", "\n", *besides):
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def as_markdown(document: CheckDocument) -> str:
    """A comment of a pull request."""
    return "\n".join(_markdown(document)) + "\n"


def _markdown(document: CheckDocument) -> Iterator[str]:
    yield f"## Migrations: {document.verdict}"
    yield ""
    yield f"{'; '.join(document.assumed)}."
    yield ""
    yield "| revision | verdict | differs in | findings |"
    yield "| --- | --- | --- | --- |"
    for one in document.revisions:
        cells = (_cell(one.name), one.verdict, ", ".join(one.classes), _counted(one))
        yield f"| {' | '.join(cells)} |"
    for one in document.revisions:
        loud = [finding for finding in one.findings if finding.severity != "info"]
        if loud:
            yield ""
            yield f"### {one.name}"
            yield ""
            for finding in loud:
                hint = f" → {finding.hint}" if finding.hint else ""
                yield f"- **{finding.severity}** `{finding.where}`: {finding.message}{hint}"
    for why in document.unknowns:
        yield ""
        yield f"Unknown: {why}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _counted(one: RevisionDocument) -> str:
    counts = {word: sum(f.severity == word for f in one.findings) for word in _LEVEL}
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number)


FORMATS: Final[Mapping[str, Callable[[CheckDocument], str]]] = {
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
    "markdown": as_markdown,
}
