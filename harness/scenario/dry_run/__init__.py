"""The dry run: the whole plan, forward and back, on a copy; what it locks, writes and takes."""

from harness.scenario.dry_run.estimate import estimate_error
from harness.scenario.dry_run.rehearse import DryRun, dry_run

__all__ = ["DryRun", "dry_run", "estimate_error"]
