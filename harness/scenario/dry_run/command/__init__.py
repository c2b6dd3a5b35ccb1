"""The dry run of a command: watched from outside, since nothing of ours runs within it."""

from harness.scenario.dry_run.command.rehearse import rehearse_command

__all__ = ["rehearse_command"]
