"""Pre-migration validation: the plan"s checks, one SQL file each."""

from harness.check.validate.run import Found, Validation, checks_of, validate

__all__ = ["Found", "Validation", "checks_of", "validate"]
