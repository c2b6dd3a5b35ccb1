"""A look at an API as files: the change list for a person and for a program, the descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from harness.core.jsonfile import write_whole
from harness.document.api import ApiLine
from harness.document.base import to_text
from harness.scenario.api.run import ApiLook

TITLES: Final = {
    "breaks": "Breaks",
    "unknown": "Not shown by any request",
    "declared": "Breaks, as declared",
    "kept": "Described otherwise, answered as before",
    "opens": "New",
}


def write_report(look: ApiLook, directory: Path) -> list[Path]:
    """Write api-changes.md and .json, and openapi.ROLE.SIDE.json; the files, each whole.

    Raises OSError as it comes.
    """
    files = {
        "api-changes.md": "\n".join(told_as_markdown(look)) + "\n",
        "api-changes.json": to_text(look.document, indent=2),
    }
    for (role, side), told in look.descriptions.items():
        text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        files[f"openapi.{_plain(role)}.{side}.json"] = text
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_whole(directory / name, text)
    return [directory / name for name in files]


def told_as_markdown(look: ApiLook) -> Iterator[str]:
    """The change list, what breaks first."""
    document = look.document
    yield f"# The API of schema {document.schema}: {document.verdict}"
    yield ""
    for role, (before, after) in document.relations.items():
        yield f"- {role}: {before} relations before, {after} after"
    for finding in document.findings:
        if finding.id == "api-declared":
            yield f"- {finding.where}: {finding.message}"
    for outcome, title in TITLES.items():
        lines = [one for one in document.changes if one.outcome == outcome]
        if lines:
            yield ""
            yield f"## {title} ({len(lines)})"
            yield ""
            yield from _table(lines)


def _table(lines: Sequence[ApiLine]) -> Iterator[str]:
    yield "| change | roles | request | before | after | why |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in lines:
        cells = (
            one.change, ", ".join(one.roles), one.request, one.before, one.after, one.reason,
        )  # fmt: skip
        yield f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


def _plain(role: str) -> str:
    """A role's name as a part of a file's name."""
    return "".join(one if one.isalnum() or one in "-_" else "_" for one in role)
