"""Validation of the source: every check file on one snapshot, and whether the rows may migrate.

Fail when a finding is critical, or when warnings stand on `warning_percent` and more of the rows of
a relation; unknown when a check could not be checked. A check that says `tolerate` counts as
information up to that share, since every real database has a few such rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.check import checkfile
from harness.check.checkfile import CheckFile
from harness.check.judge import CheckResult, CheckRunner, percent, reading
from harness.check.preflight.run import DatabaseStanding, PreflightResult, preflight
from harness.core.errors import UsageError
from harness.core.finding import Finding, Severity
from harness.core.progress import Tally
from harness.document.validate import (
    CheckedFinding,
    NotApplicableCheck,
    UnknownCheck,
    ValidateDocument,
    WarnedRelation,
)
from harness.plan import Plan, ValidateRules

Word = Literal["pass", "fail", "unknown"]
DIRECTORY = Path("checks") / "validate"


@dataclass(frozen=True)
class CheckFinding:
    """A finding with the figures of its check."""

    finding: Finding
    result: CheckResult | None = None

    def document(self) -> CheckedFinding:
        """As the document of a validation has it."""
        plain = dataclasses.asdict(self.finding)
        if self.result is None:
            return CheckedFinding(**plain)
        return CheckedFinding(
            **plain,
            verdict="unknown" if self.result.unknown else "fail",
            count=self.result.count,
            rows=self.result.rows,
            percent=self.result.percent,
            tolerated=self.result.tolerated,
            keys=self.result.keys,
            details=self.result.details,
            cleanup=self.result.check.cleanup,
        )


@dataclass(frozen=True)
class Warned:
    """A relation: its rows, and how many of them carry a warning."""

    name: str
    rows: int
    warned: int

    @property
    def percent(self) -> float:
        """The share of rows with warnings."""
        return percent(self.warned, self.rows) or 0.0


@dataclass(frozen=True)
class Validation:
    """What a validation found, and its verdict."""

    found: tuple[CheckFinding, ...]
    relations: tuple[Warned, ...]
    preflight: PreflightResult
    checks: tuple[CheckFile, ...]
    rules: ValidateRules
    unlooked: tuple[Finding, ...] = ()
    """Where no check was: nothing was looked at there, so nothing passes."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, the worst first."""
        return (*(found.finding for found in self.found), *self.unlooked)

    @property
    def warning_percent(self) -> float:
        """The highest share of rows with warnings among the relations."""
        return max((relation.percent for relation in self.relations), default=0.0)

    @property
    def verdict(self) -> Word:
        """Fail before unknown before pass."""
        known = [f.finding for f in self.found if f.result is None or not f.result.unknown]
        if any(finding.severity == "critical" for finding in known):
            return "fail"
        if any(_reached(relation, self.rules) for relation in self.relations):
            return "fail"
        return "unknown" if self.unlooked or len(known) < len(self.found) else "pass"

    def document(self) -> ValidateDocument:
        """As `--json` prints it and the report reads it."""
        return ValidateDocument(
            verdict=self.verdict,
            warning_percent=self.warning_percent,
            findings=[
                *(found.document() for found in self.found),
                *(
                    CheckedFinding(**dataclasses.asdict(one), verdict="unknown")
                    for one in self.unlooked
                ),
            ],
            unknowns=[
                UnknownCheck(check=one.id, where=one.where, reason=one.message, next=one.hint)
                for one in self._unknown()
            ],
            not_applicable=[
                NotApplicableCheck(check=f"validate.{part}", reason=reason)
                for part, reason in self.rules.without.items()
            ],
            relations=[
                WarnedRelation(**vars(relation), percent=relation.percent)
                for relation in self.relations
            ],
            thresholds={"warning_percent": self.rules.warning_percent},
            checks={check.id: check.sha256 for check in self.checks},
            preflight=self.preflight.document(),
        )

    def _unknown(self) -> list[Finding]:
        unjudged = [f.finding for f in self.found if f.result is not None and f.result.unknown]
        return [*unjudged, *self.unlooked]


def _reached(relation: Warned, rules: ValidateRules) -> bool:
    """Compared as whole numbers: a share that is rounded up to the threshold has not reached it."""
    return relation.warned > 0 and relation.warned * 100 >= rules.warning_percent * relation.rows


def checks_of(plan: Plan, more: Iterable[Path] = ()) -> tuple[CheckFile, ...]:
    """The plan's checks and those of other directories, with the severities the plan gives."""
    directories = [plan.root / DIRECTORY] if (plan.root / DIRECTORY).is_dir() else []
    loaded = [check for directory in (*directories, *more) for check in checkfile.load(directory)]
    checks = checkfile.distinct(loaded)
    severities = plan.validate.severity
    for unknown in sorted(set(severities) - {check.id for check in checks}):
        raise UsageError(
            f"[validate.severity] names a check that is not there: {unknown!r}",
            where=_line(plan.path, unknown),
        )
    kept = (check for check in checks if severities.get(check.id) != "off")
    return tuple(_weighed(check, severities.get(check.id)) for check in kept)


def _weighed(check: CheckFile, said: str | None) -> CheckFile:
    """The check with the severity that the plan gives it; then nothing is tolerated either."""
    for severity in checkfile.SEVERITIES:
        if said == severity:
            return dataclasses.replace(check, severity=severity, tolerate=0.0)
    return check


def _line(path: Path, text: str) -> str:
    lines = path.read_text("utf-8").splitlines()
    number = next((n for n, line in enumerate(lines, 1) if f'"{text}"' in line), 1)
    return f"{path}:{number}"


def validate(
    dsn: str,
    plan: Plan,
    standing: DatabaseStanding,
    *,
    more: Iterable[Path] = (),
    free_bytes: int | None = None,
    told: Iterable[Finding] = (),
) -> Validation:
    """Validate the rows of a database on which the plan has not begun; nothing is written.

    On any other database only preflight speaks, and says why. `told` are findings of who asks.
    """
    more = tuple(more)
    checks = checks_of(plan, more)
    seen = preflight(dsn, plan, standing, free_bytes=free_bytes)
    found = [CheckFinding(finding) for finding in (*seen.findings, *told)]
    relations: tuple[Warned, ...] = ()
    if standing.ready:
        results, relations = _judged(dsn, plan.validate, checks)
        found += [_found(result) for result in results if result.count or result.unknown]
    order = {name: place for place, name in enumerate(checkfile.SEVERITIES)}
    found.sort(key=lambda one: order[one.finding.severity])
    unlooked = tuple(_unlooked(plan, more, checks, relations)) if standing.ready else ()
    return Validation(tuple(found), relations, seen, checks, plan.validate, unlooked)


def _unlooked(
    plan: Plan, more: tuple[Path, ...], checks: tuple[CheckFile, ...], relations: tuple[Warned, ...]
) -> Iterator[Finding]:
    """Nothing that was looked at is nothing that is proven."""
    for directory in more:
        if not any(check.path.parent == directory for check in checks):
            yield Finding(
                "validate.nothing",
                "warning",
                str(directory),
                "the directory holds no check that is asked: nothing was looked at",
                "write check files there (one query in each .sql file), or leave --checks out",
            )
    if not checks and not more and "checks" not in plan.validate.without:
        yield Finding(
            "validate.nothing",
            "warning",
            str(plan.root / DIRECTORY),
            "no check: no row was looked at",
            "write checks/validate/*.sql, one query a file, or say in plan.toml why there is none:"
            " [validate.without] checks = 'REASON'",
        )
    if relations and not any(relation.rows for relation in relations):
        yield Finding(
            "validate.no_rows",
            "warning",
            "database",
            f"no row was looked at: all of {len(relations)} relations are empty",
            "name the database whose rows are to be migrated",
        )


def _judged(
    dsn: str, rules: ValidateRules, checks: tuple[CheckFile, ...]
) -> tuple[list[CheckResult], tuple[Warned, ...]]:
    with reading(dsn, timeout=rules.timeout, name="validate") as conn:
        judge = CheckRunner(conn, rules.keys)
        results = judge.judge(Tally(len(checks), "checks").each(checks))
        relations = tuple(
            Warned(name, rows, _warned(judge, name, results))
            for name, rows in judge.rows.items()
            if rows is not None
        )
    return results, relations


def _warned(judge: CheckRunner, relation: str, results: list[CheckResult]) -> int:
    """Rows with a warning, each once, however many checks warn of it."""
    warning = [
        result
        for result in results
        if result.check.relation == relation and result.count and severity_of(result) == "warning"
    ]
    if len(warning) < 2:
        return sum(result.count for result in warning)
    return judge.together(result.check for result in warning)


def severity_of(result: CheckResult) -> Severity:
    """What a check's finding counts as."""
    return "info" if result.tolerated and not result.unknown else result.check.severity


def _found(result: CheckResult) -> CheckFinding:
    check = result.check
    where = check.relation or "database"
    if result.unknown:
        message = f"{check.message}: could not be checked, {result.unknown}"
        hint = "correct what kept the query from running"
        return CheckFinding(Finding(check.id, check.severity, check.where, message, hint), result)
    of = f" of {result.rows:,} ({result.percent:g}%)" if result.percent is not None else ""
    hint = "; ".join(filter(None, (check.hint, _shown(check.cleanup))))
    return CheckFinding(
        Finding(
            id=check.id,
            severity=severity_of(result),
            where=where,
            message=f"{check.message}: {result.count:,}{of}",
            hint=hint,
            evidence=_evidence(result),
        ),
        result,
    )


def _shown(cleanup: str) -> str:
    return f"clean-up:\n{cleanup}" if cleanup else ""


def _evidence(result: CheckResult) -> str:
    if result.details and len(result.details) == len(result.keys):
        rows = [f"{key} ({text})" for key, text in zip(result.keys, result.details, strict=True)]
    else:
        rows = list(result.keys)
    more = f" and {result.count - len(rows):,} more" if result.count > len(rows) else ""
    return ", ".join(rows) + more
