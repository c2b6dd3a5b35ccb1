"""After the migration: is the database what it must be, every row, rule and right of it?

Rows are compared with a source (a restored backup or a clone of before) when one is given, else
with what the database keeps of before: its backup columns and compatibility views. Check files
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

from harness.check import checkfile, samples, security, verify_file, verify_rows, verify_trial
from harness.check.checkfile import CheckFile
from harness.check.contract import reads
from harness.check.finding import Finding, Severity
from harness.check.judge import Judge, Result, reading
from harness.check.samples import Sample
from harness.check.security import Security
from harness.check.security_policy import SecurityPolicy
from harness.check.verify_rows import Compared
from harness.database import admin
from harness.plan import Plan

Verdict = Literal["pass", "fail", "unknown"]
Connection = psycopg.Connection[Any]
SHOWN = 5  # keys in a message; the evidence names more
CLEANED = "cleaned up"
"""The state of a database whose backups and compatibility surface were dropped on purpose."""
SETTINGS = {
    "search_path": "",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "row_security": "off",
    "lock_timeout": "5s",
}


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

    def document(self) -> dict[str, Any]:
        """As `--json` prints it and the report reads it."""
        return {
            "verdict": self.verdict,
            "source": self.source,
            "seed": self.seed,
            "checks": self.checks,
            "relations": [
                {
                    "relation": one.rows.relation,
                    "id": one.rows.id,
                    "expected": one.expected,
                    "rows": one.found,
                    "wrong": one.wrong,
                    "verdict": one.verdict,
                }
                for one in self.compared
            ],
            "security": self.security.verdict if self.security else "unknown",
            "findings": [dataclasses.asdict(finding) for finding in self.findings],
            "samples": [
                {**dataclasses.asdict(sample), "right": sample.right} for sample in self.samples
            ],
        }


@dataclass(frozen=True)
class Files:
    """Everything that a plan wants looked at, read before any database is touched."""

    checks: tuple[CheckFile, ...]
    rows: tuple[verify_file.Rows, ...]
    trials: tuple[verify_file.Trial, ...]
    policy: SecurityPolicy | None


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
    source: str | None = None,
    seed: int = 1,
    count: int | None = None,
    contract: Path | None = None,
) -> Verification:
    """Judge a database whose `state` the caller knows; only a migrated one can pass.

    With a source, `contract` names a directory whose reads are asked of both.
    """
    files = load(plan)
    if state != "migrated":
        return _not_migrated(state)
    wanted = plan.verify.samples if count is None else count
    findings: list[Finding] = []
    with ExitStack() as stack:
        target = stack.enter_context(_snapshot(dsn, plan))
        before = stack.enter_context(_snapshot(source, plan)) if source else target
        compared = tuple(
            verify_rows.compare(rows, before, target, plan.verify.keys) for rows in files.rows
        )
        drawn = samples.draw(compared, seed, wanted)
    with reading(dsn, timeout=plan.verify.timeout, name="verify") as conn:
        results = Judge(conn, plan.verify.keys).judge(files.checks)
    findings += [found for one in compared if (found := one.finding())]
    findings += [found for result in results if (found := _finding(result))]
    findings += _tried(dsn, files)
    if source and contract:
        findings += reads(source, dsn, contract)
    safe = security.judge(dsn, files.policy, before=source) if files.policy else None
    findings = list(_overridden(findings, plan))
    unknown = any(one.unknown for one in compared) or any(result.unknown for result in results)
    return Verification(
        verdict=_verdict(findings, unknown or _nothing(files), safe),
        findings=(*findings, *(safe.findings if safe else ())),
        samples=drawn,
        compared=compared,
        security=safe,
        source="given" if source else "kept",
        seed=seed,
        checks=len(files.checks) + len(files.trials),
    )


def _not_migrated(state: str) -> Verification:
    """What was never migrated cannot pass; what is foreign or cleaned up cannot be judged."""
    unknown = state in ("foreign", CLEANED)
    return Verification(
        "unknown" if unknown else "fail",
        (
            Finding(
                "verify.not_migrated",
                "critical",
                "database",
                f"the database is {state}; verify judges a migrated one",
                "name the migrated database, or run harness migrate first",
            ),
        ),
    )


@contextmanager
def _snapshot(dsn: str, plan: Plan) -> Iterator[Connection]:
    """A read-only snapshot under fixed settings, so that the text of a row is its own."""
    with admin.connection(dsn, application_name="harness verify") as conn:
        for name, value in SETTINGS.items():
            conn.execute("select pg_catalog.set_config(%s, %s, false)", [name, value])
        timeout = str(int(plan.verify.timeout * 1000))
        conn.execute("select pg_catalog.set_config('statement_timeout', %s, false)", [timeout])
        conn.execute("begin isolation level repeatable read read only")
        try:
            yield conn
        finally:
            if not conn.closed:
                conn.rollback()


def _tried(dsn: str, files: Files) -> list[Finding]:
    with admin.connection(dsn, application_name="harness verify") as conn:
        for name in ("search_path", "timezone", "lock_timeout"):
            conn.execute("select pg_catalog.set_config(%s, %s, false)", [name, SETTINGS[name]])
        found = [verify_trial.attempt(conn, trial) for trial in files.trials]
    return [finding for finding in found if finding]


def _finding(result: Result) -> Finding | None:
    check = result.check
    where = check.relation or "database"
    if result.unknown:
        message = f"not proven: {check.message}"
        return Finding(check.id, "warning", where, message, check.hint, result.unknown)
    if not result.count:
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


def _nothing(files: Files) -> bool:
    """A plan that has nothing looked at proves nothing."""
    return not (files.rows or files.checks or files.trials)


def _verdict(findings: list[Finding], unknown: bool, safe: Security | None) -> Verdict:
    critical: Severity = "critical"
    if any(finding.severity == critical for finding in findings):
        return "fail"
    if safe is not None and safe.verdict == "fail":
        return "fail"
    return "unknown" if unknown or safe is None or safe.verdict == "unknown" else "pass"
