"""Evidence and verdicts to plant in tests: small, whole, and each easily spoilt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.document.base import to_builtins, to_text
from harness.document.crash import SCHEMA_VERSION
from harness.document.verdict import EvidenceCount
from harness.report import tally
from harness.report.section.registry import list_required
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
ACCEPTANCE = {
    "verdict": "pass",
    "findings": [],
    "moments": ["before"],
    "sign_offs": [
        {
            "workflow": "win a deal",
            "role": "authenticated",
            "moment": "before",
            "steps": 3,
            "end": "done",
            "accepted": True,
            "seconds": 0.1,
            "at": "2026-11-22T20:00:00+00:00",
        }
    ],
}
ESTIMATE = {
    "verdict": "pass",
    "estimate_seconds": 3.0,
    "seconds": 4.0,
    "error": 0.25,
    "why": "",
    "steps": [],
}
VALIDATE = {
    "verdict": "pass",
    "warning_percent": 0.0,
    "findings": [],
    "unknowns": [],
    "not_applicable": [],
    "relations": [],
    "thresholds": {"warning_percent": 10.0},
    "checks": {"quality.website": "d" * 64},
    "preflight": {},
}
VERIFY = {
    "verdict": "pass",
    "state": "migrated",
    "source": "given",
    "seed": 1,
    "checks": 1,
    "relations": [],
    "security": "pass",
    "unknowns": [],
    "not_applicable": [],
    "findings": [],
    "samples": [],
}

COST = {"rows": 1, "buffers": 3, "temp": 0, "wal_records": 0, "wal_bytes": 0, "shape": ["Scan"]}
BENCHMARK = {
    "verdict": "pass",
    "findings": [],
    "queries": [
        {"name": "board", "about": "x", "source": "subject", "kind": "read"}
        | {"before": COST, "after": COST}
    ],
}
COUNTED = (
    *(
        "forward",
        "contract",
        "compatibility",
        "api",
        "people",
        "meanwhile",
        "rollback",
        "cleanup",
        "resume",
        "maintenance",
        "artifacts",
        "webhooks",
    ),
)


def step(number: int, direction: str = "forward", **more: Any) -> dict[str, Any]:
    """A step of a dry run that took as many seconds as its number."""
    return {
        "id": f"1.1/{number:03d}_step",
        "direction": direction,
        "kind": "transaction",
        "file": f"phases/1.1/{number:03d}_step.{direction}.sql",
        "began": 0.0,
        "seconds": float(number),
        "rows": 0,
        "wal_bytes": 1000,
        "temp_bytes": 0,
        "done": True,
        "retries": [],
        "statements": [],
        "locks": [],
        "squawk": [],
    } | more


def in_order(*steps: dict[str, Any]) -> list[dict[str, Any]]:
    """Steps of which each began when the one before it ended."""
    began = 0.0
    found = []
    for one in steps:
        found.append(one | {"began": began})
        began += one["seconds"]
    return found


def dry_run(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A dry run of these steps."""
    return {
        "verdict": "pass",
        "findings": [],
        "estimate_seconds": 3.0,
        "rollback_seconds": 2.0,
        "steps": list(steps),
        "errors": [],
        "way_back": {"equal": True, "differences": [], "unexplained": [], "unknown_because": ""},
        "irreversible": [],
        "database": {"name": "crm", "state": "clean"},
        "copy": None,
        "plan": {"name": "crm", "version": "1", "hash": "a" * 64},
    } | more


def lock(stops: str, seconds: float, **more: Any) -> dict[str, Any]:
    """A lock on deals."""
    return {
        "relation": "public.deals",
        "mode": "share",
        "stops": stops,
        "seconds": seconds,
        "rewrites": False,
        "scans": False,
        "rows_read": 0,
        "rows_changed": 0,
        "line": 1,
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
        "schema_version": SCHEMA_VERSION,
        "verdict": "pass" if outcome == "passed" else "fail",
        "points": 1,
        "fired": 1,
        "states": 1,
        "failed": int(outcome != "passed"),
        "unknown": 0,
        "seconds": 1.0,
        "failures": [] if outcome == "passed" else [row],
        "unknowns": [],
        "causes": [],
        "domains": {},
        "asked": {},
        "enumerated": {},
        "sample": {"struck": 1, "of": 1, "is_sample": False},
        "environment": {},
        "steps": ["(start)", "1.1/001_step", "(end)"],
        "rows": [row],
        "missing": [],
    }


def matrix(old: str = "denied", now: str = "denied", **more: Any) -> dict[str, Any]:
    """A security document: one role, one relation; what it may select before and now."""
    rest = {"insert": "denied", "update": "denied", "delete": "denied"}
    sides = {
        "before": {"anon": {"select": old, **rest}},
        "after": {"anon": {"select": now, **rest}},
    }
    relation = {
        "name": "public.deals",
        "kind": "table",
        "was": None,
        "new": False,
        **sides,
        "explained": {},
    } | more
    functions = [{"name": "public.f()", "before": {"anon": "denied"}, "after": {"anon": "allowed"}}]
    return {
        "verdict": "pass",
        "findings": [],
        "roles": ["anon"],
        "commands": ["select", "insert", "update", "delete"],
        "relations": [relation],
        "functions": functions,
    }


def live(**more: Any) -> dict[str, Any]:
    """A run under traffic of one step there and back, with one operation in each."""
    latency = {"n": 2, "p50": 1.0, "p99": 2.0, "longest": 2.0, "lag_p99": 0.5, "rate": 100.0}
    ways = ("forward", "rollback")
    span = {"step": "1.1/001_step", "kind": "transaction", "killed": False}
    moment = {"answered": 1, "refused": 0, "p50": 1.0, "longest": 2.0}
    counts = ("operations", "writes_acknowledged", "writes_refused", "writes_unknown", "at_work")
    return {
        "verdict": "pass",
        "history": {
            "verdict": "pass",
            "file": "evidence/live/history.jsonl",
            "elle": "evidence/live/elle.json",
            "counts": dict.fromkeys(counts, 2),
            "tables": ["public.deals"],
        },
        "victims": [],
        "latency": {"verdict": "unknown", "why": "too few operations", "control": latency},
        "findings": [],
        "unknowns": [],
        "steps": [
            span | {"direction": way, "seconds": 0.1, "operations": 60, "loaded": True}
            | {"refused": {}, "victims": 0, "waited_ms": 0.0}
            for way in ways
        ],
        "kills": [
            {"round": 1, "direction": way, "step": "1.1/001_step", "victim": "runner",
             "fired": True}
            for way in ways
        ],
        "rate": {"asked": 300.0, "borne": 300.0, "tried": [[300.0, 0.5]]},
        "role": "authenticated",
        "promised": True,
        "rounds": 1,
        "rows": 1000,
        "seed": 1,
        "max_wait_ms": 500.0,
        "plan": {"name": "crm", "version": "1", "hash": "a" * 64},
        "server": "Postgres 18 (embedded)",
        "seconds": 3.0,
        "series": {
            "width": 1.0,
            "moments": [{"at": float(place)} | moment for place in range(2)],
            "spans": [
                span | {"direction": way, "begun": float(place), "done": place + 0.1}
                for place, way in enumerate(ways)
            ],
        },
    } | more  # fmt: skip


def documents() -> dict[str, dict[str, Any]]:
    """Good evidence of every kind, by the stem of its file."""
    field = {"name": "stage", "before": "lead", "after": "new_lead", "right": True}
    sample = {"relation": "public.deals", "key": "7", "fields": [field], "right": True}
    steps = in_order(step(1, rows=100, locks=[lock("writes", 0.5)]), step(2), step(2, "rollback"))
    part = to_builtins(tally.make_part("things", ["a"], ["a"], False))
    return {
        "validate": VALIDATE,
        "dry_run": dry_run(*steps, estimate=ESTIMATE),
        "verify": VERIFY | {"samples": [sample]},
        "security": matrix(),
        **dict.fromkeys(COUNTED, part),
        "crash.forward": crash("forward"),
        "crash.rollback": crash("rollback"),
        "live": live(),
        "acceptance": ACCEPTANCE,
        "benchmark": BENCHMARK,
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
            Exhibit(name, "pass", counts=(EvidenceCount("things", 1, 1),))
            for name in list_required()
        ],
        "figures": {"rows": 1000, "tests": 3, "seconds": 12.0},
        "judged": JUDGED,
    }
    return Verdict(**(parts | changed))


def built(build: Path, planted: dict[str, Any] | None = None, **changed: Any) -> Path:
    """A build directory with a verdict, evidence and papers."""
    left(build / "evidence", **(planted or {}))
    (build / "verdict.json").write_text(to_text(verdict(**changed).document(), indent=2))
    papers.again(build)
    return build
