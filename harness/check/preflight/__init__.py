"""What of a server and a database stands in the plan"s way."""

from harness.check.preflight.run import Preflight, Standing, preflight

__all__ = ["Preflight", "Standing", "preflight"]
