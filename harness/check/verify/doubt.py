"""What a verification could not prove, and what it did not have to: both are said by name."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from harness.check.contract import file as contract_file
from harness.core.finding import Finding

if TYPE_CHECKING:
    from harness.check.security.run import Security
    from harness.check.verify.rows import Compared

Connection = psycopg.Connection[Any]
CLEANED = "cleaned up"
"""The state of a database whose backups and compatibility surface were dropped on purpose."""

GIVE_SOURCE: Final = (
    "harness verify --source DSN|BACKUP: the database as it was, or a directory of harness backup"
)
ITSELF: Final = "without a source the database is compared with itself"


@dataclass(frozen=True)
class Unknown:
    """A check that proves nothing: why, and what to do so that it does."""

    check: str
    where: str
    reason: str
    next: str
    message: str = ""

    def finding(self) -> Finding:
        """As a finding: a warning, for unknown is not pass."""
        text = f"not proven: {self.message}" if self.message else self.reason
        evidence = self.reason if self.message else ""
        return Finding(self.check, "warning", self.where, text, self.next, evidence)


@dataclass(frozen=True)
class NotApplicable:
    """A part that this database or this plan does not have, and says so."""

    check: str
    reason: str


def of_rows(compared: tuple[Compared, ...], *, source: bool) -> Iterator[Unknown]:
    """Comparisons that prove nothing: not made, of the database with itself, or of no row."""
    for one in compared:
        if one.wrong:
            continue  # itself or not: what differs is wrong
        rows = one.rows
        if one.unknown:
            yield Unknown(rows.id, rows.relation, one.unknown, GIVE_SOURCE, rows.message)
        elif not source:
            yield Unknown(rows.id, rows.relation, ITSELF, GIVE_SOURCE, rows.message)
    if compared and not any(one.expected or one.found or one.unknown for one in compared):
        yield Unknown(
            "verify.rows",
            "database",
            f"no row was looked at: all of {len(compared)} relations are empty",
            "verify a database with rows; the plan does not show on an empty one",
        )


def of_parts(
    present: dict[str, bool], declared: dict[str, str]
) -> Iterator[Unknown | NotApplicable]:
    """Parts of a verification that the plan does not have; declared ones are not applicable."""
    told = {
        "rows": (
            "no file says what rows must have become: no row was looked at",
            "write checks/verify/rows/*.sql: what the rows must be, then what they are",
        ),
        "rules": (
            "no check and no trial: no rule of the migrated database was looked at",
            "write checks/verify/*.sql (what must not be found) and checks/verify/trials/*.sql",
        ),
        "security": (
            "no security.toml: nobody looked who may read and write what",
            "write checks/security.toml: the roles, and what each may reach",
        ),
    }
    for part, there in present.items():
        if there:
            continue
        if part in declared:
            yield NotApplicable(f"verify.{part}", declared[part])
        else:
            reason, following = told[part]
            hint = f"{following}; or say why there is none: [verify.without] {part} = 'REASON'"
            yield Unknown(f"verify.{part}", "plan", reason, hint)


def of_source(before: Connection, target: Connection, state: str | None) -> Iterator[Unknown]:
    """Why what was given is no source: it is the same database, or was migrated itself."""
    # a lock of this one database: taken here, it cannot be had there if both are one
    key = secrets.randbits(62)
    lock = "select pg_catalog.pg_try_advisory_xact_lock(%s)"
    target.execute(lock, [key])
    if not before.execute(lock, [key]).fetchall()[0][0]:
        reason = "the source is the database itself: nothing of before is in it"
        yield Unknown("verify.source", "source", reason, GIVE_SOURCE)
    elif state not in (None, "clean", "rolled-back"):
        reason = f"the source is {state} itself: it is not the database as it was before"
        yield Unknown("verify.source", "source", reason, GIVE_SOURCE)


def of_contract(directory: Path, state: str) -> Unknown | NotApplicable | None:
    """Why the reads of a contract are not asked; None when they are."""
    if not contract_file.load(directory, "read"):
        reason = f"{directory} holds no read: no old client was asked"
        return Unknown(
            "verify.contract",
            "contract",
            reason,
            "write read/*.sql, a query of an old client in each",
        )
    if state == CLEANED:
        return NotApplicable("verify.contract", "the clean-up dropped what old clients ask")
    return None


def of_security(safe: Security | None, source: str | None) -> Iterator[Unknown]:
    """What of security is not known: changes without a source, and what could not be tried."""
    if safe is None:
        return
    if source is None:
        reason = "without a source nobody knows which access was gained or lost"
        yield Unknown("verify.security.changes", "database", reason, GIVE_SOURCE)
    if safe.verdict == "unknown":
        reason = "security: what is named above could not be tried"
        hint = "connect as a superuser, and give relations a row in [specimens]"
        yield Unknown("verify.security", "database", reason, hint)
