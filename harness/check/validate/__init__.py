"""Pre-migration validation: the plan"s checks, one SQL file each."""

from harness.check.validate.run import CheckFinding, Validation, checks_of, validate

__all__ = ["CheckFinding", "Validation", "checks_of", "validate"]
