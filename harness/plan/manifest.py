"""Read plan.toml: only known keys, with the types they need, and the line of what is wrong."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.plan.model import Preflight, RunnerSettings

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|min|h)")
TOP = {"format", "name", "version", "variables", "rollback", "cleanup", "runner", "preflight"}


@dataclass(frozen=True)
class PhaseEntry:
    """One [[phase]] of plan.toml, and where it stands."""

    id: str
    name: str
    title: str
    where: str


@dataclass(frozen=True)
class Manifest:
    """The contents of plan.toml; `meaning` is all of it that a run must not see change."""

    name: str
    version: str
    variables: dict[str, str]
    window_hours: float
    retention_days: float
    phases: tuple[PhaseEntry, ...]
    preflight: Preflight
    runner: RunnerSettings
    meaning: dict[str, Any]


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def where(self, key: str, table: str | None = None) -> str:
        """File and line on which `key` (in `table`) is written, as near as text can tell."""
        start = 0
        if table:
            header = re.compile(rf"^\s*\[\[?\s*{re.escape(table)}\s*\]")
            start = next((n for n, line in enumerate(self.lines) if header.match(line)), 0)
        wanted = re.compile(rf'^\s*(\[\[?\s*)?"?{re.escape(key)}"?\s*[\].=]')
        for number in range(start, len(self.lines)):
            if wanted.match(self.lines[number]):
                return f"{self.path}:{number + 1}"
        return f"{self.path}:{start + 1}"

    def table(self, document: dict[str, Any], name: str, known: set[str]) -> dict[str, Any]:
        """A table of the document, empty when it is not there, with no key but the known."""
        value = document.get(name, {})
        if not isinstance(value, dict):
            raise UsageError(f"[{name}] must be a table", where=self.where(name))
        self.only(value, known, name)
        return value

    def only(self, values: dict[str, Any], known: set[str], table: str | None) -> None:
        """Refuse the first key that is not known."""
        for key in values:
            if key not in known:
                place = f" in [{table}]" if table else ""
                raise UsageError(
                    f"unknown key {key!r}{place}",
                    where=self.where(key, table),
                    hint=f"known are {', '.join(sorted(known))}",
                )

    def text(self, values: dict[str, Any], key: str, table: str | None = None) -> str:
        """A text that must be there."""
        value = values.get(key)
        if not isinstance(value, str) or not value.strip():
            place = f"[{table}] needs" if table else "the plan needs"
            raise UsageError(f"{place} a text {key!r}", where=self.where(key, table))
        return value

    def number(self, values: dict[str, Any], key: str, default: float, table: str) -> float:
        """A number that is not negative."""
        value = values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise UsageError(f"{key} is a number, not {value!r}", where=self.where(key, table))
        return float(value)


def read(path: Path, text: str, document: dict[str, Any]) -> Manifest:
    """Check a parsed plan.toml and give its contents."""
    reader = _Reader(path, text)
    reader.only(document, TOP | {"phase"}, None)
    if document.get("format") != 1:
        raise UsageError(
            f"format is {document.get('format')!r}; this harness reads format 1",
            where=reader.where("format"),
        )
    return Manifest(
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
        meaning={key: value for key, value in document.items() if key != "runner"},
    )


def _variables(reader: _Reader, document: dict[str, Any]) -> dict[str, str]:
    table = document.get("variables", {})
    if not isinstance(table, dict):
        raise UsageError("[variables] must be a table", where=reader.where("variables"))
    for name, value in table.items():
        where = reader.where(name, "variables")
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or name == "run_id":
            raise UsageError(f"{name!r} cannot name a variable", where=where)
        if not isinstance(value, str):
            raise UsageError(f"variable {name!r} must be a text", where=where)
    return dict(table)


def _phases(reader: _Reader, document: dict[str, Any]) -> tuple[PhaseEntry, ...]:
    entries = document.get("phase", [])
    if not isinstance(entries, list) or not entries:
        raise UsageError("the plan has no [[phase]]", where=f"{reader.path}:1")
    lines = [n for n, line in enumerate(reader.lines, 1) if re.match(r"\s*\[\[\s*phase", line)]
    phases: list[PhaseEntry] = []
    for number, entry in enumerate(entries):
        where = f"{reader.path}:{lines[number] if number < len(lines) else 1}"
        for key in entry:
            if key not in ("id", "name", "title"):
                raise UsageError(f"unknown key {key!r} in [[phase]]", where=where)
        for key, pattern in (("id", r"[0-9A-Za-z.]+"), ("name", r"[a-z0-9_]+")):
            if not re.fullmatch(pattern, str(entry.get(key, ""))):
                raise UsageError(f"a phase needs {key!r} like {pattern}", where=where)
        if any(phase.id == entry["id"] for phase in phases):
            raise UsageError(f"phase {entry['id']!r} is declared twice", where=where)
        title = entry.get("title", entry["name"])
        phases.append(PhaseEntry(str(entry["id"]), str(entry["name"]), str(title), where))
    return tuple(phases)


def _preflight(reader: _Reader, document: dict[str, Any]) -> Preflight:
    table = reader.table(document, "preflight", {"requires", "forbids"})
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
    return Preflight({name: tuple(columns) for name, columns in requires.items()}, tuple(forbids))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _runner(reader: _Reader, document: dict[str, Any]) -> RunnerSettings:
    fields = {field.name: field for field in dataclasses.fields(RunnerSettings)}
    table = reader.table(document, "runner", set(fields))
    values: dict[str, Any] = {}
    for key, value in table.items():
        default: Any = fields[key].default
        where = reader.where(key, "runner")
        if isinstance(default, float):
            values[key] = _seconds(key, value, where)
        elif type(value) is not type(default) or (not isinstance(value, bool) and value < 0):
            wanted = "true or false" if isinstance(default, bool) else "a whole number"
            raise UsageError(f"{key} is {wanted}, not {value!r}", where=where)
        else:
            values[key] = value
    return _consistent(RunnerSettings(**values), reader)


def _seconds(key: str, value: Any, where: str) -> float:
    if value == 0 and not isinstance(value, bool):
        return 0.0
    match = DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise UsageError(f'{key} is a time such as "2s" or "500ms", not {value!r}', where=where)
    return float(match[1]) * UNITS[match[2]]


def _consistent(settings: RunnerSettings, reader: _Reader) -> RunnerSettings:
    most = settings.batch_max_rows
    if not (1 <= settings.batch_min_rows <= most and 1 <= settings.batch_rows <= most):
        raise UsageError(
            "batch_rows and batch_min_rows are at least 1 and at most batch_max_rows",
            where=reader.where("batch_rows", "runner"),
        )
    if settings.lock_timeout <= 0 or settings.concurrent_lock_timeout <= 0:
        raise UsageError(
            "lock_timeout cannot be 0: no lock is waited for without a bound",
            where=reader.where("lock_timeout", "runner"),
        )
    return settings
