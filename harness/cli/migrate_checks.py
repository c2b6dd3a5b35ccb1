"""What `migrate` asks of this very database: its validation before, its verification after.

Where plan.toml says so: [validate] before, [verify] after. A verdict of the gate is about synthetic
rows; this is about the rows at hand.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError, Refused
from harness.core.quantity import duration

if TYPE_CHECKING:
    from harness.check.validate.run import Validation
    from harness.check.verify.run import Verification
    from harness.document.base import Word
    from harness.document.run import PriorValidationDocument
    from harness.document.verify import UnmadeDocument, VerifyDocument
    from harness.plan import Plan

STARTS = ("clean", "rolled-back")
NO_ROWS = "validate.no_rows"  # an empty database has nothing to lose
SHOWN = 3


@dataclass(frozen=True)
class PriorValidation:
    """What a validation before the run said; `waived` is the reason to go on all the same."""

    verdict: Word
    waived: str | None
    objections: tuple[str, ...]

    def document(self) -> PriorValidationDocument:
        """As JSON has it."""
        from harness.document.run import PriorValidationDocument

        return PriorValidationDocument(
            verdict=self.verdict, waived=self.waived, objections=self.objections
        )

    def lines(self) -> list[str]:
        """What a person reads: only a waiver is worth a line."""
        said = self.reason()
        return [f"  {said}"] if said else []

    def reason(self) -> str | None:
        """What the run's record says of a waiver, with what was waived."""
        if self.waived is None:
            return None
        return f"validation waived: {self.waived} ({self.verdict}: {_few(self.objections)})"


def read_checks(plan: Plan) -> None:
    """Read the files that will be asked: UsageError while nothing is touched yet."""
    from harness.check import verify
    from harness.check.validate.run import checks_of

    if plan.validate.before:
        checks_of(plan)
    if plan.verify.after:
        verify.load(plan)


def refuse_other_backup(dsn: str, plan: Plan, backup: Path | None) -> str | None:
    """What the run's record says of its backup; Refused when it is not of this database."""
    if backup is None:
        return None
    from harness import runner
    from harness.check.verify import source as verify_source

    begun = runner.status(dsn, plan).state not in STARTS
    verify_source.refuse_other(dsn, backup, begun=begun)
    return f"backup: {backup}"


def refuse_without_backup(dsn: str, plan: Plan, backup: Path | None, waiver: str | None) -> None:
    """Raise Refused when the plan wants a backup before a run starts, and there is none that fits.

    What was begun goes on; a backup that is too old is refused, a waiver's reason is recorded.
    """
    from harness import runner
    from harness.safety import manifest

    if not plan.backup.required or (waiver or "").strip():
        return
    if runner.status(dsn, plan).state not in STARTS:
        return
    take = "take one: harness backup --to DIR; or go on with --waive-backup REASON"
    if backup is None:
        raise Refused("the plan requires a backup before it starts", hint=f"{take}, then --backup")
    taken = datetime.fromisoformat(manifest.read(backup).created_at)
    age = (datetime.now(UTC) - taken).total_seconds()
    if plan.backup.max_age is not None and age > plan.backup.max_age:
        raise Refused(
            f"the backup is {duration(age)} old, and the plan allows"
            f" {duration(plan.backup.max_age)}",
            where=str(backup),
            hint=take,
        )
    if dumps := _dumps(dsn):
        raise Refused(
            f"a dump of this database is at work: server process {dumps[0]}",
            hint="its locks would make users wait behind the plan's: start when it is over",
        )


def _dumps(dsn: str) -> list[int]:
    """The server processes that dump this database now."""
    from harness.database import admin

    with admin.connection(dsn) as conn:
        rows = conn.execute(
            "SELECT pid FROM pg_catalog.pg_stat_activity WHERE application_name = 'pg_dump'"
            " AND datname = pg_catalog.current_database() ORDER BY pid"
        ).fetchall()
    return [pid for (pid,) in rows]


def refuse_unless_valid(dsn: str, plan: Plan, waiver: str | None) -> PriorValidation | None:
    """Validate the database when the plan wants it before and a run would start; else None.

    Raises Refused when it is not passed and no waiver is given. What was begun goes on.
    """
    from harness import runner
    from harness.check.preflight.run import DatabaseStanding
    from harness.check.validate.run import validate
    from harness.observe.progress import meter
    from harness.runner.rules import reason_given

    waiver = reason_given(waiver, "--waive-validation")
    if not plan.validate.before:
        return None
    status = runner.status(dsn, plan)
    if status.state not in STARTS:
        return None
    with meter("validate"):
        found = validate(
            dsn, plan, DatabaseStanding(status.state, status.reason, status.run, status.step)
        )
    objections = tuple(_objections(found))
    if not objections:
        return PriorValidation("pass", None, ())
    if waiver is None:
        raise Refused(
            f"validation of this database says {found.verdict}: {_few(objections)}",
            hint="see harness validate, correct what it names, or go on with --waive-validation"
            " REASON; nothing was changed",
        )
    return PriorValidation(found.verdict, waiver, objections)


def _objections(found: Validation) -> list[str]:
    """What stands against a start: findings that fail it, and what could not be judged."""
    lines = [
        f"{one.finding.id}: {one.finding.message}"
        for one in found.found
        if one.finding.severity == "critical" or (one.result is not None and one.result.unknown)
    ]
    lines += [f"{one.id}: {one.message}" for one in found.unlooked if one.id != NO_ROWS]
    if found.verdict == "fail" and not lines:
        lines.append(f"{found.warning_percent:g}% of a relation's rows have warnings")
    return lines


def _few(lines: tuple[str, ...]) -> str:
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more


def verify_after(dsn: str, plan: Plan, backup: Path | None) -> Verification | HarnessError:
    """The verification of a database that was just migrated; the error that kept it from it.

    With a backup its rows are the source. Without one, what needs a source is unknown.
    """
    from harness.check.verify import source as verify_source
    from harness.check.verify.run import verify
    from harness.observe.progress import meter

    try:
        source = verify_source.restored(dsn, backup) if backup else nullcontext(None)
        with meter("verify"), source as before:
            return verify(dsn, plan, state="migrated", source=before)
    except HarnessError as error:
        return error


def verification_document(
    found: Verification | HarnessError,
) -> VerifyDocument | UnmadeDocument:
    """The key `verify` of the outcome; one that could not be made is unknown."""
    from harness.document.verify import UnmadeDocument

    if isinstance(found, HarnessError):
        return UnmadeDocument(verdict="unknown", reason=str(found), next="harness verify")
    return found.document()


def verification_lines(found: Verification | HarnessError, plan: Plan) -> list[str]:
    """What a person reads of it: the verdict, what is wrong, what is unknown and what next."""
    if isinstance(found, HarnessError):
        return [f"verify: unknown: {found}; next: harness verify"]
    bad = [one for one in found.findings if one.severity == "critical"]
    lines = [f"verify: {found.verdict}; {found.checks} checks, {len(bad)} critical findings"]
    lines += [f"  {one.severity}: {one.where}: {one.message} [{one.id}]" for one in bad]
    if found.verdict == "fail":
        lines.append(
            "the database stays migrated; next: harness verify shows all of it, harness rollback"
            f" goes back within {plan.window_hours:g} hours"
        )
    elif found.unknowns:
        count, first = len(found.unknowns), found.unknowns[0]
        lines.append(f"  unknown: {count} checks: {first.reason}; next: {first.next}")
    return lines
