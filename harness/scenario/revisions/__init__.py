"""Every revision of a foreign tree: up, down and up again on clones, observed and killed."""

from harness.scenario.revisions.run import CheckSettings, check_tree

__all__ = ["CheckSettings", "check_tree"]
