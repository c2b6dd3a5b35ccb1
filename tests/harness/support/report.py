"""Evidence and verdicts to plant in tests: small, whole, and each easily spoilt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.report import tally
from harness.report.tally import Count
from harness.report.verdict import Exhibit, Suite, Verdict
from harness.scenario.gate import papers

FINDING = {
    "id": "quality.website",
    "severity": "critical",
    "where": "public.companies",
    "message": "3 of 900 rows have a website that is no URL",
    "hint": "update public.companies set website = null",
    "evidence": "12, 44, 108",
}
JUDGED = {
    "judged_at": "2026-11-22T20:00:00+00:00",
    "plan": {"name": "crm", "version": "1", "hash": "a" * 64},
    "seed": {"rows": 1000, "seed": 1, "profiles": ["real"], "hash": "b" * 64},
    "tool": {"name": "migration-harness", "version": "0.1.0", "hash": "c" * 64},
    "environment": {"server": "embedded", "postgres": 18, "memory_bytes": 2**30},
    "settings": {"runner": {}, "switched_off": []},
    "source": {
        "postgres": 18,
        "objects": {"catalog": {}, "security": {}},
    },
}


COUNTED = (*("forward", "contract", "compatibility", "meanwhile", "rollback", "cleanup", "resume"),)


def step(number: int, direction: str = "forward", **more: Any) -> dict[str, Any]:
    """A step of a dry run that took as many seconds as its number."""
    return {
        "id": f"1.1/{number:03d}_step",
        "direction": direction,
        "seconds": float(number),
        "rows": 0,
        "wal_bytes": 1000,
        "temp_bytes": 0,
        "locks": [],
        "squawk": [],
    } | more


def lock(stops: str, seconds: float, **more: Any) -> dict[str, Any]:
    """A lock on deals."""
    return {
        "relation": "public.deals",
        "mode": "share",
        "stops": stops,
        "seconds": seconds,
        "rewrites": False,
    } | more


def point(direction: str, outcome: str = "passed") -> dict[str, Any]:
    """A row of a crash exploration."""
    return {
        "id": f"wire:{direction}:1.1/001_step:m1:cut",
        "domain": "wire",
        "direction": direction,
        "step": "1.1/001_step",
        "boundary": "m1",
        "fault": "cut",
        "outcome": outcome,
        "reason": "" if outcome == "passed" else "a row is lost",
        "replay": "harness crash --replay it",
    }


def crash(direction: str, outcome: str = "passed") -> dict[str, Any]:
    """A whole exploration of one point."""
    row = point(direction, outcome)
    return {
        "verdict": "pass" if outcome == "passed" else "fail",
        "points": 1,
        "fired": 1,
        "states": 1,
        "failures": [] if outcome == "passed" else [row],
        "unknowns": [],
        "rows": [row],
        "missing": [],
        "steps": ["(start)", "1.1/001_step", "(end)"],
        "domains": {"wire": {}},
    }


def matrix(old: str = "denied", now: str = "denied", **more: Any) -> dict[str, Any]:
    """A security document: one role, one relation; what it may select before and now."""
    rest = {"insert": "denied", "update": "denied", "delete": "denied"}
    sides = {
        "before": {"anon": {"select": old, **rest}},
        "after": {"anon": {"select": now, **rest}},
    }
    relation = {"name": "public.deals", **sides, "explained": {}} | more
    functions = [{"name": "public.f()", "before": {"anon": "denied"}, "after": {"anon": "allowed"}}]
    return {
        "verdict": "pass",
        "findings": [],
        "roles": ["anon"],
        "relations": [relation],
        "functions": functions,
    }


def documents() -> dict[str, dict[str, Any]]:
    """Good evidence of every kind, by the stem of its file."""
    field = {"name": "stage", "before": "lead", "after": "new_lead", "right": True}
    sample = {"relation": "public.deals", "key": 7, "fields": [field]}
    steps = [step(1, rows=100, locks=[lock("writes", 0.5)]), step(2), step(2, "rollback")]
    estimate = {"seconds": 4.0, "error": 0.25}
    plain = {"verdict": "pass", "findings": []}
    return {
        "validate": plain | {"warning_percent": 0.0},
        "dry_run": plain | {"estimate_seconds": 3.0, "steps": steps, "estimate": estimate},
        "verify": plain | {"samples": [sample]},
        "security": matrix(),
        **{name: tally.entry("things", ["a"], ["a"], False) for name in COUNTED},
        "crash.forward": crash("forward"),
        "crash.rollback": crash("rollback"),
    }


def left(directory: Path, **changed: Any) -> Path:
    """Leave good evidence in a directory, but for what is given; None leaves that out."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, document in (documents() | changed).items():
        if document is not None:
            text = document if isinstance(document, str) else json.dumps(document)
            (directory / f"{name}.json").write_text(text)
    return directory


def verdict(**changed: Any) -> Verdict:
    """A verdict that is GO unless something in it is changed."""
    parts: dict[str, Any] = {
        "suites": [Suite("forward", passed=3, seconds=1.5)],
        "findings": [],
        "complete": True,
        "evidence": [
            Exhibit(name, "pass", counts=(Count("things", 1, 1),)) for name in papers.EVIDENCE
        ],
        "figures": {"rows": 1000, "tests": 3, "seconds": 12.0},
        "judged": JUDGED,
    }
    return Verdict(**(parts | changed))


def built(build: Path, planted: dict[str, Any] | None = None, **changed: Any) -> Path:
    """A build directory with a verdict, evidence and papers."""
    left(build / "evidence", **(planted or {}))
    (build / "verdict.json").write_text(json.dumps(verdict(**changed).document(), indent=2))
    papers.again(build)
    return build
