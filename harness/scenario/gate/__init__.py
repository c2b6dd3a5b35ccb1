"""The gate: every release suite on a real server, then one verdict file and one line."""

from harness.scenario.gate.run import run
from harness.scenario.gate.settings import Settings

__all__ = ["Settings", "run"]
