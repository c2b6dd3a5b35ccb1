"""`harness baseline`."""

from __future__ import annotations

from pathlib import Path

from harness.cli.options import (
    answer,
    database_command,
    named,
)


@database_command
def baseline(dsn: str | None, plan_path: Path, as_json: bool) -> None:
    """Put the plan's baseline (roles and schema) into an empty database."""
    from harness import plan, runner

    loaded = plan.load(plan_path)
    relations = runner.baseline(named(dsn), loaded)
    said = f"{len(relations)} relations" if loaded.baseline else "nothing to do, the plan has none"
    answer({"relations": relations}, as_json, [f"baseline: {said}"])
