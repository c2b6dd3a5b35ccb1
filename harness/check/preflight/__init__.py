"""What of a server and a database stands in the plan"s way."""

from harness.check.preflight.run import DatabaseStanding, PreflightResult, preflight

__all__ = ["DatabaseStanding", "PreflightResult", "preflight"]
