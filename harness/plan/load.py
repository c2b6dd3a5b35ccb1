"""Find and check a whole plan: plan.toml, its phases' directories, baseline and clean-up."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.plan import baseline as baseline_file
from harness.plan import manifest, script
from harness.plan.check import altered, check
from harness.plan.model import Phase, Plan, Script, Step
from harness.plan.search_path import written

STEP_FILE = re.compile(r"^(\d{3})_([a-z0-9_]+)\.(forward|rollback)\.sql$")
PLAIN_FILE = re.compile(r"^(\d{3})_([a-z0-9_]+)\.sql$")


def load(path: Path) -> Plan:
    """Read and check the plan at `path`; UsageError names file, line and reason."""
    path = Path(path)
    if path.is_dir():
        path = path / "plan.toml"
    text, document = _toml(path)
    read = manifest.read(path, text, document)
    root = path.parent
    phases = tuple(_searching(_phase(root, entry), read.search_path) for entry in read.phases)
    _no_undeclared(path, root, phases)
    scripts = [s for phase in phases for step in phase.steps for s in (step.forward, step.rollback)]
    baseline = _plain(root, "baseline", baseline_file.read)
    cleanup = tuple(
        _script_searching(script, read.search_path) for script in _plain(root, "cleanup", _script)
    )
    meaning = _sha256(json.dumps(read.meaning, sort_keys=True))
    everything = [meaning, *(s.name + s.sha256 for s in (*scripts, *baseline, *cleanup))]
    everything += [_sha256(json.dumps(read.judges, sort_keys=True)), *_checks(root)]
    return Plan(
        name=read.name,
        version=read.version,
        path=path,
        hash=_sha256("\n".join(everything)),
        manifest_sha256=meaning,
        variables=read.variables,
        phases=phases,
        window_hours=read.window_hours,
        retention_days=read.retention_days,
        preflight=read.preflight,
        runner=read.runner,
        validate=read.validate,
        verify=read.verify,
        dry_run=read.dry_run,
        require_verdict=read.require_verdict,
        maintenance=read.maintenance,
        drain=read.drain,
        backup=read.backup,
        hooks=read.hooks,
        baseline=baseline,
        cleanup=cleanup,
        starts_empty=not baseline_file.makes_relations(baseline),
        alters=tuple(sorted(set().union(*(altered(s) for s in scripts)))),
    )


def _toml(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise UsageError(
            f"the plan cannot be read: {error.strerror}", where=str(path), hint="give --plan"
        ) from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UsageError("is not valid UTF-8", where=f"{path}:{line}") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        where = f"{path}:{place[1] if place else text.count(chr(10)) + 1}"
        raise UsageError(f"is not valid TOML: {error}", where=where) from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _phase(root: Path, entry: manifest.PhaseEntry) -> Phase:
    directory = root / "phases" / f"{entry.id}_{entry.name}"
    if not directory.is_dir():
        raise UsageError(f"phase {entry.id} has no directory {directory.name!r}", where=entry.where)
    found: dict[int, dict[str, Path]] = {}
    for file in _sql_files(directory):
        match = STEP_FILE.match(file.name)
        if not match:
            raise UsageError(
                "is not named like 010_enums.forward.sql or 010_enums.rollback.sql",
                where=str(file),
            )
        number, name, direction = int(match[1]), match[2], match[3]
        pair = found.setdefault(number, {})
        other = next(iter(pair.values()), None)
        if other is not None and STEP_FILE.match(other.name)[2] != name:  # type: ignore[index]
            raise UsageError(
                f"number {match[1]} is taken by {other.name}",
                where=str(file),
                hint="give each step of a phase its own number",
            )
        pair[direction] = file
    steps = tuple(_step(root, entry.id, number, found[number]) for number in sorted(found))
    if not steps:
        raise UsageError(f"phase {entry.id} has no steps", where=str(directory))
    return Phase(entry.id, entry.name, entry.title, steps)


def _sql_files(directory: Path) -> list[Path]:
    """Every file of a directory that takes part, in order; notes and hidden files do not."""
    return [
        file
        for file in sorted(directory.iterdir())
        if not file.name.startswith(".") and file.suffix != ".md"
    ]


def _step(root: Path, phase: str, number: int, pair: dict[str, Path]) -> Step:
    for direction, other in (("rollback", "forward"), ("forward", "rollback")):
        if direction not in pair:
            missing = pair[other].name.replace(f".{other}.", f".{direction}.")
            raise UsageError(
                f"has no {direction} file {missing}",
                where=str(pair[other]),
                hint="write it; when there is nothing to do, say so with a header nothing: why",
            )
    forward, rollback = (_script(pair[name], root) for name in ("forward", "rollback"))
    name = pair["forward"].name.removesuffix(".forward.sql")
    return Step(f"{phase}/{name}", phase, number, forward, rollback)


def _script(path: Path, root: Path) -> Script:
    found = script.read(path, root)
    check(found)
    return found


def _searching(phase: Phase, names: tuple[str, ...]) -> Phase:
    """The phase whose scripts look for names in these schemas."""
    steps = tuple(
        replace(
            step,
            forward=_script_searching(step.forward, names),
            rollback=_script_searching(step.rollback, names),
        )
        for step in phase.steps
    )
    return replace(phase, steps=steps)


def _script_searching(script: Script, names: tuple[str, ...]) -> Script:
    """The script under that setting; one of its own, in its header, comes after it."""
    if not names or not script.statements:
        return script
    return replace(script, settings=(("search_path", written(names)), *script.settings))


def _plain(root: Path, name: str, read: Callable[[Path, Path], Script]) -> tuple[Script, ...]:
    directory = root / name
    scripts: dict[str, Script] = {}
    if directory.exists() and not directory.is_dir():
        raise UsageError("is not a directory", where=str(directory))
    for file in _sql_files(directory) if directory.is_dir() else []:
        match = PLAIN_FILE.match(file.name)
        if not match:
            raise UsageError("is not named like 010_tables.sql", where=str(file))
        if match[1] in scripts:
            raise UsageError(
                f"number {match[1]} is taken by {scripts[match[1]].path.name}", where=str(file)
            )
        scripts[match[1]] = read(file, root)
        if scripts[match[1]].kind != "transaction":
            raise UsageError(f"a {name} script is of kind transaction", where=f"{file}:1")
    return tuple(scripts.values())


def _checks(root: Path) -> list[str]:
    """Name and hash of every file below checks/: a verdict also says what it was judged by."""
    files = sorted((root / "checks").rglob("*"))
    return [
        file.relative_to(root).as_posix() + hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file() and not file.name.startswith(".") and file.suffix != ".md"
    ]


def _no_undeclared(path: Path, root: Path, phases: tuple[Phase, ...]) -> None:
    declared = {f"{phase.id}_{phase.name}" for phase in phases}
    for directory in sorted((root / "phases").iterdir()):
        if directory.is_dir() and directory.name not in declared:
            raise UsageError(
                f"directory {directory.name!r} belongs to no phase of {path.name}",
                where=str(directory),
                hint="declare it with [[phase]] or remove it",
            )
