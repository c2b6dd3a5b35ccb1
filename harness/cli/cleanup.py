"""`harness cleanup`: after it there is no way back."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import (
    answer,
    database_command,
    named,
)


@database_command
@click.option("--override-retention", metavar="REASON", help="recorded: why it is cleaned up early")
def cleanup(
    dsn: str | None, plan_path: Path, as_json: bool, override_retention: str | None
) -> None:
    """Drop backups, archive and compatibility surface; after this there is no way back."""
    from harness import plan, runner
    from harness.document.run import CleanupDocument
    from harness.runner.signals import stop_requested

    loaded = plan.load(plan_path)
    with stop_requested() as stop:
        dropped = runner.cleanup(
            named(dsn), loaded, override_retention=override_retention, stop=stop
        )
    answer(CleanupDocument(dropped=dropped), as_json, [f"dropped {name}" for name in dropped])
