"""Read plan.toml: only known keys, with the types they need, and the line of what is wrong."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.plan import sections
from harness.plan.hooks import Hook, read_hooks
from harness.plan.model import MOST_WORKERS, PreflightRules, RunnerSettings
from harness.plan.reader import LONGEST, UNITS, Reader, seconds, suggestion
from harness.plan.rules import (
    BackupRules,
    DrainRules,
    DryRunRules,
    MaintenanceRules,
    RequireVerdict,
    ValidateRules,
    VerifyRules,
)
from harness.plan.search_path import plan_search_path

TOP = {"format", "name", "version", "variables", "rollback", "cleanup", "runner", "preflight"}
PHASE = ("id", "name", "title")
PATH = "search_path"
CHANGEABLE = {
    "runner",
    "require_verdict",
    "maintenance",
    "drain",
    "backup",
    "hook",
    *sections.JUDGES,
}
"""Tables that may change between runs: they say how fast, and how strictly it is judged."""


@dataclass(frozen=True)
class PhaseEntry:
    """One [[phase]] of plan.toml, and where it stands."""

    id: str
    name: str
    title: str
    where: str


@dataclass(frozen=True)
class PlanManifest:
    """The contents of plan.toml.

    `meaning` is all of it that a run must not see change, `judges` what those who judge follow.
    """

    name: str
    version: str
    variables: dict[str, str]
    window_hours: float
    retention_days: float
    phases: tuple[PhaseEntry, ...]
    preflight: PreflightRules
    runner: RunnerSettings
    validate: ValidateRules
    verify: VerifyRules
    dry_run: DryRunRules
    require_verdict: RequireVerdict | None
    maintenance: MaintenanceRules
    drain: DrainRules | None
    backup: BackupRules
    hooks: tuple[Hook, ...]
    search_path: tuple[str, ...]
    meaning: dict[str, Any]
    judges: dict[str, Any]


def read(path: Path, text: str, document: dict[str, Any]) -> PlanManifest:
    """Check a parsed plan.toml and give its contents."""
    reader = Reader(path, text)
    reader.only(document, TOP | CHANGEABLE | {"phase"}, None)
    search_path = _search_path(reader, document)
    found = document.get("format")
    if found != 1 or isinstance(found, bool):
        said = "format is missing" if found is None else f"format is {found!r}"
        raise UsageError(f"{said}; this harness reads format 1", where=reader.where("format"))
    return PlanManifest(
        name=reader.text(document, "name"),
        version=reader.text(document, "version"),
        variables=_variables(reader, document),
        window_hours=reader.number(
            reader.table(document, "rollback", {"window_hours"}), "window_hours", 48, "rollback"
        ),
        retention_days=reader.number(
            reader.table(document, "cleanup", {"retention_days"}), "retention_days", 90, "cleanup"
        ),
        phases=_phases(reader, document),
        preflight=_preflight(reader, document),
        runner=_runner(reader, document),
        validate=sections.validate_rules(reader, document),
        verify=sections.verify_rules(reader, document),
        dry_run=sections.dry_run_rules(reader, document),
        require_verdict=sections.require_verdict(reader, document),
        maintenance=sections.maintenance_rules(reader, document),
        drain=sections.drain_rules(reader, document),
        backup=sections.backup_rules(reader, document),
        hooks=read_hooks(reader, document),
        search_path=search_path,
        meaning=_meaning(document, search_path),
        judges={key: document[key] for key in sections.JUDGES if key in document},
    )


def _search_path(reader: Reader, document: dict[str, Any]) -> tuple[str, ...]:
    """The schemas in which scripts look for names."""
    table = document.get("runner")
    try:
        return plan_search_path(table.get(PATH, "") if isinstance(table, dict) else "")
    except ValueError as error:
        raise UsageError(f"{PATH} {error}", where=reader.where(PATH, "runner")) from None


def _meaning(document: dict[str, Any], search_path: tuple[str, ...]) -> dict[str, Any]:
    # the rest of [runner] says how fast; this decides what the scripts do
    meaning = {key: value for key, value in document.items() if key not in CHANGEABLE}
    return meaning | {PATH: list(search_path)} if search_path else meaning


def _variables(reader: Reader, document: dict[str, Any]) -> dict[str, str]:
    table = document.get("variables", {})
    if not isinstance(table, dict):
        raise UsageError("[variables] must be a table", where=reader.where("variables"))
    for name, value in table.items():
        where = reader.where(name, "variables")
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or name == "run_id":
            raise UsageError(f"{name!r} cannot name a variable", where=where)
        if not isinstance(value, str) or "\0" in value:
            raise UsageError(f"variable {name!r} must be a text", where=where)
    return dict(table)


def _phases(reader: Reader, document: dict[str, Any]) -> tuple[PhaseEntry, ...]:
    entries = document.get("phase", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError("a phase is a table of its own: [[phase]]", where=reader.where("phase"))
    if not entries:
        raise UsageError("the plan has no [[phase]]", where=f"{reader.path}:1")
    lines = [n for n, line in enumerate(reader.lines, 1) if re.match(r"\s*\[\[\s*phase", line)]
    phases: list[PhaseEntry] = []
    for number, entry in enumerate(entries):
        where = f"{reader.path}:{lines[number] if number < len(lines) else 1}"
        _check_phase(entry, where)
        if any(phase.id == str(entry["id"]) for phase in phases):
            raise UsageError(f"phase {entry['id']!r} is declared twice", where=where)
        title = entry.get("title", entry["name"])
        phases.append(PhaseEntry(str(entry["id"]), str(entry["name"]), str(title), where))
    return tuple(phases)


def _check_phase(entry: dict[str, Any], where: str) -> None:
    for key in entry:
        if key not in PHASE:
            hint = suggestion(key, PHASE)
            raise UsageError(f"unknown key {key!r} in [[phase]]", where=where, hint=hint)
    for key, pattern in (("id", r"[0-9A-Za-z.]+"), ("name", r"[a-z0-9_]+")):
        value = entry.get(key, "")
        if isinstance(value, bool) or not re.fullmatch(pattern, str(value)):
            raise UsageError(f"a phase needs {key!r} like {pattern}", where=where)


def _preflight(reader: Reader, document: dict[str, Any]) -> PreflightRules:
    known = {"requires", "forbids", "extensions", "postgres", "long_transaction"}
    table = reader.table(document, "preflight", known)
    requires, forbids = table.get("requires", {}), table.get("forbids", [])
    if not isinstance(requires, dict) or not all(map(_is_texts, requires.values())):
        raise UsageError(
            "requires names relations and lists of their columns",
            where=reader.where("requires", "preflight"),
        )
    if not _is_texts(forbids):
        raise UsageError(
            "forbids is a list of relations", where=reader.where("forbids", "preflight")
        )
    for name in (*requires, *forbids):
        if "." not in name:
            raise UsageError(
                f"{name!r} is not schema-qualified", where=reader.where(name, "preflight")
            )
    both = sorted(set(requires) & set(forbids))
    if both:
        where = reader.where("forbids", "preflight")
        raise UsageError(f"{both[0]!r} is both required and forbidden", where=where)
    return PreflightRules(
        requires={name: tuple(columns) for name, columns in requires.items()},
        forbids=tuple(forbids),
        extensions=reader.texts(table, "extensions", "preflight"),
        postgres=_majors(reader, table),
        long_transaction=reader.time(table, "long_transaction", 60.0, "preflight"),
    )


def _majors(reader: Reader, table: dict[str, Any]) -> tuple[int, int]:
    value = table.get("postgres", list(PreflightRules().postgres))
    whole = isinstance(value, list) and all(type(item) is int for item in value)
    if not whole or len(value) != 2 or not 10 <= value[0] <= value[1]:
        raise UsageError(
            f"postgres is the oldest and the newest major version, not {value!r}",
            where=reader.where("postgres", "preflight"),
            hint="such as [15, 18]",
        )
    return value[0], value[1]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _runner(reader: Reader, document: dict[str, Any]) -> RunnerSettings:
    fields = {field.name: field for field in dataclasses.fields(RunnerSettings)}
    table = reader.table(document, "runner", {*fields, PATH})
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key == PATH:
            continue
        default: Any = fields[key].default
        where = reader.where(key, "runner")
        if isinstance(default, float):
            values[key] = _bounded(key, seconds(key, value, where), value, where)
        elif type(value) is not type(default) or (not isinstance(value, bool) and value < 0):
            wanted = "true or false" if isinstance(default, bool) else "a whole number"
            raise UsageError(f"{key} is {wanted}, not {value!r}", where=where)
        else:
            values[key] = value
    return _consistent(RunnerSettings(**values), reader)


def _bounded(key: str, found: float, value: Any, where: str) -> float:
    """A time that Postgres can hold: what rounds to 0 ms would be no limit at all."""
    if found and not UNITS["ms"] <= found <= LONGEST:
        raise UsageError(f"{key} is from 1ms to 24 days, not {value!r}", where=where)
    return found


def _consistent(settings: RunnerSettings, reader: Reader) -> RunnerSettings:
    most = settings.batch_max_rows
    if not (1 <= settings.batch_min_rows <= most and 1 <= settings.batch_rows <= most):
        raise UsageError(
            "batch_rows and batch_min_rows are at least 1 and at most batch_max_rows",
            where=reader.where("batch_rows", "runner"),
        )
    if not 1 <= settings.batch_workers <= MOST_WORKERS:
        raise UsageError(
            f"batch_workers is from 1 to {MOST_WORKERS}, not {settings.batch_workers}",
            where=reader.where("batch_workers", "runner"),
        )
    if settings.lock_timeout <= 0 or settings.concurrent_lock_timeout <= 0:
        raise UsageError(
            "lock_timeout cannot be 0: no lock is waited for without a bound",
            where=reader.where("lock_timeout", "runner"),
        )
    return settings
