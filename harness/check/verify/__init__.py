"""Post-migration checks: what the new schema holds, against what the old one held."""

from harness.check.verify.run import Verification, load, verify

__all__ = ["Verification", "load", "verify"]
