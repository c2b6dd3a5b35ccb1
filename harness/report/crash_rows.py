"""The crash rows of a gate: its directions put together, and the map that is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.core.finding import Finding, Severity
from harness.report import crash_page
from harness.report.shape import MisshapenError, objects, text

WORST = ("fail", "unknown", "pass")
NEEDED = {"id", "domain", "direction", "step", "boundary", "fault", "outcome", "reason", "replay"}


SEVERITIES: dict[str, Severity] = {"unknown": "warning", "info": "info"}


def merged(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One document of several explorations of the same plan; what failed in them, as findings."""
    for document in found:
        _check(document)
    ways = [*_all(found, "failures"), *_all(found, "unknowns")]
    return {
        "verdict": min((document["verdict"] for document in found), key=WORST.index),
        "findings": [asdict(_finding(way)) for way in (*ways, *_some(found, "notes"))],
        "rows": _all(found, "rows"),
        "missing": _all(found, "missing"),
        "steps": list(dict.fromkeys(_all(found, "steps"))),
        "cleanup_steps": _cleanup_steps(found),
        "notes": _some(found, "notes"),
        "domains": {name: None for document in found for name in document["domains"]},
        "points": sum(document["points"] for document in found),
        "fired": sum(document["fired"] for document in found),
        "states": sum(document["states"] for document in found),
        "enumerated": _enumerated(found),
        "environment": found[0].get("environment", {}),
        "sample": _sample(found),
        "not_applicable": _some(found, "not_applicable"),
    }


def _enumerated(found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """How many points there were, by domain and direction, before some of them were chosen."""
    whole: dict[str, dict[str, int]] = {}
    for document in found:
        for domain, ways in document.get("enumerated", {}).items():
            whole.setdefault(domain, {}).update(ways)
    return whole


def read(document: Mapping[str, Any]) -> list[crash_page.Map]:
    """The maps, one for each direction."""
    return crash_page.maps(document)


def _sample(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many points of how many, put together; a document that does not say has all it found."""
    whole = [{"struck": one["points"], "of": one["points"], "is_sample": False} for one in found]
    told = [one.get("sample", usual) for one, usual in zip(found, whole, strict=True)]
    return {
        "struck": sum(one["struck"] for one in told),
        "of": sum(one["of"] for one in told),
        "is_sample": any(one["is_sample"] for one in told),
        "not_sampled": [cell for one in told for cell in one.get("not_sampled", ())],
    }


def _check(document: Mapping[str, Any]) -> None:
    if text(document, "verdict") not in WORST:
        raise MisshapenError(f"its verdict is {document['verdict']!r}")
    for key in ("rows", "missing", "failures", "unknowns"):
        for number, entry in enumerate(objects(document, key)):
            if not entry.keys() >= NEEDED:
                lacks = ", ".join(sorted(NEEDED - entry.keys()))
                raise MisshapenError(f"{key}[{number}] has no {lacks}")
    if not isinstance(document.get("steps"), list) or len(document["steps"]) < 2:
        raise MisshapenError("steps does not begin and end")
    if not isinstance(document.get("domains"), dict):
        raise MisshapenError("domains is not an object")
    for key in ("points", "fired", "states"):
        if not isinstance(document.get(key), int):
            raise MisshapenError(f"{key} is not a number")


def _all(found: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    return [item for document in found for item in document[key]]


def _some(found: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """What those documents have that have it."""
    return [item for document in found for item in document.get(key, ())]


def _cleanup_steps(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The clean-up's steps between the begin and the end of a run."""
    ends = {"(start)", "(end)"}
    middle = [name for name in _some(found, "cleanup_steps") if name not in ends]
    return ["(start)", *dict.fromkeys(middle), "(end)"]


def _finding(way: Mapping[str, Any]) -> Finding:
    return Finding(
        id=f"crash.{way['domain']}.{way['fault']}",
        severity=SEVERITIES.get(way["outcome"], "critical"),
        where=f"{way['step']} at {way['boundary']}, {way['direction']}",
        message=way["reason"] or way["outcome"],
        hint=f"repeat it: {way['replay']}",
        evidence=str(way.get("evidence", "")),
    )
