"""The gate: every release suite on a real server, then one verdict file and one line."""

from harness.scenario.gate.discovery import PLANTED, claimed_suites, discover
from harness.scenario.gate.run import run
from harness.scenario.gate.settings import GateSettings

__all__ = ["PLANTED", "GateSettings", "claimed_suites", "discover", "run"]
