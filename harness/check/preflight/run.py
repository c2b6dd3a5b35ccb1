"""Preflight: may this plan start on this database, on this server, as this role, now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from harness.check.judge import reading
from harness.check.preflight import server_facts, surroundings
from harness.check.preflight.blind import blind_signals
from harness.check.preflight.rules import finding, of_disk, of_rights, of_server
from harness.check.preflight.server_facts import Recorded, ServerFacts
from harness.core.finding import Finding
from harness.plan import Plan

READY = ("clean", "rolled-back")
GROWTH = 8.0  # new files and log, per byte of the relations that steps write whole


@dataclass(frozen=True)
class DatabaseStanding:
    """Where the runner's ledger says that the database stands; the caller asks the runner."""

    state: str
    reason: str | None = None
    run: int | None = None
    step: str | None = None

    @property
    def ready(self) -> bool:
        """Whether a run may begin, so that the rows are those of the source."""
        return self.state in READY


@dataclass(frozen=True)
class PreflightResult:
    """What was seen, and what of it is a finding."""

    standing: DatabaseStanding
    facts: ServerFacts
    findings: tuple[Finding, ...]
    needed_bytes: int | None
    free_bytes: int | None

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        facts = asdict(self.facts)
        for private in ("data_directory", "started"):
            facts.pop(private)
        return {
            **asdict(self.standing),
            "ready": self.standing.ready
            and not any(one.severity == "critical" for one in self.findings),
            "needed_bytes": self.needed_bytes,
            "free_bytes": self.free_bytes,
            **facts,
        }


def preflight(
    dsn: str, plan: Plan, standing: DatabaseStanding, *, free_bytes: int | None = None
) -> PreflightResult:
    """Look, and judge what was seen; `free_bytes` says what this machine cannot see."""
    with reading(dsn, timeout=60, name="preflight") as conn:
        facts = server_facts.look(conn, plan)
        run = server_facts.recorded(conn) if facts.has_ledger else None
        size = server_facts.touched_bytes(conn, plan)
        around = _around(conn, plan, standing, has_ledger=facts.has_ledger)
        blind = blind_signals(conn, plan) if standing.ready else ()
    free = facts.free_bytes() if free_bytes is None else free_bytes
    needed = None if size is None else int(size * GROWTH)
    findings = (
        *_of_standing(standing),
        *_of_plan(plan, standing, run),
        *of_server(facts, plan),
        *of_rights(facts),
        *of_disk(needed, free),
        *around,
        *blind,
    )
    return PreflightResult(standing, facts, findings, needed, free)


def _around(
    conn: psycopg.Connection[Any], plan: Plan, standing: DatabaseStanding, *, has_ledger: bool
) -> tuple[Finding, ...]:
    """What this database has besides what the plan knows; asked before a run begins."""
    if not standing.ready:
        return ()
    remarks, collations = surroundings.look(conn, plan, has_ledger=has_ledger)
    return tuple(surroundings.findings(remarks, collations, plan.validate.tolerates))


def _of_standing(standing: DatabaseStanding) -> Iterator[Finding]:
    where = f", at step {standing.step}" if standing.step else ""
    said = {
        "partial": (
            f"the database is partly migrated (run {standing.run}{where})",
            "`harness migrate` goes on, `harness rollback` goes back; validate before a run begins",
        ),
        "rolling-back": (
            f"a rollback is under way (run {standing.run}{where})",
            "`harness rollback` finishes it",
        ),
        "migrated": (
            f"the database is migrated already (run {standing.run})",
            "`harness verify` judges a migrated database",
        ),
        "foreign": (
            f"not a database for this plan: {standing.reason}",
            "name the right database, or run `harness baseline` on an empty one",
        ),
    }
    if not standing.ready:
        message, hint = said.get(
            standing.state, (f"the database is {standing.state}", "look at `harness status`")
        )
        yield finding(standing.state.replace("-", "_"), "critical", message, hint)


def _of_plan(plan: Plan, standing: DatabaseStanding, known: Recorded | None) -> Iterator[Finding]:
    """An older plan, a newer one, an edited one, another one: each by its own id."""
    if known is None or standing.state in READY:
        return  # after a whole rollback the plan starts over, as it is now
    run = known.run
    if run.plan != plan.name:
        yield finding(
            "plan.other",
            "critical",
            f"the database was migrated by plan {run.plan!r}, not {plan.name!r}",
            "give the plan that was run with --plan",
        )
        return
    here, there = _ordered(plan.version), _ordered(run.plan_version)
    changed = sorted(
        path
        for path in {*plan.files, *known.files}
        if plan.files.get(path) != known.files.get(path)
    )
    if here != there:
        age = "older" if here < there else "newer"
        yield finding(
            f"plan.{age}",
            "critical",
            f"this plan, version {plan.version!r}, is {age} than the {run.plan_version!r} of run"
            f" {run.id}",
            "use the plan of that run, or roll back with it first",
            changed[:20],
        )
    elif changed:
        yield finding(
            "plan.edited",
            "critical",
            f"the plan changed since run {run.id} began: {len(changed)} files",
            "put the files back as they were",
            changed[:20],
        )


def _ordered(version: str) -> list[tuple[int, int, str]]:
    """A version that sorts as people read it: 1.10 after 1.9."""
    parts = re.findall(r"\d+|[a-z]+", version.lower())
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]
