"""The estimate against the window that people are told of, where a plan has one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.core.finding import Finding
from harness.core.quantity import time_left
from harness.document.dry_run import DryRunDocument
from harness.people.window import MaintenanceWindow
from harness.people.window_file import find_window, read_window
from harness.subject.project_search import shown


def read_planned(plan: Path) -> MaintenanceWindow | None:
    """The window beside a plan, None where there is none or it is cancelled; UsageError as read."""
    file = find_window(plan)
    window = read_window(file) if file else None
    return None if window is None or window.cancelled else window


def find_overrun(
    id: str,  # noqa: A002 - a finding's word
    document: DryRunDocument,
    window: MaintenanceWindow | None,
) -> list[Finding]:
    """The finding that a migration takes longer than its window, if it does."""
    estimate = document.estimate_seconds
    if window is None or estimate is None or estimate <= window.length.total_seconds():
        return []
    takes, planned = (time_left(one) for one in (estimate, window.length.total_seconds()))
    return [
        Finding(
            id, "critical", str(shown(window.path)),
            f"the migration takes about {takes}, and the window {planned}",
            "plan a longer window and raise its revision, or make the migration shorter",
            f"{window.start} to {window.end}",
        )
    ]  # fmt: skip


def hold_against(document: DryRunDocument, window: MaintenanceWindow | None) -> DryRunDocument:
    """The dry run, which fails where its estimate is longer than the window."""
    found = find_overrun("dry_run.window", document, window)
    if not found:
        return document
    findings = [*document.findings, *found]
    return msgspec.structs.replace(document, verdict="fail", findings=findings)
