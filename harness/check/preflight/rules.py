"""What of a server, a role and a disk stands in the way of a plan."""

from __future__ import annotations

from collections.abc import Iterator

from harness.check.preflight.server_facts import ServerFacts
from harness.core.finding import Finding, Severity
from harness.plan import Plan


def finding(
    name: str, severity: Severity, message: str, hint: str, evidence: list[str] | None = None
) -> Finding:
    """A finding of preflight, of the database as a whole."""
    return Finding(
        f"preflight.{name}", severity, "database", message, hint, "; ".join(evidence or [])
    )


def of_server(facts: ServerFacts, plan: Plan) -> Iterator[Finding]:
    """The server and what others do on it."""
    oldest, newest = plan.preflight.postgres
    if facts.postgres < oldest:
        yield finding(
            "postgres",
            "critical",
            f"the server is PostgreSQL {facts.postgres}; the plan needs {oldest}",
            "upgrade the server first",
        )
    elif facts.postgres > newest:
        yield finding(
            "postgres",
            "warning",
            f"the server is PostgreSQL {facts.postgres}; the plan was tried up to {newest}",
            "run the gate on this version, then raise postgres in [preflight]",
        )
    if facts.standby:
        yield finding("standby", "critical", "the server is a standby", "name the primary")
    if facts.read_only:
        yield finding(
            "read_only",
            "critical",
            "transactions are read-only by default here",
            "set default_transaction_read_only off for the role and the database",
        )
    if facts.no_triggers:
        yield finding(
            "no_triggers",
            "critical",
            "triggers and foreign keys do not fire here: session_replication_role is not origin",
            "take the setting away from the database, the role or the server",
        )
    listed: tuple[tuple[str, Severity, list[str] | None, str, str], ...] = (
        (
            "extensions",
            "critical",
            facts.missing_extensions,
            "an extension that the plan needs is not installed",
            "create extension …",
        ),
        (
            "prepared_transactions",
            "critical",
            facts.prepared,
            "prepared transactions keep their locks until somebody ends them",
            "commit prepared or rollback prepared",
        ),
        (
            "long_transactions",
            "warning",
            facts.long_transactions,
            "a transaction is open for long: concurrent indexes wait for its end",
            "end it before the window, or wait",
        ),
        (
            "replication_slots",
            "warning",
            facts.slots,
            "a replication slot keeps log for nobody, or carries this database's changes elsewhere",
            "drop what nobody reads; tell subscribers that relations are renamed",
        ),
        (
            "invalid_indexes",
            "warning",
            facts.invalid_indexes,
            "an index is invalid: it costs every write, answers nothing and guards nothing",
            "reindex index concurrently …, or drop it",
        ),
        (
            "unvalidated_constraints",
            "warning",
            facts.unvalidated,
            "a constraint is not validated: rows may break it",
            "alter table … validate constraint …",
        ),
    )
    for name, severity, found, message, hint in listed:
        if found:
            yield finding(name, severity, message, hint, found)
    if not facts.sees_activity:
        yield finding(
            "activity",
            "info",
            f"role {facts.role} cannot see the transactions of other roles",
            "grant pg_read_all_stats to it, or look as a superuser",
        )


def of_rights(facts: ServerFacts) -> Iterator[Finding]:
    """What the role may not do."""
    if not facts.may_create:
        yield finding(
            "create",
            "critical",
            f"role {facts.role} may not create schemas in this database",
            "run as the owner of the database, or be granted CREATE on it",
        )
    if facts.not_owned:
        yield finding(
            "ownership",
            "critical",
            f"role {facts.role} does not own tables that the plan alters",
            "run as the owner of the tables",
            facts.not_owned,
        )
    if facts.missing_roles:
        yield finding(
            "roles",
            "critical",
            "a role that the plan grants to does not exist",
            "create it; roles belong to the server, not to the database",
            facts.missing_roles,
        )


def of_disk(needed: int | None, free: int | None) -> Iterator[Finding]:
    """The room that is there against the room that is needed."""
    if needed is None:
        yield finding(
            "disk",
            "info",
            "the room that is needed cannot be estimated: somebody holds a lock on a table",
            "look again when the lock is gone",
        )
        return
    figures = f"about {_size(needed)} are needed for rows, indexes and log"
    if free is None:
        yield finding(
            "disk",
            "info",
            f"the server's disk cannot be seen from here; {figures}",
            "say what is free with --free-disk, such as 20GB",
        )
    elif free < needed:
        yield finding(
            "disk",
            "critical",
            f"{_size(free)} are free on the server's disk; {figures}",
            "make room, or the run will stop midway",
        )


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
