"""The dry run: copy, forward, back, compare; then what to make of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import psycopg
from msgspec import UNSET

from harness import runner
from harness.core.direction import StepDirection
from harness.core.errors import HarnessError, Refused, StepFailed
from harness.core.finding import Finding
from harness.database import admin, fingerprint
from harness.database.fingerprint.taking import EXCLUDED
from harness.database.surroundings import Surroundings, compare_surroundings, surroundings
from harness.document.base import Word
from harness.document.dry_run import (
    CopyDocument,
    DatabaseDocument,
    DryRunDocument,
    LeftDocument,
    PlanDocument,
    WayBackDocument,
)
from harness.observe.eta_error import EtaErrors
from harness.plan import Plan, Script
from harness.runner.outcome import Event, OnEvent, RunOutcome, Stop, never, silent
from harness.runner.step_work import shortened
from harness.scenario.dry_run import commons, judge, look, squawk
from harness.scenario.dry_run.declared import Declared
from harness.scenario.dry_run.facts import facts
from harness.scenario.dry_run.habits import plan_findings
from harness.scenario.dry_run.model import Evidence, Ran, Trouble
from harness.scenario.dry_run.reach import Reach, reaches
from harness.scenario.dry_run.scratch import How, Scratch, Wish, scratch
from harness.scenario.dry_run.watch import RehearsalWatch

REASON: Final = "dry run on a scratch copy"
FROM_THE_START: Final = ("clean", "rolled-back")


@dataclass(frozen=True)
class DryRun:
    """What was done and seen, and what it comes to."""

    plan: PlanDocument
    database: str
    state: str
    copy: Scratch | None
    evidence: Evidence
    findings: tuple[Finding, ...]
    eta_error_percent: float | None = None

    @property
    def verdict(self) -> Word:
        """pass, fail or unknown."""
        return judge.verdict(self.findings, self.evidence)

    def document(self) -> DryRunDocument:
        """The dry run as `--json` prints it and `--save` keeps it."""
        runs = {run.direction: run for run in self.evidence.runs}
        done = {name: run for name, run in runs.items() if run.trouble is None}
        return DryRunDocument(
            verdict=self.verdict,
            findings=self.findings,
            estimate_seconds=round(done["forward"].seconds, 3) if "forward" in done else None,
            rollback_seconds=round(done["rollback"].seconds, 3) if "rollback" in done else None,
            steps=[step.document() for step in self.evidence.steps],
            errors=[run.trouble.document() for run in runs.values() if run.trouble],
            way_back=self._way_back(),
            irreversible=[LeftDocument(**vars(left)) for left in self.evidence.left],
            database=DatabaseDocument(name=self.database, state=self.state),
            copy=self._copy(),
            plan=self.plan,
            eta_error_percent=UNSET if self.eta_error_percent is None else self.eta_error_percent,
        )

    def _way_back(self) -> WayBackDocument:
        seen = self.evidence
        return WayBackDocument(
            equal=None if seen.differences is None else not seen.differences,
            differences=seen.differences or (),
            unexplained=seen.unexplained,
            unknown_because=seen.why_not,
        )

    def _copy(self) -> CopyDocument | None:
        if self.copy is None:
            return None
        told = {name: value for name, value in vars(self.copy).items() if name != "dsn"}
        return CopyDocument(**told)


def dry_run(
    dsn: str,
    plan: Plan,
    *,
    how: How = "auto",
    server: str = "auto",
    on_event: OnEvent | None = None,
    stop: Stop = never,
) -> DryRun:
    """Run the plan forward and back on a copy of the named database, which is only read.

    Raises Refused or InfrastructureError when no copy can be had; that the plan fails is a finding.
    """
    name = admin.dbname(dsn)
    status = runner.status(dsn, plan)
    if status.state == "foreign":
        finding = Finding(
            "dry-run.foreign",
            "critical",
            name,
            f"not a database for plan {plan.name!r}: {status.reason}",
            "name the right database",
        )
        nothing = Evidence((), None, "nothing ran")
        return DryRun(_named(plan), name, status.state, None, nothing, (finding,))
    with admin.connection(dsn) as conn:
        reach = reaches(plan, facts(conn))
    if reach is not None and reach.outward:
        return _not_rehearsed(plan, name, status.state, reach)
    wish = Wish(
        how=how,
        beyond=None if reach is None else str(reach),
        server=server,
        text="\n".join(one.text for script in scripts(plan) for one in script.statements),
    )
    before = commons.commons(dsn)
    errors = EtaErrors()

    def receive(event: Event) -> None:
        errors.receive(event)
        (on_event or silent)(event)

    with scratch(dsn, wish) as copy:
        evidence = _on(copy, plan, status.state, receive, stop)
    touched = commons.finding(name, before, commons.commons(dsn))
    if touched is not None:
        evidence = replace(evidence, notes=(*evidence.notes, touched))
    evidence = replace(evidence, notes=(*evidence.notes, *plan_findings(plan)))
    findings = judge.findings(evidence, plan.dry_run)
    return DryRun(
        _named(plan), name, status.state, copy, evidence, findings, errors.median_percent()
    )


def _named(plan: Plan) -> PlanDocument:
    return PlanDocument(name=plan.name, version=plan.version, hash=plan.hash)


def _not_rehearsed(plan: Plan, name: str, state: str, reach: Reach) -> DryRun:
    """What reaches other servers or files would do so from any copy: nothing is run."""
    why = f"the rehearsal would have an effect outside of any copy: it {reach.why}"
    finding = Finding(
        "dry-run.outside",
        "warning",
        reach.where or name,
        f"nothing was rehearsed: it {reach.why}",
        "try it by hand on a server whose neighbours do not count, or take it out of the plan",
    )
    return DryRun(_named(plan), name, state, None, Evidence((), None, why), (finding,))


def _on(copy: Scratch, plan: Plan, state: str, on_event: OnEvent, stop: Stop) -> Evidence:
    excluded = (*EXCLUDED, look.SCHEMA)
    with admin.connection(copy.dsn) as conn:
        look.install(conn)
    inside = look.instrumented(plan)
    notes = [other_server(copy)] if copy.elsewhere else []
    notes += [lacking(copy)] if copy.lacks else []

    def identity() -> fingerprint.Fingerprint:
        return fingerprint.take(copy.dsn, exclude_schemas=excluded, detail=True)

    before, around = identity(), _around(copy)
    with RehearsalWatch(copy.dsn, plan, on_event) as watch:
        declared = Declared(plan, identity, watch.receive)
        runs = [
            _run(
                watch,
                "forward",
                lambda: runner.migrate(
                    copy.dsn, inside, waive_backup=REASON, on_event=declared.receive, stop=stop
                ),
                plan,
                declared,
            ),
            _run(
                watch,
                "rollback",
                lambda: runner.rollback(
                    copy.dsn, inside, override_window=REASON, on_event=declared.receive, stop=stop
                ),
                plan,
                declared,
            ),
        ]
        if watch.sampling_error:
            notes.append(unseen(watch.sampling_error))
    differences, why_not = None, ""
    not_restored: tuple[str, ...] = ()
    if runs[1].trouble is not None:
        why_not = "the way back did not come to its end"
    elif state not in FROM_THE_START:
        why_not = f"the database is {state}: what it was before the migration is not in it"
    else:
        differences = tuple(str(one) for one in fingerprint.compare(before, identity()))
        # what a clone does not carry over is in no fingerprint
        not_restored = compare_surroundings(around, _around(copy))
        differences += not_restored
    if squawk.find_program() is None:
        notes.append(squawk.not_linted(plan))
    linted = tuple(replace(run, steps=squawk.linted(plan, run.steps)) for run in runs)
    return Evidence(
        linted, differences, why_not, tuple(notes), declared.left(), around=not_restored
    )


def _around(copy: Scratch) -> Surroundings:
    with admin.connection(copy.dsn) as conn:
        return surroundings(conn, conn.info.dbname)


def _run(
    watch: RehearsalWatch,
    direction: StepDirection,
    verb: Callable[[], RunOutcome],
    plan: Plan,
    declared: Declared,
) -> Ran:
    """Run one direction; that it fails by the plan's fault is part of the evidence."""
    first, overhead = len(watch.steps), watch.overhead + declared.spent
    watch.direction = direction
    trouble: Trouble | None = None
    seconds = 0.0
    try:
        seconds = verb().seconds
    except (StepFailed, Refused) as error:
        trouble = _trouble(error, direction, plan)
    watch.stopped()
    seconds = max(0.0, seconds - (watch.overhead + declared.spent - overhead))
    return Ran(direction, tuple(watch.steps[first:]), seconds, trouble)


def _trouble(error: HarnessError, direction: StepDirection, plan: Plan) -> Trouble:
    cause = error.__cause__
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    match = re.fullmatch(r"(.*):(\d+)", error.where or "")
    script = _script_at(plan, match[1]) if match else None
    statement, line = None, int(match[2]) if match else None
    if script is not None and line is not None:
        begun = [one for one in script.statements if one.line <= line]
        statement = shortened(begun[-1].text) if begun else None
    return Trouble(direction, error.message, error.where, error.hint, state, statement, line)


def scripts(plan: Plan) -> list[Script]:
    """Every script of every step, both ways."""
    return [script for step in plan.steps for script in (step.forward, step.rollback)]


def _script_at(plan: Plan, path: str) -> Script | None:
    return next((script for script in scripts(plan) if str(script.path) == path), None)


def other_server(copy: Scratch) -> Finding:
    """That the copy is on a server of our own, and why."""
    return Finding(
        "dry-run.other-server",
        "info",
        "the copy",
        f"it ran on a server of our own ({copy.server}): times and the estimate speak of that one",
        "",
        "\n".join(copy.passed_over),
    )


def lacking(copy: Scratch) -> Finding:
    """What the copy could not get of what stands around the database."""
    return Finding(
        "dry-run.copy-lacks",
        "info",
        "the copy",
        "it has not all that stands around the database",
        "a superuser may give it everything, and so may --clone elsewhere",
        "\n".join(copy.lacks),
    )


def unseen(reason: str) -> Finding:
    """That samples of locks are missing."""
    return Finding(
        "dry-run.unsampled",
        "warning",
        "pg_locks",
        f"locks of concurrent steps were not sampled to the end: {reason}",
        "run it again",
    )
