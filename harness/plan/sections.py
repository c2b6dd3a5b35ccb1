"""Read the sections of plan.toml that judges follow: strict, with ranges, with lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.plan.reader import Reader
from harness.plan.rules import (
    BackupRules,
    DrainRules,
    DryRunRules,
    MaintenanceRules,
    RequireVerdict,
    ValidateRules,
    VerifyRules,
)

JUDGES = ("validate", "verify", "dry_run")
ACTIONS = ("refuse", "cancel", "terminate")
SEVERITIES = ("critical", "warning", "info", "off")
DAY = 86_400.0
# The parts that a plan may say it does not have, and where they would stand.
VALIDATED = {"checks": "checks/validate"}
VERIFIED = {
    "rows": "checks/verify/rows",
    "rules": "checks/verify",
    "security": "checks/security.toml",
}


def validate_rules(reader: Reader, document: dict[str, Any]) -> ValidateRules:
    """[validate]."""
    name = "validate"
    table = reader.table(
        document,
        name,
        {"warning_percent", "keys", "timeout", "severity", "before", "without", "tolerates"},
    )
    return ValidateRules(
        warning_percent=reader.within(table, "warning_percent", 1.0, name, 100),
        keys=reader.whole(table, "keys", 20, name),
        timeout=_positive(reader, table, "timeout", 300.0, name),
        severity=_severity(reader, table, name),
        before=reader.flag(table, "before", name),
        without=_without(reader, table, name, VALIDATED),
        tolerates=_reasons(reader, table, name, "tolerates"),
    )


def verify_rules(reader: Reader, document: dict[str, Any]) -> VerifyRules:
    """[verify]."""
    name = "verify"
    known = {"samples", "keys", "timeout", "severity", "after", "without"}
    table = reader.table(document, name, known)
    return VerifyRules(
        samples=reader.whole(table, "samples", 100, name),
        keys=reader.whole(table, "keys", 20, name),
        timeout=_positive(reader, table, "timeout", 300.0, name),
        severity=_severity(reader, table, name),
        after=reader.flag(table, "after", name),
        without=_without(reader, table, name, VERIFIED),
    )


def dry_run_rules(reader: Reader, document: dict[str, Any]) -> DryRunRules:
    """[dry_run]."""
    name = "dry_run"
    table = reader.table(
        document, name, {"estimate_percent", "max_lock", "sample", "small_rows", "local"}
    )
    return DryRunRules(
        estimate_percent=reader.within(table, "estimate_percent", 50.0, name, 1000),
        max_lock=_positive(reader, table, "max_lock", 2.0, name),
        sample=_positive(reader, table, "sample", 0.01, name),
        small_rows=reader.whole(table, "small_rows", 1000, name),
        local=reader.texts(table, "local", name),
    )


def maintenance_rules(reader: Reader, document: dict[str, Any]) -> MaintenanceRules:
    """[maintenance]."""
    name, usual = "maintenance", MaintenanceRules()
    table = reader.table(document, name, {"max_lease", "lease", "wait", "action", "roles"})
    action = table.get("action", usual.action)
    if action not in ACTIONS:
        raise UsageError(
            f"action is one of {', '.join(ACTIONS)}, not {action!r}",
            where=reader.where("action", name),
        )
    return MaintenanceRules(
        max_lease=_positive(reader, table, "max_lease", usual.max_lease, name),
        lease=_positive(reader, table, "lease", usual.lease, name),
        wait=_positive(reader, table, "wait", usual.wait, name),
        action=action,
        roles=reader.texts(table, "roles", name),
    )


def backup_rules(reader: Reader, document: dict[str, Any]) -> BackupRules:
    """[backup]."""
    name = "backup"
    table = reader.table(document, name, {"required", "max_age"})
    age = _positive(reader, table, "max_age", DAY, name) if "max_age" in table else None
    return BackupRules(reader.flag(table, "required", name), age)


def drain_rules(reader: Reader, document: dict[str, Any]) -> DrainRules | None:
    """[drain], or None when the plan ends nobody's sessions."""
    name, usual = "drain", DrainRules()
    if name not in document:
        return None
    table = reader.table(document, name, {"wait", "cancel", "terminate", "pgbouncer", "pause"})
    return DrainRules(
        wait=_positive(reader, table, "wait", usual.wait, name),
        cancel=_positive(reader, table, "cancel", usual.cancel, name),
        terminate=_positive(reader, table, "terminate", usual.terminate, name),
        pgbouncer=_pooled(reader, table, name),
        pause=_positive(reader, table, "pause", usual.pause, name),
    )


def _pooled(reader: Reader, table: dict[str, Any], name: str) -> tuple[str, ...]:
    """[drain] pgbouncer: databases as PgBouncer names them; `pgbouncer` is its console."""
    names = reader.texts(table, "pgbouncer", name)
    if "pgbouncer" in names or len(set(names)) < len(names):
        raise UsageError(
            "pgbouncer lists databases of PgBouncer, each once; its console is none of them",
            where=reader.where("pgbouncer", name),
        )
    return names


def require_verdict(reader: Reader, document: dict[str, Any]) -> RequireVerdict | None:
    """[require_verdict], or None when the plan asks for no verdict."""
    name = "require_verdict"
    if name not in document:
        return None
    table = reader.table(document, name, {"file", "max_age_hours"})
    file = Path(reader.text(table, "file", name))
    age = None
    if "max_age_hours" in table:
        age = reader.within(table, "max_age_hours", 0, name, 10 * 365 * 24)
    return RequireVerdict(file if file.is_absolute() else reader.path.parent / file, age)


def _positive(reader: Reader, table: dict[str, Any], key: str, default: float, name: str) -> float:
    value = reader.time(table, key, default, name)
    if not 0 < value <= DAY:
        raise UsageError(
            f"{key} is above 0 and at most a day, not {table[key]!r}",
            where=reader.where(key, name),
        )
    return value


def _without(
    reader: Reader, table: dict[str, Any], name: str, parts: dict[str, str]
) -> dict[str, str]:
    """[validate.without], [verify.without]: parts that the plan does not have, and why."""
    values = _reasons(reader, table, name, "without")
    section = f"{name}.without"
    reader.only(values, set(parts), section)
    for part in values:
        where = reader.where(part, section)
        place = reader.path.parent / parts[part]
        files = [place] if place.is_file() else sorted(place.glob("*.sql"))
        if part == "rules":
            files += sorted((place / "trials").glob("*.sql"))
        if files:
            raise UsageError(
                f"the plan has a part {part!r}: {files[0].relative_to(reader.path.parent)}",
                where=where,
                hint="take the entry away, or the files",
            )
    return values


def _reasons(reader: Reader, table: dict[str, Any], name: str, key: str) -> dict[str, str]:
    """A table of names, each with a reason in words."""
    values = table.get(key, {})
    if not isinstance(values, dict):
        where = reader.where(key, name)
        raise UsageError(f"{key} is a table of names, each with its reason", where=where)
    for named, reason in values.items():
        if not isinstance(reason, str) or not reason.strip():
            where = reader.where(named, f"{name}.{key}")
            raise UsageError(f"say in a text the reason for {named!r}", where=where)
    return dict(values)


def _severity(reader: Reader, table: dict[str, Any], name: str) -> dict[str, str]:
    values = table.get("severity", {})
    if not isinstance(values, dict):
        raise UsageError(
            "severity names checks and what they count as", where=reader.where("severity", name)
        )
    for check, value in values.items():
        if value not in SEVERITIES:
            raise UsageError(
                f"the severity of {check!r} is {value!r}; known are {', '.join(SEVERITIES)}",
                where=reader.where(check, f"{name}.severity"),
            )
    return dict(values)
