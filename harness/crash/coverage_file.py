"""A ledger's document as a file: written whole or not at all, read back or refused for a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.jsonfile import write_json
from harness.crash.coverage import SCHEMA_VERSION

NUMBERS = ("points", "fired", "states", "failed", "unknown", "seconds")
SHAPE: dict[str, type | tuple[type, ...]] = {
    "verdict": str,
    **dict.fromkeys(NUMBERS, (int, float)),
    **dict.fromkeys(("domains", "environment", "asked", "enumerated"), dict),
    **dict.fromkeys(("failures", "unknowns", "causes", "steps", "rows", "missing"), list),
}
ENTRY_KEYS = frozenset(
    {"id", "domain", "direction", "step", "boundary", "fault", "outcome", "reason", "replay"}
)


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write a ledger's document to a file, whole or not at all."""
    write_json(path, document)


def read(path: Path) -> dict[str, Any]:
    """Read what `write` wrote; anything else is a usage error that names the file and why."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read: {error.strerror}", where=str(path)) from error
    except ValueError as error:
        raise _no_ledger(path, f"it is not JSON ({error})") from error
    if not isinstance(document, dict) or "schema_version" not in document:
        raise _no_ledger(path, "it has no schema_version")
    version = document["schema_version"]
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"the file has schema version {version!r}, this harness reads {SCHEMA_VERSION}",
            where=str(path),
            hint="write it anew with harness crash",
        )
    fault = _flaw(document)
    if fault:
        raise _no_ledger(path, fault)
    return document


def _no_ledger(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"this is no ledger of a crash exploration: {reason}",
        where=str(path),
        hint="write one with harness crash",
    )


def _flaw(document: Mapping[str, Any]) -> str:
    """What a document lacks or contradicts, empty when it is whole."""
    for name, kind in SHAPE.items():
        if not isinstance(document.get(name), kind):
            return f"{name} is missing or not what it should be"
    for place in ("rows", "missing", "failures", "unknowns"):
        for number, entry in enumerate(document[place]):
            if not isinstance(entry, dict) or not entry.keys() >= ENTRY_KEYS:
                return f"{place}[{number}] lacks one of {', '.join(sorted(ENTRY_KEYS))}"
    if len(document["steps"]) < 2:
        return "steps does not begin and end"
    if not all(_is_counted(ways) for ways in document["enumerated"].values()):
        return "enumerated is no number of points for each domain and direction"
    outcomes = {entry["outcome"] for entry in (*document["rows"], *document["missing"])}
    wrong = document["verdict"] == "pass" and outcomes != {"passed"}
    return "its verdict is pass, but not all of its rows passed" if wrong else ""


def _is_counted(ways: Any) -> bool:
    return isinstance(ways, dict) and all(isinstance(number, int) for number in ways.values())
