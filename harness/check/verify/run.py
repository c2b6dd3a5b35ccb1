"""After the migration: is the database what it must be, every row, rule and right of it?

Rows are compared with a source, a restored backup or a clone of before. Without one the database is
compared with itself: what differs is wrong all the same, and what agrees is unknown. Check files
read; trials and security attempts write and are taken back. Nothing stays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg

from harness.check import checkfile, security
from harness.check.checkfile import CheckFile
from harness.check.contract.run import reads
from harness.check.judge import CheckResult, CheckRunner, reading
from harness.check.security.policy import SecurityPolicy
from harness.check.security.run import Security
from harness.check.verify import file as verify_file
from harness.check.verify import rows as verify_rows
from harness.check.verify import samples
from harness.check.verify import trial as verify_trial
from harness.check.verify.doubt import (
    CLEANED,
    NotApplicable,
    Unknown,
    of_contract,
    of_parts,
    of_rows,
    of_security,
    of_source,
)
from harness.check.verify.lane import beside
from harness.check.verify.rows import Compared
from harness.check.verify.samples import Sample
from harness.core import progress
from harness.core.finding import Finding, Severity
from harness.core.progress import Tally
from harness.database import admin, pinned
from harness.document.verify import (
    NotApplicableDocument,
    RelationDocument,
    UnknownDocument,
    VerifyDocument,
)
from harness.plan import Plan

Verdict = Literal["pass", "fail", "unknown"]
Connection = psycopg.Connection[Any]
SHOWN = 5  # keys in a message; the evidence names more
LOCK_TIMEOUT = "5s"


@dataclass(frozen=True)
class Verification:
    """What was found. `findings` includes those of security."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    samples: tuple[Sample, ...] = ()
    compared: tuple[Compared, ...] = ()
    security: Security | None = None
    source: Literal["given", "kept"] = "kept"
    seed: int = 1
    checks: int = 0
    state: str = "migrated"
    unknowns: tuple[Unknown, ...] = ()
    not_applicable: tuple[NotApplicable, ...] = ()

    def document(self) -> VerifyDocument:
        """As `--json` prints it and the report reads it."""
        return VerifyDocument(
            verdict=self.verdict,
            state=self.state,
            source=self.source,
            seed=self.seed,
            checks=self.checks,
            relations=[
                RelationDocument(
                    relation=one.rows.relation,
                    id=one.rows.id,
                    expected=one.expected,
                    rows=one.found,
                    wrong=one.wrong,
                    verdict=one.verdict,
                )
                for one in self.compared
            ],
            security=self._security(),
            unknowns=[UnknownDocument(**vars(one)) for one in self.unknowns],
            not_applicable=[NotApplicableDocument(**vars(one)) for one in self.not_applicable],
            findings=self.findings,
            samples=[sample.document() for sample in self.samples],
        )

    def _security(self) -> str:
        if self.security is not None:
            return self.security.verdict
        declared = {one.check for one in self.not_applicable}
        return "not applicable" if "verify.security" in declared else "unknown"


@dataclass(frozen=True)
class Files:
    """Everything that a plan wants looked at, read before any database is touched."""

    checks: tuple[CheckFile, ...]
    rows: tuple[verify_file.ComparedRows, ...]
    trials: tuple[verify_file.Trial, ...]
    policy: SecurityPolicy | None

    def tally(self) -> Tally:
        """Counts the files as they are asked, and the security after them."""
        return Tally(len(self.rows) + len(self.checks) + len(self.trials) + 1, "checks")

    def asked(self, plan: Plan, state: str) -> tuple[Files, tuple[NotApplicable, ...]]:
        """The files that can be asked in this state, and what is left out, with the reason."""
        left: dict[str, str] = {}
        every: tuple[CheckFile | verify_file.ComparedRows | verify_file.Trial, ...]
        every = (*self.checks, *self.rows, *self.trials)
        for file in every:
            if plan.verify.severity.get(file.id) == "off":
                left[file.id] = "switched off in [verify.severity]"
            elif state == CLEANED and file.until_cleanup:
                left[file.id] = "the clean-up dropped what it asks"
        kept = Files(
            tuple(file for file in self.checks if file.id not in left),
            tuple(file for file in self.rows if file.id not in left),
            tuple(file for file in self.trials if file.id not in left),
            self.policy.cleaned_up() if self.policy and state == CLEANED else self.policy,
        )
        return kept, tuple(NotApplicable(*entry) for entry in left.items())


def load(plan: Plan) -> Files:
    """Read the files beside a plan; UsageError with file, line and reason."""
    root = plan.root / "checks" / "verify"
    policy = root.parent / "security.toml"
    return Files(
        checks=checkfile.load(root) if root.is_dir() else (),
        rows=verify_file.rows(root / "rows"),
        trials=verify_file.trials(root / "trials"),
        policy=security.policy_of(plan.root) if policy.is_file() else None,
    )


def verify(
    dsn: str,
    plan: Plan,
    *,
    state: str,
    reason: str | None = None,
    source: str | None = None,
    source_state: str | None = None,
    seed: int = 1,
    count: int | None = None,
    contract: Path | None = None,
) -> Verification:
    """Judge a database whose `state` the caller knows; only a migrated one can pass.

    With a source, `contract` names a directory whose reads are asked of both, and `source_state`
    says what the ledger there says: a source that is migrated itself proves nothing.
    """
    files = load(plan)
    if state not in ("migrated", CLEANED):
        return _not_migrated(state, reason)
    asked, left = files.asked(plan, state)
    progress.stage("")  # the source may have been restored before
    tally = asked.tally()
    doubts: list[Unknown] = []
    with ExitStack() as stack:
        target = stack.enter_context(_snapshot(dsn, plan))
        before = stack.enter_context(_snapshot(source, plan)) if source else target
        doubts += of_source(before, target, source_state) if source else ()
        if doubts:
            source, before = None, target
        reader = stack.enter_context(reading(dsn, timeout=plan.verify.timeout, name="verify"))
        judge = CheckRunner(reader, plan.verify.keys).judge
        results = stack.enter_context(beside(reader, lambda: judge(tally.each(asked.checks))))
        compared = tuple(
            verify_rows.compare(rows, before, target, plan.verify.keys)
            for rows in tally.each(asked.rows)
        )
        drawn = samples.draw(compared, seed, plan.verify.samples if count is None else count)
        found = _judged(results.result())
    _try(dsn, asked.trials, tally, found)
    findings = [one for each in compared if (one := each.finding())] + found.findings
    parts = _parts(plan, files, contract, state, count)
    if source and contract and not any(one.check == "verify.contract" for one in parts):
        findings += reads(source, dsn, contract)
    tally.begin("security")
    safe = security.judge(dsn, asked.policy, before=source) if asked.policy else None
    doubts += [*of_rows(compared, source=source is not None), *found.unknowns]
    doubts += of_security(safe, source)
    doubts += [one for one in parts if isinstance(one, Unknown)]
    left += tuple(one for one in parts if isinstance(one, NotApplicable))
    findings = list(_overridden(findings, plan))
    return Verification(
        verdict=_verdict(findings, bool(doubts), safe),
        findings=(
            *findings,
            *(safe.findings if safe else ()),
            *(doubt.finding() for doubt in doubts),
        ),
        samples=drawn,
        compared=compared,
        security=safe,
        source="given" if source else "kept",
        seed=seed,
        checks=len(asked.checks) + len(asked.trials),
        state=state,
        unknowns=tuple(doubts),
        not_applicable=left,
    )


def _parts(
    plan: Plan, files: Files, contract: Path | None, state: str, count: int | None
) -> tuple[Unknown | NotApplicable, ...]:
    """What is not looked at: unknown unless somebody says that it is not there, or not wanted."""
    parts = list(of_parts(_present(files), plan.verify.without))
    if contract is not None and (none := of_contract(contract, state)):
        parts.append(none)
    if count == 0:
        parts.append(NotApplicable("verify.samples", "none was asked for: --samples 0"))
    return tuple(parts)


def _present(files: Files) -> dict[str, bool]:
    return {
        "rows": bool(files.rows),
        "rules": bool(files.checks or files.trials),
        "security": files.policy is not None,
    }


def _not_migrated(state: str, why: str | None) -> Verification:
    """What was never migrated cannot pass; what is foreign cannot be judged."""
    unknown = state == "foreign"
    because = f" ({why})" if why else ""
    reason = f"the database is {state}{because}; verify judges a migrated one"
    hint = "name the migrated database, or run harness migrate first"
    return Verification(
        "unknown" if unknown else "fail",
        (Finding("verify.not_migrated", "critical", "database", reason, hint),),
        state=state,
        unknowns=(Unknown("verify", "database", reason, hint),) if unknown else (),
    )


@contextmanager
def _snapshot(dsn: str, plan: Plan) -> Iterator[Connection]:
    """A read-only snapshot under fixed settings, so that the text of a row is its own."""
    with admin.connection(dsn, application_name="harness verify") as conn:
        timeout = str(int(plan.verify.timeout * 1000))
        pinned.pin(conn, lock_timeout=LOCK_TIMEOUT, statement_timeout=timeout)
        conn.execute("begin isolation level repeatable read read only")
        try:
            yield conn
        finally:
            if not conn.closed:
                conn.rollback()


@dataclass(frozen=True)
class _Judged:
    findings: list[Finding]
    unknowns: list[Unknown]


def _judged(results: list[CheckResult]) -> _Judged:
    """What the check files say."""
    return _Judged(
        [one for result in results if (one := _finding(result))],
        [_unjudged(result) for result in results if result.unknown],
    )


def _try(dsn: str, trials: tuple[verify_file.Trial, ...], tally: Tally, found: _Judged) -> None:
    """Make the trials, when nobody reads any more, and add what they say."""
    with admin.connection(dsn, application_name="harness verify") as conn:
        pinned.pin(conn, lock_timeout=LOCK_TIMEOUT, row_security="on")
        for trial in tally.each(trials):
            ended = verify_trial.attempt(conn, trial)
            if isinstance(ended, Unknown):
                found.unknowns.append(ended)
            elif ended is not None:
                found.findings.append(ended)


def _unjudged(result: CheckResult) -> Unknown:
    check, reason = result.check, result.unknown or ""
    return Unknown(check.id, check.relation or "database", reason, check.hint, check.message)


def _finding(result: CheckResult) -> Finding | None:
    check = result.check
    where = check.relation or "database"
    if result.unknown or not result.count:
        return None
    keys = ", ".join(result.keys[:SHOWN])
    lines = result.keys
    if len(result.details) == len(result.keys):
        lines = tuple(map(": ".join, zip(result.keys, result.details, strict=True)))
    evidence = "\n".join(lines)
    message = f"{check.message}: {result.count:,}, such as {keys}"
    return Finding(check.id, check.severity, where, message, check.hint, evidence)


def _overridden(findings: list[Finding], plan: Plan) -> Iterator[Finding]:
    """The plan's [verify.severity] has the last word; `off` leaves a finding out."""
    for finding in findings:
        severity: Any = plan.verify.severity.get(finding.id, finding.severity)
        if severity != "off":
            yield dataclasses.replace(finding, severity=severity)


def _verdict(findings: list[Finding], unknown: bool, safe: Security | None) -> Verdict:
    critical: Severity = "critical"
    if any(finding.severity == critical for finding in findings):
        return "fail"
    if safe is not None and safe.verdict == "fail":
        return "fail"
    return "unknown" if unknown else "pass"
