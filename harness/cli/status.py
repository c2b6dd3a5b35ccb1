"""`harness status`: where a database stands, for a person."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import (
    answer,
    database_command,
    named,
)

if TYPE_CHECKING:
    from harness.runner import Status


def status_lines(found: Status) -> list[str]:
    """State, phases, what failed, what was accepted, what cannot be undone, and what comes next."""
    lines = [f"state: {found.state}" + (f" ({found.reason})" if found.reason else "")]
    lines += [
        f"  phase {name}: {done['done']} of {done['total']} steps"
        for name, done in found.phases.items()
    ]
    if found.step:
        lines.append(f"  step: {found.step}")
    if found.error:
        lines.append(f"  error: {found.error}")
    lines += [f"  accepted: {one['what']} {one['file']}: {one['reason']}" for one in found.edits]
    lines += [f"  irreversible: {one['step']}: {left_behind(one)}" for one in found.irreversible]
    return lines + _next(found)


def _next(found: Status) -> list[str]:
    if found.next is None:
        return []
    if not found.error:
        return [f"  next: {found.next}"]
    back = ", or harness rollback" if found.direction == "forward" else ""
    edited = "" if "--accept-edit" in found.next else " (an edited file needs --accept-edit REASON)"
    return [f"  next: {found.next}, once it is fixed{edited}{back}"]


def left_behind(one: Mapping[str, str | None]) -> str:
    """Why a step is irreversible, and what stays."""
    return f"{one['reason']}; {one['stays']} stays" if one["stays"] else str(one["reason"])


@database_command
def status(dsn: str | None, plan_path: Path, as_json: bool) -> None:
    """Say where the database stands."""
    from harness import plan, runner

    loaded = plan.load(plan_path)
    found = runner.status(named(dsn), loaded)
    answer(dataclasses.asdict(found), as_json, status_lines(found))
